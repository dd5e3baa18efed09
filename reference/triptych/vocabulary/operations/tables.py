"""What is derived from the definitions of operations: schemas, their part of ``vocabulary.json`` and the specification's chapter."""

from __future__ import annotations

from collections.abc import Callable

from triptych.model import Json
from triptych.vocabulary.definition import Field
from triptych.vocabulary.operations import FAMILIES, OPERATIONS, Operation

HEADER = """# 27 Operations

Generated from the definitions by `python -m triptych.vocabulary.generate`; chapter 25 says how to read it. The same is in
`schemas/1.0/vocabulary.json` as data. In a formula, x is the first input."""


def in_order() -> list[Operation]:
    """Every operation: families in the specification's order, operations as their family defines them."""
    return [found for family in FAMILIES for found in OPERATIONS.values() if found.family == family.FAMILY]


def config_schema(found: Operation, base: str, member: Callable[[Field], dict[str, Json]]) -> dict[str, Json]:
    """The JSON Schema of the config of a call of this operation."""
    schema: dict[str, Json] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{base}/operations/{found.name}.schema.json",
        "$comment": "req: LYR-031",
        "title": f"Config of the operation {found.name}",
        "type": "object",
        "properties": {one.name: {**member(one), "$comment": "req: LYR-032"} for one in found.fields},
    }
    required = [one.name for one in found.fields if one.required]
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    return schema


def data(found: Operation, member: Callable[[Field], dict[str, Json]]) -> dict[str, Json]:
    """An operation as an entry of the vocabulary."""
    least, most = found.inputs
    entry: dict[str, Json] = {
        "family": found.family,
        "formula": found.equation.replace("`", ""),
        "config": [member(one) for one in found.fields],
        "operands": {"minimum": least, "maximum": most},
        "literals": list(found.literals),
        "output": {"words": found.words.replace("`", "")},
        "equivalents": dict(found.equivalents),
    }
    return {key: value for key, value in entry.items() if value not in ([], {})}


def chapter(rows: Callable[[tuple[Field, ...]], list[str]]) -> str:
    """The specification's chapter of operations; `rows` makes the table of a config."""
    lines = [HEADER]
    family = ""
    for found in in_order():
        if found.family != family:
            family = found.family
            lines += ["", f"## {family}"]
        lines += ["", f"### {found.name}", "", found.equation[:1].upper() + found.equation[1:], "", f"* {_operands(found)}", f"* output: {found.words}"]
        if found.equivalents:
            lines.append("* equivalents: " + "; ".join(f"{framework} `{name}`" for framework, name in found.equivalents.items()))
        lines += rows(found.fields)
    return "\n".join(lines) + "\n"


def _operands(found: Operation) -> str:
    least, most = found.inputs
    count = f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
    return f"operands: {count}" + (f", each an input or the literal {' or '.join(f'`{name}`' for name in found.literals)}" if found.literals else "")
