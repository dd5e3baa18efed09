"""What of Keras' configurations a Triptych document can hold as data: no compiled code, nothing that is no JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import NoReturn

from triptych import dtypes
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Json

LOWEST, HIGHEST = -(2**63), 2**64 - 1
LONGEST_NAME = 900
"""Characters of a name; the names of its values are a little longer, and end at 1,024."""
LONGEST_CLASS = 200
"""Characters of the name of a class; a type ends at 256."""
REFUSED = 200
"""Levels from which on a configuration is not looked at: what walks through it would run out of stack."""
DEEPEST = 100
"""Levels of nesting a configuration may have; documents end at 128 and wrap it in some of their own."""


class Unsayable(Exception):  # noqa: N818 - tells where our terms end; nobody outside sees it
    """Keras says something here that the neutral terms cannot."""


def unsayable(what: str) -> NoReturn:
    """Give up on the neutral terms for the piece at hand."""
    raise Unsayable(what)


def plain(value: Json, depth: int = 0) -> Json:
    """`value`, if a document can hold it, with containers of its own.

    Raises:
        Unsayable: It holds what no document can: a lone surrogate, a huge integer, a long name, too many levels.
    """
    if depth > DEEPEST:
        unsayable("levels")
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(value.get("float"), str):
            unsayable("an object that looks like a number")
        return {_text(key, DEFAULT_LIMITS.name_bytes): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if LOWEST <= value <= HIGHEST else unsayable("an integer")
    return _text(value)


def whole(value: Json) -> Json:
    """`value` with integers as such where Keras wrote 2.0."""
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def as_schema(value: Json, schema: Mapping[str, Json]) -> Json:
    """`value` with integers as such where `schema` wants some: JSON Schema takes 2.0 for one, and a document of ours does not."""
    return whole(value) if "'integer'" in repr(schema) else value


def _text(value: object, most: int = DEFAULT_LIMITS.string_bytes) -> str:
    if not isinstance(value, str):
        unsayable("a value that is no JSON")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        unsayable("a lone surrogate")
    return value if size <= most else unsayable("a long text")


def name(value: object) -> str:
    """`value`, if it can be the name of a layer or value.

    Raises:
        Unsayable: It cannot.
    """
    return value if isinstance(value, str) and is_name(value) else unsayable("a name")


def is_name(value: str) -> bool:
    """Whether a layer, value or model can be called so."""
    return 1 <= len(value) <= LONGEST_NAME and not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in value) and unicodedata.is_normalized("NFC", value)


def class_name(value: str) -> str:
    """`value`, if it can stand in the name of a type.

    Raises:
        Unsayable: It cannot.
    """
    if not 1 <= len(value) <= LONGEST_CLASS or not value.isprintable() or value[0].isspace():
        unsayable("a class name")
    return value


def levels(value: Json) -> int:
    """How many arrays and objects of `value` lie in one another; takes no stack."""
    depth, layer = 0, [value]
    while layer := [item for item in layer if isinstance(item, dict | list)]:
        depth += 1
        layer = [inner for item in layer for inner in (item.values() if isinstance(item, dict) else item)]
    return depth


def without_code(value: Json, at: str = "") -> tuple[Json, list[str]]:
    """`value` with null where a lambda's compiled code stood, and those places as JSON Pointers."""
    places: list[str] = []
    return _without_code(value, at, places), places


def _without_code(value: Json, at: str, places: list[str]) -> Json:
    if isinstance(value, list):
        return [_without_code(item, f"{at}/{index}", places) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    config = value.get("config")
    if value.get("class_name") == "__lambda__" and isinstance(config, dict) and isinstance(config.get("code"), str):
        places.append(f"{at}/config/code")
        return {**value, "config": {**config, "code": None}}
    result = {}
    for key, item in value.items():
        code = item[0] if isinstance(item, list) and len(item) == 3 else item
        if value.get(f"{key}_type") == "lambda" and isinstance(code, str):
            places.append(f"{at}/{key}")
            result[key] = [None, *item[1:]] if isinstance(item, list) else None
        else:
            result[key] = _without_code(item, f"{at}/{key}", places)
    return result


def is_dtype(name: object) -> bool:
    """Whether `name` is an element type of the specification."""
    return isinstance(name, str) and name in dtypes.BY_NAME
