"""The kinds of values that configs of operations hold beside those of layers."""

from __future__ import annotations

from triptych.model import Json
from triptych.vocabulary.kinds import LARGEST, Kind

_FLOAT: dict[str, Json] = {"type": "object", "required": ["float"], "additionalProperties": False}
_FLOAT["properties"] = {"float": {"enum": ["NaN", "Infinity", "-Infinity"]}}
LITERAL = Kind("number, boolean or null", {"anyOf": [{"type": ["number", "boolean", "null"]}, _FLOAT]}, "a number, true, false or null")
"""Stands for an operand; null where a value of the graph does."""
BOUND = Kind("number or null", {"anyOf": [{"type": ["number", "null"]}, _FLOAT]}, "a number or null")
FILL = Kind("number or boolean", {"anyOf": [{"type": ["number", "boolean"]}, _FLOAT]}, "a number, true or false")
ELEMENTS = Kind(
    "number, boolean, or an array of these",
    {"anyOf": [*FILL.schema["anyOf"], {"type": "array", "items": FILL.schema}]},
    "a number, true, false or an array of these",
)
DTYPE = Kind(
    "dtype",
    {"enum": ["bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)), "float16", "bfloat16", "float32", "float64"]},
    "a dtype of booleans, integers or floating-point numbers",
)
INDICES = Kind(
    "array of integers",
    {"type": "array", "items": {"type": "integer", "minimum": -LARGEST, "maximum": LARGEST}},
)
EXTENTS = Kind(
    "array of extents",
    {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": LARGEST}, "maxItems": 32},
)
OPEN_EXTENTS = Kind(
    "array of extents, -1 or null",
    {"type": "array", "items": {"type": ["integer", "null"], "minimum": -1, "maximum": LARGEST}, "maxItems": 32},
)
AXES_OR_ALL = Kind(
    "axes or null",
    {"type": ["array", "null"], "items": {"type": "integer", "minimum": -32, "maximum": 31}, "maxItems": 32},
    "an array of axes, or null for all",
)
_INTEGER = {"type": "integer", "minimum": -LARGEST, "maximum": LARGEST}
ENTRIES = Kind(
    "array of integers, [begin, end, step], `new` and `rest`",
    {
        "type": "array",
        "maxItems": 64,
        "items": {
            "anyOf": [
                _INTEGER,
                {"enum": ["new", "rest"]},
                {"type": "array", "items": {**_INTEGER, "type": ["integer", "null"]}, "minItems": 3, "maxItems": 3},
            ]
        },
    },
    "an array of integers, [begin, end, step], new and rest",
)
PARTS = Kind(
    "integer ≥ 1, or array of extents",
    {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 65536}, {**EXTENTS.schema, "minItems": 1, "maxItems": 65536}]},
    "a number of parts, or an array of their extents",
)
EQUATION = Kind(
    "equation",
    {
        "type": "string",
        "maxLength": 256,
        "pattern": r"^([A-Za-z]*(\.\.\.)?[A-Za-z]*)(,[A-Za-z]*(\.\.\.)?[A-Za-z]*)*->[A-Za-z]*(\.\.\.)?[A-Za-z]*$",
    },
    "an equation such as ...ij,...jk->...ik",
)
