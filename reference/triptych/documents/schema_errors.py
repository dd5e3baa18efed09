"""What a schema validator found, as one sentence and one requirement; the same for both validators."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from triptych.errors import pointer_token, shorten

_REQUIREMENT = re.compile(r"req: ([A-Z]{3}-[0-9]{3})")
_READS_AS_NUMBER = re.compile(r"\+?0*([0-9]+)")
_TYPES = {
    "null": "null",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "string": "a string",
    "array": "an array",
    "object": "an object",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One failed keyword at one place."""

    keyword: str
    pointer: str
    """Of the value; of the member where a name is at fault."""
    value: Any
    """What stands there."""
    path: tuple[str | int, ...]
    """The way through the schemas to the keyword, with or without its ``$ref`` steps."""
    name: str = ""
    """The missing member, or the one that is not known."""


def faults_of_jsonschema_rs(errors: Iterable[Any], data: Any) -> Iterator[Fault]:
    """The faults of what `jsonschema_rs` reports of `data`."""
    for error in errors:
        for pointer in _places(data, list(error.instance_path), error.instance):
            yield from _faults_at(pointer, error)


def _faults_at(pointer: str, error: Any) -> Iterator[Fault]:
    kind, path = error.kind.name, tuple(error.evaluation_path)
    if kind in {"unevaluatedProperties", "additionalProperties"}:
        for name in error.kind.unexpected:
            yield Fault(kind, f"{pointer}/{pointer_token(name)}", name, path, name)
    elif kind == "required":
        yield Fault(kind, pointer, error.instance, path, error.kind.property)
    elif kind == "propertyNames":
        inner = error.kind.error
        yield Fault(inner.kind.name, f"{pointer}/{pointer_token(inner.instance)}", inner.instance, tuple(inner.evaluation_path))
    else:
        yield Fault(kind, pointer, error.instance, path)


def _places(data: Any, path: list[str | int], value: Any) -> list[str]:
    """The JSON Pointers to `value` along `path`, which `jsonschema_rs` writes without empty names, and with numbers for names that read as one: 7 for ``007``."""
    waiting: list[tuple[Any, int, str]] = [(data, 0, "")]
    found: list[tuple[str, Any]] = []
    for node, known, pointer in waiting:
        if isinstance(node, dict) and "" in node:
            waiting.append((node[""], known, f"{pointer}/"))
        if known < len(path):
            waiting.extend((node[step], known + 1, f"{pointer}/{pointer_token(str(step))}") for step in _steps(node, path[known]))
        else:
            found.append((pointer, node))
    one_way = len(waiting) == len(path) + 1
    # A fault whose place is not found is a fault all the same.
    return [pointer for pointer, node in found if one_way or node == value] or [_pointer(path)]


def _steps(node: Any, step: str | int) -> list[Any]:
    """The members of `node` that `step` may be."""
    if isinstance(node, list):
        return [step] if isinstance(step, int) and step < len(node) else []
    if not isinstance(node, dict):
        return []
    if isinstance(step, str):
        return [step] if step in node else []
    digits = str(step)
    return [name for name in node if name.endswith(digits) and (found := _READS_AS_NUMBER.fullmatch(name)) and found[1] == digits]


def faults_of_jsonschema(errors: Iterable[Any]) -> Iterator[Fault]:
    """The faults of what `jsonschema` reports."""
    for error in errors:
        kind, path, pointer = error.validator, tuple(error.absolute_schema_path), _pointer(error.absolute_path)
        if kind in {"unevaluatedProperties", "additionalProperties"}:
            for name in error.instance:
                if name not in error.schema.get("properties", {}):
                    yield Fault(kind, f"{pointer}/{pointer_token(name)}", name, path, name)
        elif kind in {"required", "dependentRequired"}:
            quoted = re.match(r"'(.*)' is a (?:required property|dependency of)", error.message, re.DOTALL)
            yield Fault("required", pointer, error.instance, path, quoted[1] if quoted else "")
        elif "propertyNames" in path:
            yield Fault(kind, f"{pointer}/{pointer_token(str(error.instance))}", error.instance, path)
        else:
            yield Fault(kind or "falseSchema", pointer, error.instance, path)


def _pointer(path: Iterable[str | int]) -> str:
    return "".join(f"/{pointer_token(str(token))}" for token in path)


def explain(fault: Fault, schema: dict[str, Any], referred: Callable[[str, str], tuple[dict[str, Any], str]]) -> tuple[str, str]:
    """(requirement, message) of `fault`, found by walking its path from the root `schema`.

    A message says what the nearest ``title`` says is expected, or else what the keyword says.
    """
    requirement, title, at, base = "", "", schema, schema["$id"]
    parent: Any = schema
    for step in (*fault.path, ""):
        while isinstance(at, dict):
            found = _REQUIREMENT.match(comment) if isinstance(comment := at.get("$comment"), str) else None
            requirement = found[1] if found else requirement
            title = _title(at)
            if "$ref" not in at or step in at:
                break
            at, base = referred(at["$ref"], base)
        if step == "":
            break
        parent = at
        if step == "$ref":
            at, base = referred(at["$ref"], base)
        else:
            at = at[step]  # type: ignore[index]
    return requirement, _message(fault, parent if isinstance(parent, dict) else {}, title or _title(parent))


def _title(schema: Any) -> str:
    """What `schema` says that it expects; a title in capitals is the heading of a whole schema."""
    title = schema.get("title") if isinstance(schema, dict) else None
    return title if isinstance(title, str) and title[:1].islower() else ""


def _message(fault: Fault, schema: dict[str, Any], title: str) -> str:
    got = f"got {shorten(fault.value)}"
    if fault.keyword == "required":
        return f"expected the member {fault.name}, got none"
    if fault.keyword in {"unevaluatedProperties", "additionalProperties"}:
        known = list(schema.get("properties", {}))
        close = difflib.get_close_matches(fault.name[:64], known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        return f"expected {'only the members ' + ', '.join(known) if known else 'no members'}, {got}{hint}"
    if title:
        return f"expected {title}, {got}"
    return f"expected {_expectation(fault.keyword, schema)}, {got}"


def _expectation(keyword: str, schema: dict[str, Any]) -> str:
    wanted = schema.get(keyword)
    if keyword == "type":
        return " or ".join(_TYPES[name] for name in ([wanted] if isinstance(wanted, str) else wanted or ()))
    if keyword == "enum":
        return f"one of {', '.join(map(_literal, wanted or ()))}"
    said = {
        "const": f"{_literal(wanted)}",
        "pattern": f"a string that matches {wanted}",
        "minLength": f"a string of at least {wanted} characters",
        "maxLength": f"a string of at most {wanted} characters",
        "minItems": f"an array of at least {wanted} elements",
        "maxItems": f"an array of at most {wanted} elements",
        "minProperties": f"an object of at least {wanted} members",
        "maxProperties": f"an object of at most {wanted} members",
        "minimum": f"a number from {wanted}",
        "maximum": f"a number up to {wanted}",
        "exclusiveMinimum": f"a number above {wanted}",
        "exclusiveMaximum": f"a number below {wanted}",
        "multipleOf": f"a multiple of {wanted}",
        "uniqueItems": "elements that differ from each other",
        "anyOf": " or ".join(
            _title(option) or _expectation("enum" if "enum" in option else "type", option)
            for option in (wanted if isinstance(wanted, list) else ())
            if isinstance(option, dict)
        ),
    }
    return said.get(keyword) or "something that its schema allows"


def _literal(value: Any) -> str:
    return {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else shorten(value)
