"""The packaged JSON Schemas: which there are, the order of members they give, and checking data against one of them.

Nothing is ever fetched: a reference outside the package is an error of the schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any
from urllib.parse import urljoin

from triptych import resources
from triptych.documents.integers import holds_integral_floats, integral_floats, nudged
from triptych.documents.schema_errors import Fault, explain, faults_of_jsonschema, faults_of_jsonschema_rs
from triptych.documents.walking import resolve
from triptych.errors import PROBLEM_LIMIT, Findings, shorten
from triptych.model import Json

BASE = "https://triptych.dev/schemas/1.0/"
"""Begins the identifier of every schema; an identifier, never an address."""
SUFFIX = ".schema.json"
INTEGER = "DOC-027"
_LONGEST_NAME = 100
"""No schema has a longer one; a system that is asked for a file of one that is much longer says an error instead of no."""


def check(name: str, data: Json, findings: Findings, prefix: str = "") -> None:
    """Add a problem for each place where `data` breaks the schema `name`, such as ``architecture`` or ``layers/Dense``.

    The requirement is the nearest ``"$comment": "req: …"`` on the way to the keyword that failed.

    Args:
        name: Of a packaged schema, without its suffix.
        data: Plain data, floats that are not finite spelled as objects.
        findings: Receives the problems; nothing is raised.
        prefix: JSON Pointer of `data` in its document.
    """
    seen: set[tuple[str, str]] = set()
    for fault in islice(_validator(name)(data), PROBLEM_LIMIT + 1):
        requirement, message = explain(fault, _schema(name), _referred)
        if (fault.pointer, message) not in seen:  # two keywords may say the same of one place
            seen.add((fault.pointer, message))
            findings.add(requirement, prefix + fault.pointer, message)
    if holds_integral_floats(data):
        _check_integers(name, data, findings, prefix)


def _check_integers(name: str, data: Json, findings: Findings, prefix: str) -> None:
    """Refuse 64.0 where the schema asks for an integer: JSON Schema does not tell them apart, this format does."""
    errors = _validator(name)
    before = {fault.pointer for fault in errors(data)}
    above, below = ({fault.pointer for fault in errors(nudged(data, sign))} for sign in (1, -1))
    for pointer in sorted(above & below - before):
        for place in integral_floats(resolve(data, pointer), pointer):
            # Where one of several forms of a value has to fit, only what fails alone is at fault.
            if place == pointer or all(pointer in {fault.pointer for fault in errors(nudged(data, sign, place))} for sign in (1, -1)):
                findings.add(INTEGER, prefix + place, f"expected an integer, got {shorten(resolve(data, place))}, which has a point")


@cache
def exists(name: str) -> bool:
    """Whether a schema `name` is packaged."""
    # A name may come from a file: only names that could be a schema's are looked up.
    could_be = len(name) <= _LONGEST_NAME and all(part.isidentifier() and part.isascii() for part in name.split("/"))
    return could_be and (resources.root() / _path(name)).is_file()


@cache
def member_order(name: str) -> tuple[str, ...]:
    """The members that the schema `name` lists, in its order; empty if there is no such schema."""
    return tuple(_schema(name).get("properties", ())) if exists(name) else ()


def _path(name: str) -> str:
    return f"schemas/1.0/{name}{SUFFIX}"


@cache
def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(resources.read_text(_path(name)))
    return schema


def _retrieve(uri: str) -> dict[str, Any]:
    if not uri.startswith(BASE):
        raise LookupError(f"{uri} is not a packaged schema")
    return _schema(uri.removeprefix(BASE).removesuffix(SUFFIX))


def _referred(reference: str, base: str) -> tuple[dict[str, Any], str]:
    """The schema that `reference`, standing in the schema with identifier `base`, points to; and its identifier."""
    address, _, fragment = reference.partition("#")
    uri = urljoin(base, address)
    whole = _retrieve(uri)
    if not fragment or fragment.startswith("/"):
        return resolve(whole, fragment), uri
    return next(found for found in whole["$defs"].values() if found.get("$anchor") == fragment), uri


@cache
def _validator(name: str) -> Any:
    """A function: data -> iterator of faults."""
    try:
        import jsonschema_rs
    except ImportError:
        return _fallback(name)
    # The linear engine: a pattern cannot be made to backtrack by a file.
    compiled = jsonschema_rs.Draft202012Validator(_schema(name), retriever=_retrieve, pattern_options=jsonschema_rs.RegexOptions())

    def errors(data: Json) -> Iterator[Fault]:
        return iter(()) if compiled.is_valid(data) else faults_of_jsonschema_rs(compiled.iter_errors(data), data)

    return errors


def _fallback(name: str) -> Any:
    import jsonschema
    import referencing

    def retrieve(uri: str) -> referencing.Resource[Any]:
        return referencing.Resource.from_contents(_for_python(_retrieve(uri)))

    registry: referencing.Registry[Any] = referencing.Registry(retrieve=retrieve)  # type: ignore[call-arg]
    compiled = jsonschema.Draft202012Validator(_for_python(_schema(name)), registry=registry)

    def errors(data: Json) -> Iterator[Fault]:
        return faults_of_jsonschema(compiled.iter_errors(data))

    return errors


def _for_python(schema: Any) -> Any:
    """`schema` with patterns as Python spells them: its ``$`` would also match before a line break at the end."""
    if isinstance(schema, dict):
        return {
            name: re.sub(r"\$$", r"\\Z", part) if name == "pattern" and isinstance(part, str) else _for_python(part)
            for name, part in schema.items()
        }
    return [_for_python(part) for part in schema] if isinstance(schema, list) else schema
