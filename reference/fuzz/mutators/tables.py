"""Changes of LevelDB's tables and of TensorFlow's bundles: entries edited and the table built anew, or bytes changed and all checksums put right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from random import Random

from fuzz.mutators import blind, wire
from triptych.errors import TriptychError
from triptych.layouts.tensorflow import sorted_table
from triptych.layouts.tensorflow.checksums import masked_crc32c
from triptych.layouts.tensorflow.table_writing import table_of
from triptych.limits import DEFAULT_LIMITS

_FOOTER = sorted_table.FOOTER_BYTES
_TRAILER = sorted_table.TRAILER_BYTES


def mutated(data: bytes, rng: Random) -> bytes:
    """A table like `data`."""
    kind = rng.random()
    if kind < 0.15:
        return blind.mutated(data, rng)
    if kind < 0.45:
        return with_checksums(blind.mutated(data[:-_FOOTER], rng, most=2) + data[-_FOOTER:] if rng.random() < 0.8 else blind.mutated(data, rng, most=2))
    entries = entries_of(data)
    if not entries:
        return with_checksums(blind.mutated(data, rng, most=2))
    return built(_edited(list(entries), rng), rng)


@lru_cache(maxsize=256)
def entries_of(data: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Keys and values of a table; none if it is damaged."""
    try:
        return tuple((key, bytes(value)) for key, value in sorted_table.entries(memoryview(data), "", DEFAULT_LIMITS))
    except TriptychError:
        return ()


def built(entries: Sequence[tuple[bytes, bytes]], rng: Random) -> bytes:
    """The table of `entries`, most often in order and each key once."""
    if rng.random() < 0.95:
        entries = sorted(dict(entries).items())
    return table_of(entries, block_bytes=rng.choice((64, 512, 4096, 262144)))


def _edited(entries: list[tuple[bytes, bytes]], rng: Random) -> list[tuple[bytes, bytes]]:
    for _ in range(rng.choice((1, 1, 2, 3))):
        if not entries:
            break
        at = rng.randrange(len(entries))
        key, value = entries[at]
        kind = rng.randrange(6)
        if kind == 0:
            del entries[at]
        elif kind == 1:
            entries.insert(at, (blind.mutated(key, rng, most=1), value))
        elif kind == 2:
            entries[at] = (blind.mutated(key, rng, (b"/.ATTRIBUTES/VARIABLE_VALUE", b"\0", b"_CHECKPOINTABLE_OBJECT_GRAPH"), most=1), value)
        elif kind == 3:
            entries[at] = (key, rng.choice(entries)[1])
        else:
            entries[at] = (key, wire.mutated(value, rng))
    return entries


def with_checksums(data: bytes) -> bytes:
    """`data` with the checksum of every block that can be found put right."""
    found = bytearray(data)
    footer = len(found) - _FOOTER
    if footer < 0:
        return data
    handles = []
    at = footer
    for _ in range(2):
        start, size, at = _handle(data, at)
        if at < 0:
            return data
        handles.append((start, size))
    start, size = handles[1]
    if start + size <= footer and size >= 4:
        restarts = int.from_bytes(data[start + size - 4 : start + size], "little")
        handles += _blocks(data[start : start + max(size - 4 - 4 * restarts, 0)])
    for start, size in handles:
        end = start + size
        if end + _TRAILER <= footer:
            found[end + 1 : end + _TRAILER] = masked_crc32c(bytes(found[start : end + 1])).to_bytes(4, "little")
    return bytes(found)


def _blocks(index: bytes) -> list[tuple[int, int]]:
    handles = []
    at = 0
    while 0 <= at < len(index):
        _, at = wire.varint(index, at)
        unshared, at = wire.varint(index, at) if at >= 0 else (0, -1)
        size, at = wire.varint(index, at) if at >= 0 else (0, -1)
        if at < 0:
            break
        start, length, _ = _handle(index, at + unshared)
        handles.append((start, length))
        at += unshared + size
    return handles


def _handle(data: bytes, at: int) -> tuple[int, int, int]:
    start, at = wire.varint(data, at)
    size, at = wire.varint(data, at) if at >= 0 else (0, -1)
    return start, size, at


def bundle(files: dict[str, bytes], rng: Random, edit: Callable[[bytes, Random], bytes]) -> dict[str, bytes]:
    """`files`, among them a bundle's index and data, after `edit` of the index; checksums of tensors are put right most often."""
    name = next((one for one in files if one.endswith(".index")), None)
    if name is None:
        return files
    files = {**files, name: edit(files[name], rng)}
    if rng.random() < 0.8:
        data = next((files[one] for one in sorted(files) if ".data-00000-of-" in one), b"")
        entries = [(key, _true(value, data) if key else value) for key, value in entries_of(files[name])]
        if entries:
            files[name] = table_of(sorted(dict(entries).items()))
    return files


def _true(entry: bytes, data: bytes) -> bytes:
    """An entry of a bundle with the checksum of the bytes that it names: fields 4 and 5 say where, 6 has the checksum."""
    fields = wire.split(entry)
    said = {number: value for number, _, value in fields if isinstance(value, int)}
    offset, size = said.get(4, 0), said.get(5, 0)
    if said.get(1) == 7 or not fields or offset + size > len(data):
        return entry
    kept = [one for one in fields if one[0] != 6]
    return wire.join([*kept, (6, 5, masked_crc32c(data[offset : offset + size]))])
