"""Changes of Protocol Buffers messages by fields, at any depth; lengths around a change are put right."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from random import Random

from fuzz.mutators import blind

Field = tuple[int, int, int | bytes]
"""Number, wire type and value."""


def mutated(data: bytes, rng: Random) -> bytes:
    """A message like `data`."""
    if rng.random() < 0.1:
        return blind.mutated(data, rng)
    return _changed(data, rng, 0)


def _changed(data: bytes, rng: Random, depth: int) -> bytes:
    fields = list(split(data))
    if not fields:
        return blind.mutated(data, rng, most=2)
    at = rng.randrange(len(fields))
    number, kind, value = fields[at]
    what = rng.randrange(10)
    if isinstance(value, bytes) and kind == 2 and what < 6 and depth < 8:
        inner = split(value)
        fields[at] = (number, kind, _changed(value, rng, depth + 1) if inner and rng.random() < 0.9 else _leaf(value, rng))
    elif what == 6:
        del fields[at]
    elif what == 7:
        fields.insert(at, rng.choice(fields))
    elif what == 8:
        fields[at] = (rng.choice((number + 1, rng.randrange(1, 20), 0, 2**29 - 1)), kind, value)
    elif what == 9 and rng.random() < 0.5:
        fields[at] = (number, *rng.choice(((0, rng.choice(blind.EDGES)), (2, b""), (2, b"\xff"), (1, 0), (5, 1), (3, 0))))
    elif isinstance(value, int):
        fields[at] = (number, kind, rng.choice((value + 1, max(value - 1, 0), rng.choice(blind.EDGES), 2**64 - 1, rng.randrange(40))) % 2**64)
    else:
        other = rng.randrange(len(fields))
        fields[at], fields[other] = fields[other], fields[at]
    return join(fields)


def _leaf(value: bytes, rng: Random) -> bytes:
    try:
        return blind.text(value.decode(), rng).encode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return blind.mutated(value, rng, most=2)


@lru_cache(maxsize=1024)
def split(data: bytes) -> tuple[Field, ...]:
    """The fields of a message; none if `data` is no message."""
    fields: list[Field] = []
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        value: int | bytes
        if at < 0 or not number:
            return ()
        if kind == 0:
            value, at = varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = int.from_bytes(data[at : at + size], "little"), at + size
        elif kind == 2:
            size, at = varint(data, at)
            value = data[at : at + size] if at >= 0 else b""
            at = at + size if at >= 0 else -1
        else:
            return ()
        if at < 0 or at > len(data):
            return ()
        fields.append((number, kind, value))
    return tuple(fields)


def join(fields: Sequence[Field]) -> bytes:
    """The message of these fields."""
    parts = []
    for number, kind, value in fields:
        parts.append(encode(number << 3 | kind))
        if isinstance(value, bytes):
            parts.append(encode(len(value)) + value if kind == 2 else value)
        else:
            parts.append(value.to_bytes(8, "little")[: 8 if kind == 1 else 4] if kind in (1, 5) else encode(value))
    return b"".join(parts)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where it ends: -1 if it does not."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            return 0, -1
        value |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return value % 2**64, at
    return 0, -1


def encode(value: int) -> bytes:
    """The varint of `value`."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes((*found, value))
