"""Numbers and non-finite floats as both spellings write them."""

from __future__ import annotations

import math
from typing import Any

from triptych.errors import UsageError, shorten
from triptych.model import Json

INTEGER_RANGE = (-(2**63), 2**64 - 1)
NONFINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
DEEPEST = 128
"""Nesting of arrays and objects that every reader accepts."""


def number_text(value: float) -> str:
    """`value` as text: an integer plainly; a float with a point, so that it stays one in JSON, YAML 1.1 and YAML 1.2.

    Raises:
        UsageError: No document can hold this number.
    """
    if isinstance(value, int):
        if not INTEGER_RANGE[0] <= value <= INTEGER_RANGE[1]:
            raise UsageError(f"expected an integer from -2^63 to 2^64-1, got {shorten(int(value))}")
        return int.__repr__(value)
    text = float.__repr__(value)
    mantissa, mark, exponent = text.partition("e")
    if not mark:
        return text
    point = "" if "." in mantissa else ".0"
    return f"{mantissa}{point}e{exponent[0]}{exponent[1:].lstrip('0')}"


def nonfinite_name(value: float) -> str:
    """The name of a float that is not finite: NaN, Infinity or -Infinity."""
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124 - the definition of NaN


def spell(data: Any) -> Json:
    """`data` as a document holds it: tuples as lists, mappings as dicts, floats that are not finite as ``{"float": NAME}``."""
    if isinstance(data, float) and data - data != 0.0:
        return {"float": nonfinite_name(data)}
    if isinstance(data, (list, tuple)):
        return [spell(item) for item in data]
    if hasattr(data, "items"):
        return {name: spell(item) for name, item in data.items()}
    return data


def unspell(data: Json) -> Json:
    """`data` as a model holds it: the inverse of `spell`."""
    if isinstance(data, dict):
        if len(data) == 1 and isinstance(name := data.get("float"), str) and name in NONFINITE:
            return NONFINITE[name]
        return {name: unspell(item) for name, item in data.items()}
    if isinstance(data, list):
        return [unspell(item) for item in data]
    return data


def unspell_members(data: Json) -> Json:
    """The object `data` with `unspell` applied to its values; where an object is asked for, none is taken for a float."""
    return {name: unspell(value) for name, value in data.items()} if isinstance(data, dict) else data


def unspell_extensions(data: Json) -> Json:
    """A member ``extensions`` as a model holds it."""
    return {name: unspell_members(content) for name, content in data.items()} if isinstance(data, dict) else data
