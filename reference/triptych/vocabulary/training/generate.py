"""What is derived from the training vocabulary: schemas, its part of ``vocabulary.json`` and chapter 51."""

from __future__ import annotations

import json
from collections.abc import Mapping

from triptych.model import Json
from triptych.vocabulary.definition import Field
from triptych.vocabulary.training.definition import FAMILIES, TYPES, ComponentType

BASE = "https://triptych.dev/schemas/1.0"
CHAPTER = "spec/51-training-types.md"
_REQUIREMENTS = {
    **dict.fromkeys(("optimizers", "losses", "metrics"), ("TRN-012", "TRN-013")),
    **dict.fromkeys(("schedules", "initializers", "regularizers", "constraints"), ("TRN-014", "TRN-015")),
}
"""Family -> the requirement on members of a config, and that on their values."""
_ONE = {
    "optimizers": "optimizer",
    "losses": "loss",
    "metrics": "metric",
    "schedules": "schedule",
    "initializers": "initializer",
    "regularizers": "regularizer",
    "constraints": "constraint",
}


def files(spell: object) -> Mapping[str, str]:
    """Path from the checkout's root -> text, for every generated file but ``vocabulary.json``; `spell` writes JSON."""
    assert callable(spell)
    texts = {
        f"schemas/1.0/{family}/{kind.name}.schema.json": spell(config_schema(kind))
        for family in FAMILIES
        for kind in TYPES[family].values()
    }
    return {**texts, CHAPTER: chapter()}


def config_schema(kind: ComponentType) -> dict[str, Json]:
    """The JSON Schema of the config of a component of this type."""
    whole, value = _REQUIREMENTS[kind.family]
    schema: dict[str, Json] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{BASE}/{kind.family}/{kind.name}.schema.json",
        "$comment": f"req: {whole}",
        "title": f"Config of the {_ONE[kind.family]} {kind.name}",
        "description": _plain(kind.doc),
        "type": "object",
        "properties": {one.name: _member(one, value) for one in kind.fields},
    }
    if required := [one.name for one in kind.fields if one.required]:
        schema["required"] = required
    return {**schema, "additionalProperties": False}


def _member(one: Field, requirement: str) -> dict[str, Json]:
    schema = one.kind.member(requirement, _plain(one.doc))
    return schema if one.required else {**schema, "default": one.default}


def _plain(markdown: str) -> str:
    return markdown.replace("`", "")


def vocabulary() -> dict[str, Json]:
    """All that definitions say, as data: family -> type -> facts."""
    return {family: {kind.name: _data(kind) for kind in TYPES[family].values()} for family in FAMILIES}


def _data(kind: ComponentType) -> dict[str, Json]:
    data: dict[str, Json] = {
        "description": _plain(kind.doc),
        "equation": kind.equation.split("\n"),
        "config": [{"name": one.name, **({"required": True} if one.required else {"default": one.default})} for one in kind.fields],
        "slots": [
            {
                "name": slot.name,
                "shape": slot.shape,
                "initial": slot.initial,
                **({"when": slot.when} if slot.when else {}),
                **({"rank": {"minimum": slot.rank[0], "maximum": slot.rank[1]}} if slot.rank != (0, None) else {}),
                **({"shared": True} if slot.shared else {}),
            }
            for slot in kind.slots
        ],
        "equivalents": dict(kind.equivalents),
    }
    return {key: value for key, value in data.items() if value not in ([], {})}


def chapter() -> str:
    """The specification's chapter of training types."""
    lines = [
        "# 51 Training types",
        "",
        "Generated from the definitions by `python -m triptych.vocabulary.generate`; chapter 50 says how to read it. The same is in",
        "`schemas/1.0/vocabulary.json` as data.",
    ]
    for family in FAMILIES:
        shared = _shared(family)
        lines += ["", f"## {family.capitalize()}"]
        if shared:
            lines += ["", f"Every {_ONE[family]} has these members, too:", "", *_table(shared)]
        if family == "optimizers":
            lines += ["", "And these slots, where their condition holds:", "", *_slots(TYPES[family]["SGD"].slots[-2:])]
        for kind in TYPES[family].values():
            lines += ["", f"### {kind.name}", "", kind.doc, "", "```text", *kind.equation.split("\n"), "```"]
            if kind.equivalents:
                lines += [
                    "",
                    "* equivalents: " + "; ".join(f"{framework} `{name}`" for framework, name in kind.equivalents.items()),
                ]
            if own := [one for one in kind.fields if one not in shared]:
                lines += ["", *_table(own)]
            if family == "optimizers" and len(kind.slots) > 2:
                lines += ["", *_slots(kind.slots[:-2])]
    return "\n".join(lines) + "\n"


def _shared(family: str) -> list[Field]:
    """Members that every type of the family has in the same way, but for an optimizer that says otherwise of one."""
    kinds = list(TYPES[family].values())
    return [
        one
        for one in kinds[0].fields
        if family in ("optimizers", "losses", "metrics") and all(one in kind.fields for kind in kinds[:3])
    ]


def _table(fields: list[Field]) -> list[str]:
    rows = [f"| `{one.name}` | {one.kind.text} | {_default(one)} | {one.doc} |" for one in fields]
    return ["| config | value | default | |", "|---|---|---|---|", *rows]


def _slots(slots: object) -> list[str]:
    assert isinstance(slots, tuple)
    rows = []
    for slot in slots:
        low, high = slot.rank
        ranks = "" if (low, high) == (0, None) else f"rank {low} or more" if high is None else f"rank {high} or less"
        condition = "; ".join(
            part for part in (f"`{slot.when}`" if slot.when else "", ranks, "one for all weights" if slot.shared else "") if part
        )
        rows.append(f"| `{slot.name}` | `{slot.shape}` | `{slot.initial}` | {condition} | {slot.doc} |")
    return ["| slot | shape | at first | when | |", "|---|---|---|---|---|", *rows]


def _default(one: Field) -> str:
    return "*required*" if one.required else f"`{json.dumps(one.default)}`"
