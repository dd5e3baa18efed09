"""Tells 64.0 from 64 where a schema asks for an integer, which JSON Schema itself does not."""

from __future__ import annotations

from collections.abc import Iterator

from triptych.errors import pointer_token
from triptych.model import Json


def holds_integral_floats(data: Json) -> bool:
    """Whether a float without a fraction stands anywhere in `data`."""
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if type(value) is float:
            if value.is_integer():
                return True
        elif type(value) is dict:
            waiting.extend(value.values())
        elif type(value) is list:
            waiting.extend(value)
    return False


def integral_floats(data: Json, pointer: str = "") -> Iterator[str]:
    """The JSON Pointer of each float without a fraction in `data`."""
    if type(data) is float and data.is_integer():
        yield pointer
    elif type(data) is dict:
        for name, value in data.items():
            yield from integral_floats(value, f"{pointer}/{pointer_token(name)}")
    elif type(data) is list:
        for index, value in enumerate(data):
            yield from integral_floats(value, f"{pointer}/{index}")


def nudged(data: Json, sign: int, only: str | None = None, pointer: str = "") -> Json:
    """`data` with each float without a fraction moved a little up (`sign` 1) or down (-1), so that no integer matches it.

    A bound that the number keeps is kept by one of the two; so what fails for both fails because it is no integer.
    With `only`, a JSON Pointer, the float there is moved alone.
    """
    if type(data) is float and data.is_integer() and only in {None, pointer}:
        # From 2^52 on every float is integral, and a half would be lost; such a float is no integer that anybody asks for.
        return data + sign * 2.0**-20 if abs(data) < 2.0**31 else 0.5
    if type(data) is dict:
        return {name: nudged(value, sign, only, f"{pointer}/{pointer_token(name)}") for name, value in data.items()}
    if type(data) is list:
        return [nudged(value, sign, only, f"{pointer}/{index}") for index, value in enumerate(data)]
    return data
