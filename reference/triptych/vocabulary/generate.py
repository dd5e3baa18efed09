"""Writes what is derived from the definitions: schemas, ``vocabulary.json`` and the specification's tables.

``python -m triptych.vocabulary.generate`` in a checkout; a test compares what is there with what this yields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from triptych import resources
from triptych.model import Json
from triptych.vocabulary import FAMILIES, LAYER_TYPES, verdicts
from triptych.vocabulary.definition import Field, LayerType
from triptych.vocabulary.formula import MaskRule, drop_mask, keep_mask
from triptych.vocabulary.kinds import ACTIVATION, CONSTRAINT, INITIALIZER, REGULARIZER
from triptych.vocabulary.operations import OPERATIONS
from triptych.vocabulary.operations import tables as operation_tables
from triptych.vocabulary.training import TYPES
from triptych.vocabulary.training import generate as training_tables
from triptych.vocabulary.training.kinds import SCHEDULED

VERSION = "1.0"
BASE = f"https://triptych.dev/schemas/{VERSION}"
SCHEMAS = f"schemas/{VERSION}"
MASKS: dict[MaskRule, str] = {keep_mask: "", drop_mask: "none"}
"""What a type makes of the first input's mask, where a word says it: it keeps it, or drops it."""


def in_order() -> list[LayerType]:
    """Every type: families in the specification's order, types as their family defines them."""
    return [found for family in FAMILIES for found in LAYER_TYPES.values() if found.family == family.FAMILY]


def config_schema(found: LayerType) -> dict[str, Json]:
    """The JSON Schema of the config of a layer of this type."""
    schema: dict[str, Json] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{BASE}/layers/{found.name}.schema.json",
        "$comment": "req: LYR-002",
        "title": f"Config of a {found.name} layer",
        "description": _plain(found.doc),
        "type": "object",
        "properties": {one.name: _member_schema(one) for one in found.fields},
    }
    required = [one.name for one in found.fields if one.required]
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    return schema


def _member_schema(one: Field) -> dict[str, Json]:
    schema = one.kind.member("LYR-003", _plain(one.doc))
    return schema if one.required else {**schema, "default": one.default}


def _plain(markdown: str) -> str:
    return markdown.replace("`", "")


def shared_kinds() -> dict[str, Json]:
    """The schemas of the kinds of values that members of many configs take."""
    shared = (ACTIVATION, INITIALIZER, REGULARIZER, CONSTRAINT, SCHEDULED)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{BASE}/kinds.schema.json",
        "title": "Kinds of values that members of many configs take",
        "$defs": {kind.anchor: {"$anchor": kind.anchor, "title": kind.title, **kind.schema} for kind in shared},
    }


def vocabulary() -> dict[str, Json]:
    """All that definitions say, as data for programs in any language."""
    return {
        "format_version": VERSION,
        "types": {found.name: _type_data(found) for found in in_order()},
        "operations": {found.name: operation_tables.data(found, _field_data) for found in operation_tables.in_order()},
        "training": training_tables.vocabulary(),
    }


def _type_data(found: LayerType) -> dict[str, Json]:
    least, most = found.inputs
    lowest, highest = found.rank
    data: dict[str, Json] = {
        "family": found.family,
        "description": _plain(found.doc),
        "config": [_field_data(one) for one in found.fields],
        "weights": [
            {
                "role": one.role,
                "shape": one.shape,
                **({"when": one.when} if one.when else {}),
                "trainable": one.trainable,
                **({"dtype": one.dtype} if one.dtype else {}),
            }
            for one in found.weights
        ],
        "sublayers": [one.role for one in found.sublayers],
        "inputs": {"minimum": least, "maximum": most},
        "rank": {"minimum": lowest, "maximum": highest},
        "arguments": list(found.arguments),
        "takes_strings": found.takes_strings or "",
        "yields_strings": found.yields_strings or "",
        "keeps_dtype": found.keeps_dtype or "",
        "takes_as_given": found.takes_as_given or "",
        "mask": MASKS.get(found.mask, "own"),
        "output": {"words": _plain(found.words)} if found.output is None else {"shape": found.output},
        "formula": _plain(found.equation),
        "equivalents": dict(found.equivalents),
    }
    return {key: value for key, value in data.items() if value not in ([], {}, "")}


def _field_data(one: Field) -> dict[str, Json]:
    return {"name": one.name, **({"required": True} if one.required else {"default": one.default})}


def tables() -> str:
    """The specification's chapter of layer types."""
    lines = [
        "# 26 Layer types",
        "",
        "Generated from the definitions by `python -m triptych.vocabulary.generate`; chapter 25 says how to read it. The same is in",
        "`schemas/1.0/vocabulary.json` as data.",
    ]
    family = ""
    for found in in_order():
        if found.family != family:
            family = found.family
            lines += ["", f"## {family}"]
        lines += ["", f"### {found.name}", "", *_table(found)]
    return "\n".join(lines) + "\n"


def _table(found: LayerType) -> list[str]:
    output = found.words if found.output is None else f"`{found.output}`"
    lines = [found.doc, "", f"* inputs: {_range(found.inputs)}, the first of rank {_range(found.rank)}", f"* output: {output}"]
    if found.equation:
        lines.append(f"* formula: {found.equation}")
    for verb, condition in (("takes", found.takes_strings), ("yields", found.yields_strings)):
        if condition:
            lines.append(f"* {verb} strings" + (f": where `{condition}`" if isinstance(condition, str) else ""))
    if found.keeps_dtype:
        lines.append("* dtype: that of its inputs" + (f" where `{found.keeps_dtype}`" if isinstance(found.keeps_dtype, str) else ""))
    if found.takes_as_given:
        lines.append("* takes integers and booleans as they are")
    if mask := MASKS.get(found.mask, "see chapter 28"):
        lines.append(f"* mask: {mask}")
    if found.arguments:
        lines.append("* arguments: " + ", ".join(f"`{name}`" for name in found.arguments))
    lines += [f"* sublayer `{one.role}`: {one.doc}" for one in found.sublayers]
    lines.append("* equivalents: " + "; ".join(f"{framework} `{name}`" for framework, name in found.equivalents.items()))
    lines += _config_rows(found.fields)
    if found.weights:
        lines += ["", "| weight | shape | when | trainable |", "|---|---|---|---|"]
        lines += [
            f"| `{one.role}`{f' ({one.dtype})' if one.dtype else ''} | `{one.shape}` | {f'`{one.when}`' if one.when else ''} | {'yes' if one.trainable else 'no'} |"
            for one in found.weights
        ]
    return lines


def _config_rows(fields: tuple[Field, ...]) -> list[str]:
    """The table of a config; nothing for one without members."""
    rows = [f"| `{one.name}` | {one.kind.text} | {_default(one)} | {one.doc} |" for one in fields]
    return ["", "| config | value | default | |", "|---|---|---|---|", *rows] if rows else []


def _default(one: Field) -> str:
    return "*required*" if one.required else f"`{json.dumps(one.default)}`"


def _range(bounds: tuple[int, int | None]) -> str:
    least, most = bounds
    return f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"


def files() -> Mapping[str, str]:
    """Path from the checkout's root -> text, for every generated file."""
    texts = {f"{SCHEMAS}/layers/{found.name}.schema.json": _json(config_schema(found)) for found in in_order()}
    for operation in operation_tables.in_order():
        schema = operation_tables.config_schema(operation, BASE, _member_schema)
        texts[f"{SCHEMAS}/operations/{operation.name}.schema.json"] = _json(schema)
    texts |= training_tables.files(_json)
    texts[f"{SCHEMAS}/kinds.schema.json"] = _json(shared_kinds())
    texts["spec/27-operations.md"] = operation_tables.chapter(_config_rows)
    texts[f"{SCHEMAS}/verdicts.json"] = _json(verdicts.data())
    return {**texts, f"{SCHEMAS}/vocabulary.json": _json(vocabulary()), "spec/26-layer-types.md": tables()}


def _json(data: Json) -> str:
    from triptych.documents.json_writer import dump_json

    return dump_json(data)


def write(root: Path) -> None:
    """Write every generated file below `root`, and remove schemas of types that are no more."""
    for path, text in files().items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    for stale in (root / SCHEMAS / "layers").glob("*.schema.json"):
        if stale.name.removesuffix(".schema.json") not in LAYER_TYPES:
            stale.unlink()
    for family, types in TYPES.items():
        for stale in (root / SCHEMAS / family).glob("*.schema.json"):
            if stale.name.removesuffix(".schema.json") not in types:
                stale.unlink()
    for stale in (root / SCHEMAS / "operations").glob("*.schema.json"):
        if stale.name.removesuffix(".schema.json") not in OPERATIONS:
            stale.unlink()


if __name__ == "__main__":
    write(resources.root())
