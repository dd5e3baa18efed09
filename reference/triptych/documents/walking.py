"""Visits every value of plain data with its JSON Pointer, without recursion."""

from __future__ import annotations

from collections.abc import Iterator

from triptych.errors import pointer_token
from triptych.model import Json


def walk(data: Json, pointer: str = "") -> Iterator[tuple[str, Json]]:
    """Every value of `data`, outermost first and in document order, as (JSON Pointer, value)."""
    waiting = [(pointer, data)]
    while waiting:
        place, value = waiting.pop()
        yield place, value
        if isinstance(value, dict):
            waiting.extend((f"{place}/{pointer_token(name)}", item) for name, item in reversed(value.items()))
        elif isinstance(value, list):
            waiting.extend((f"{place}/{index}", value[index]) for index in range(len(value) - 1, -1, -1))


def resolve(data: Json, pointer: str) -> Json:
    """The value of `data` at `pointer`.

    Raises:
        LookupError: There is none.
    """
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        data = data[int(name)] if isinstance(data, list) else data[name]
    return data
