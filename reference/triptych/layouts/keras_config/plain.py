"""Keras' configuration text as plain data that a Triptych document can hold, and back."""

from __future__ import annotations

import math
from typing import NoReturn

from triptych import dtypes
from triptych.model import Json

FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
LOWEST, HIGHEST = -(2**63), 2**64 - 1
DEEPEST = 100
"""Levels of nesting a configuration may have; documents end at 128 and wrap it in some of their own."""


class Unsayable(Exception):  # noqa: N818 - tells where our terms end; nobody outside sees it
    """Keras says something here that the neutral terms cannot."""


def unsayable(what: str) -> NoReturn:
    """Give up on the neutral terms for the piece at hand."""
    raise Unsayable(what)


def escape(value: Json, depth: int = 0) -> Json:
    """`value` with non-finite numbers spelled out.

    Raises:
        Unsayable: It holds what no document can: a lone surrogate, a huge integer, too many levels.
    """
    if depth > DEEPEST:
        unsayable("levels")
    if isinstance(value, dict):
        if set(value) == {"float"} and value["float"] in list(FLOATS):
            unsayable("an object that looks like a number")
        return {_text(key): escape(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [escape(item, depth + 1) for item in value]
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return {"float": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if LOWEST <= value <= HIGHEST else unsayable("an integer")
    return _text(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        unsayable("a value that is no JSON")
    try:
        value.encode()
    except UnicodeEncodeError:
        unsayable("a lone surrogate")
    return value


def unescape(value: Json) -> Json:
    """The inverse of `escape`."""
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(value.get("float"), str) and value["float"] in FLOATS:
            return FLOATS[value["float"]]
        return {key: unescape(item) for key, item in value.items()}
    return [unescape(item) for item in value] if isinstance(value, list) else value


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
