"""TensorFlow's numbers of dtypes, beside this specification's names."""

from __future__ import annotations

STRING = 7
_NAMES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", STRING: "string", 8: "complex64", 9: "int64", 10: "bool",
    11: "qint8", 12: "quint8", 13: "qint32", 14: "bfloat16", 15: "qint16", 16: "quint16", 17: "uint16", 18: "complex128", 19: "float16",
    20: "resource", 21: "variant", 22: "uint32", 23: "uint64", 24: "float8_e5m2", 25: "float8_e4m3fn", 26: "float8_e4m3fnuz",
    27: "float8_e4m3b11fnuz", 28: "float8_e5m2fnuz", 29: "int4", 30: "uint4", 31: "int2", 32: "uint2", 33: "float4_e2m1fn",
}  # fmt: skip
"""Of ``DataType`` in TensorFlow's ``types.proto``; names are numpy's where it has the dtype."""
_UNPACKED = frozenset({"float4_e2m1fn"})
"""Dtypes that TensorFlow stores an element a byte and this specification packs."""


def name_of(number: int) -> str | None:
    """TensorFlow's dtype `number`, by name; None where no version of TensorFlow up to 2.21 has it."""
    return _NAMES.get(number)


def is_readable(name: str) -> bool:
    """Whether elements of TensorFlow's dtype `name` are stored as this specification stores them."""
    from triptych.dtypes import BY_NAME

    return name in BY_NAME and name not in _UNPACKED


def number_of(name: str) -> int | None:
    """TensorFlow's number of this specification's dtype `name`, or of strings; None where it has none."""
    return _NUMBERS.get(name) if name == "string" or is_readable(name) else None


_NUMBERS = {name: number for number, name in _NAMES.items()}
