"""Attributes as they lie in the header of an object: how long texts claim to be, which libhdf5 believes before it looks.

libhdf5 1.14 takes memory for the length that a reference to a text states, up to 4 GiB, and only then finds that the text is shorter.
"""

from __future__ import annotations

from collections.abc import Iterator

from triptych.layouts.hdf5.window import HEAP, heap_objects

BLOCKS = 4096
"""Pieces of one header; a longer chain goes round in a circle."""
_ATTRIBUTE, _CONTINUATION = 0x0C, 0x10
_VARIABLE_LENGTH = 9
_REFERENCE = 16
"""Bytes of a reference to a text: its length, the heap that holds it, its number there."""
_NOWHERE = (0, 2**64 - 1)


class DamagedHeaderError(ValueError):
    """A header that does not say what it should."""


def text_bytes(data: memoryview, base: int, address: int, name: bytes) -> int:
    """Bytes of all texts of the attribute `name` of the object whose header is at `address`, behind `base` bytes of others' own.

    Raises:
        DamagedHeaderError: It is not there, or its references lead to nothing or claim more than there is.
    """
    found = next((raw for title, raw in _attributes(data, base, address) if title == name), None)
    if found is None:
        raise DamagedHeaderError("expected texts of attributes in the header of their object, found none")
    heaps: dict[int, dict[int, int]] = {}
    total = 0
    for at in range(0, len(found) - _REFERENCE + 1, _REFERENCE):
        length, heap, number = (_number(found, at, 4), _number(found, at + 4, 8), _number(found, at + 12, 4))
        if length == 0 or heap in _NOWHERE:
            continue
        if heap not in heaps:
            start = base + heap
            heaps[heap] = dict(heap_objects(data, start)) if bytes(data[start : start + len(HEAP)]) == HEAP else {}
        if length > heaps[heap].get(number, 0):
            raise DamagedHeaderError(f"expected a text of at most {heaps[heap].get(number, 0)} bytes, got one that claims {length}")
        total += length
    return total


def _attributes(data: memoryview, base: int, address: int) -> Iterator[tuple[bytes, memoryview]]:
    """Name and content of each attribute with content of its own length."""
    for kind, flags, body in _messages(data, base, address):
        if kind == _ATTRIBUTE and not flags & 2 and len(body) > 8:
            version = body[0]
            sizes = [_number(body, at, 2) for at in (2, 4, 6)]
            at = 9 if version == 3 else 8
            parts = []
            for size in sizes:
                parts.append(body[at : at + size])
                at += -(-size // 8) * 8 if version == 1 else size
            if len(parts[1]) and parts[1][0] & 0x0F == _VARIABLE_LENGTH:
                yield bytes(parts[0]).split(b"\0")[0], body[at:]


def _messages(data: memoryview, base: int, address: int) -> Iterator[tuple[int, int, memoryview]]:
    """Kind, flags and content of each message of a header of either version."""
    start = base + address
    later = bytes(data[start : start + 4]) == b"OHDR"
    ordered = False
    if later:
        flags = _number(data, start + 5, 1)
        ordered = bool(flags & 4)
        at = start + 6 + (16 if flags & 32 else 0) + (4 if flags & 16 else 0)
        width = 1 << (flags & 3)
        pending = [(at + width, _number(data, at, width))]
    else:
        pending = [(start + 16, _number(data, start + 8, 4))]
    for _ in range(BLOCKS):
        if not pending:
            return
        at, size = pending.pop(0)
        end = min(at + size, len(data))
        prefix = (6 if ordered else 4) if later else 8
        while at + prefix <= end:
            kind, length, flags = (
                (_number(data, at, 1), _number(data, at + 1, 2), _number(data, at + 3, 1))
                if later
                else (_number(data, at, 2), _number(data, at + 2, 2), _number(data, at + 4, 1))
            )
            body = data[at + prefix : min(at + prefix + length, end)]
            at += prefix + length
            if kind == _CONTINUATION and len(body) >= _REFERENCE:
                block, extent = base + _number(body, 0, 8), _number(body, 8, 8)
                pending.append((block + 4, extent - 8) if later else (block, extent))
            else:
                yield kind, flags, body
    raise DamagedHeaderError("expected a header that ends, got one in a circle")


def _number(data: memoryview, at: int, width: int) -> int:
    return int.from_bytes(data[at : at + width], "little")
