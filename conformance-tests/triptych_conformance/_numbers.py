"""Compares tensors of an evaluation with the expected ones, within a tolerance; the standard library only."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

Json = Any
FLOATS = {"float16": ("e", 5), "bfloat16": ("f", 8), "float32": ("f", 8), "float64": ("d", 11)}
"""Dtype -> how `struct` reads it (bfloat16: after 16 zero bits) and the bits of its exponent."""


def _value(bits: str, dtype: str) -> float:
    form, _ = FLOATS[dtype]
    return float(struct.unpack(f">{form}", bytes.fromhex(bits + ("0000" if dtype == "bfloat16" else "")))[0])


def _rank(bits: str) -> int:
    """The place of a float among all of its dtype, counted from zero; both zeros are 0."""
    size = 4 * len(bits)
    value = int(bits, 16)
    sign = 1 << (size - 1)
    return -(value - sign) if value & sign else value


def departure(expected: Mapping[str, Json], got: Json, tolerance: Mapping[str, float]) -> str:
    """How the tensor `got` departs from `expected` by more than `tolerance`; an empty text if it does not.

    ``relative``: each element differs by at most that part of the largest finite magnitude in `expected`. ``ulp``: at most so
    many numbers of the dtype away. NaN equals NaN and an infinity itself; integers and booleans are equal or not.
    """
    if not isinstance(got, dict):
        return "is not a tensor"
    for member in ("dtype", "shape"):
        if got.get(member) != expected[member]:
            return f"has {member} {got.get(member)}, expected {expected[member]}"
    wanted, given = expected["bits"], got.get("bits")
    digits = {len(one) for one in wanted}
    if not isinstance(given, list) or len(given) != len(wanted) or not all(isinstance(one, str) and len(one) in digits for one in given):
        return "has no bits, one for each element"
    dtype = expected["dtype"]
    if dtype not in FLOATS:
        wrong = [index for index, pair in enumerate(zip(wanted, given, strict=True)) if pair[0] != pair[1]]
        return f"element {wrong[0]} is {given[wrong[0]]}, expected {wanted[wrong[0]]}" if wrong else ""
    try:
        pairs = [(_value(one, dtype), _value(two, dtype)) for one, two in zip(wanted, given, strict=True)]
    except ValueError:
        return "has bits that are not hexadecimal"
    largest = max((abs(one) for one, _ in pairs if math.isfinite(one)), default=0.0)
    for index, (one, two) in enumerate(pairs):
        if one == two or (math.isnan(one) and math.isnan(two)):
            continue
        if not (math.isfinite(one) and math.isfinite(two)):
            return f"element {index} is {two}, expected {one}"
        if "ulp" in tolerance:
            away = abs(_rank(wanted[index]) - _rank(given[index]))
            if away > tolerance["ulp"]:
                return f"element {index} is {two}, expected {one}: {away} ulp"
        elif abs(one - two) > tolerance["relative"] * largest:
            return f"element {index} is {two}, expected {one}: {abs(one - two) / largest if largest else math.inf:.1e} relative"
    return ""
