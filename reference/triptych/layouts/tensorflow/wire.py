"""Walks the fields of a message one by one and makes nothing of what is inside them, so that a file of a million nodes costs what one costs.

The protobuf library parses what is small; a graph is walked, and only those of its nodes parsed that somebody asks for.
"""

from __future__ import annotations

from collections.abc import Iterator

from triptych.layouts import problems

BYTES = 2
"""The wire type of text, bytes and messages."""
_FIXED = {1: 8, 5: 4}
_LONGEST = 63
"""The shift of a varint's tenth byte, the last that one may have."""


def fields(data: memoryview, place: str) -> Iterator[tuple[int, int | memoryview]]:
    """Each field of the message `data`, read at `place`: its number, and its value; a view where the value has a length.

    Raises:
        InvalidModelError: The bytes are no message, or end inside a field.
    """
    position, end = 0, len(data)
    while position < end:
        tag = data[position]
        position += 1
        if tag >= 0x80:
            tag, position = _varint(data, position - 1, place)
        kind = tag & 7
        if not tag >> 3:
            raise problems.invalid(place, f"expected a field with a number, got 0 at byte {position - 1}")
        if kind == BYTES:
            size = data[position] if position < end else 0x80
            position += 1
            if size >= 0x80:
                size, position = _varint(data, position - 1, place)
            if size > end - position:
                raise problems.truncated(place, f"expected {size:,} bytes of field {tag >> 3}, the message ends after {end - position:,}")
            yield tag >> 3, data[position : position + size]
            position += size
        elif kind == 0:
            value, position = _varint(data, position, place)
            yield tag >> 3, value
        elif kind in _FIXED:
            if _FIXED[kind] > end - position:
                raise problems.truncated(place, f"expected {_FIXED[kind]} bytes of field {tag >> 3}, the message ends before them")
            yield tag >> 3, int.from_bytes(data[position : position + _FIXED[kind]], "little")
            position += _FIXED[kind]
        else:
            raise problems.invalid(place, f"expected a field of a known wire type, got {kind} at byte {position - 1}")


def parts(data: memoryview, number: int, place: str) -> Iterator[memoryview]:
    """The values of field `number`, which has a length, of the message `data`."""
    for found, value in fields(data, place):
        if found == number:
            if not isinstance(value, memoryview):
                raise problems.invalid(place, f"expected field {number} with a length, got a number")
            yield value


def has_more(data: memoryview, number: int, most: int) -> bool:
    """Whether the message `data` has more than `most` fields of `number`, which is below 16; what is no message is left to `fields`."""
    tag, position, end, found = number << 3 | BYTES, 0, len(data), 0
    while position < end and data[position] < 0x80 and data[position] & 7 == BYTES:
        found += data[position] == tag
        if found > most:
            return True
        position += 1
        size = shift = 0
        while position < end and shift <= _LONGEST:
            byte = data[position]
            position += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        position += size
    return False


def text(data: memoryview, number: int, place: str) -> str:
    """The text in field `number` of the message `data`, the last of several; empty where there is none.

    Raises:
        InvalidModelError: It is no UTF-8.
    """
    found = memoryview(b"")
    for found in parts(data, number, place):  # noqa: B007 - the last one counts
        pass
    try:
        return str(found, "utf-8")
    except UnicodeDecodeError:
        raise problems.invalid(place, f"expected UTF-8 in field {number}") from None


def _varint(data: memoryview, position: int, place: str) -> tuple[int, int]:
    value = shift = 0
    while position < len(data):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > _LONGEST:
            raise problems.invalid(place, f"expected a number of at most ten bytes at byte {position}")
    raise problems.truncated(place, "expected the end of a number, the message ends before it")


__all__ = ["BYTES", "fields", "has_more", "parts", "text"]
