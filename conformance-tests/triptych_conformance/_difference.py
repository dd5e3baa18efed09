"""Says where two values of JSON first differ."""

from __future__ import annotations

from typing import Any

from triptych_conformance._adapter import short

Json = Any


def difference(expected: Json, got: Json, at: str = "") -> str:
    """Where two values first differ, or an empty text. 1, 1.0 and true are three different values."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for name in [*expected, *(name for name in got if name not in expected)]:
            place = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
            if name not in got:
                return f"{place} is missing, expected {short(expected[name], 80)}"
            if name not in expected:
                return f"{place} is unexpected, got {short(got[name], 80)}"
            if found := difference(expected[name], got[name], place):
                return found
        return ""
    if isinstance(expected, list) and isinstance(got, list):
        for index, pair in enumerate(zip(expected, got, strict=False)):
            if found := difference(*pair, f"{at}/{index}"):
                return found
        return "" if len(expected) == len(got) else f"{at} has {len(got)} elements, expected {len(expected)}"
    if type(expected) is type(got) and repr(expected) == repr(got):
        return ""
    return f"{at or 'all of it'}: expected {short(expected, 80)}, got {short(got, 80)}"
