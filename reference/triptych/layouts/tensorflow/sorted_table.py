"""Reads LevelDB's sorted string table, which a checkpoint's index is: keys and values in the order of the keys, every block's checksum compared.

Stricter than LevelDB: blocks must follow each other without a gap and end where the footer says, so that every byte of the file is
covered by a checksum or fixed; and what the table says twice (restart points, the keys of its own index) must agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from triptych.errors import shorten
from triptych.layouts.problems import invalid, truncated, unsupported
from triptych.layouts.tensorflow import snappy, varints
from triptych.layouts.tensorflow.checksums import masked_crc32c
from triptych.limits import Limits

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER_BYTES = 48
TRAILER_BYTES = 5
"""Behind each block: its type and the checksum of both."""
STORED, SNAPPY = 0, 1
_UINT32 = Struct("<I")
_KEY_BYTES = 4
"""Longest key, as a multiple of the longest name: a slice's key is a name with zeros escaped, and numbers."""
_EXPANSION = 16
"""Bytes that all keys may have, as a multiple of the file's: each says only what it does not share with the one before …"""
_EXPANSION_FLOOR = 1 << 20
"""… or this many."""


@dataclass(slots=True)
class _Budget:
    """What the keys of one table may still take."""

    entries: int
    key_bytes: int
    longest: int

    def spend(self, key: int, place: str) -> None:
        """Take one entry with a key of `key` bytes."""
        self.entries -= 1
        self.key_bytes -= key
        if self.entries < 0 or self.key_bytes < 0 or key > self.longest:
            raise unsupported(place, "expected a table within the limits, it has too many entries or too long keys")


def is_table(tail: bytes | memoryview) -> bool:
    """Whether a file that ends with `tail` is such a table."""
    return bytes(tail[-len(MAGIC) :]) == MAGIC


def entries(data: memoryview, name: str, limits: Limits) -> Iterator[tuple[bytes, memoryview]]:
    """Keys and values of the table `data`, the file called `name`, in order; a value is a view on the file where that is not packed.

    Raises:
        InvalidModelError: The table is damaged, at the place said; what was yielded before is not to be believed either.
        UnsupportedError: It uses a compression other than Snappy, or exceeds a limit.
    """
    index = _index(data, name)
    longest = _KEY_BYTES * limits.name_bytes
    # Twice the tensors: each may have its slices, and the header comes on top.
    budget = _Budget(2 * limits.tensors + 1, _EXPANSION * len(data) + _EXPANSION_FLOOR, longest)
    expected, before = 0, None
    blocks = list(_block_entries(index.content, f"{name}@{index.start}", _Budget(len(data), budget.key_bytes, longest)))
    for last, value in blocks:
        start, size, end = _handle(value, 0, len(value), f"{name}@{index.start}")
        if end != len(value) or start != expected or start + size + TRAILER_BYTES > index.meta:
            raise invalid(f"{name}@{index.start}", f"expected blocks one after the other, got one of {size:,} bytes at {start:,} after {expected:,}")
        expected = start + size + TRAILER_BYTES
        place = f"{name}@{start}"
        for key, content in _block_entries(_block(data, start, size, place), place, budget):
            if before is not None and key <= before:
                raise invalid(place, f"expected keys in order and each once, got {shorten(key)} after {shorten(before)}")
            before = key
            yield key, content
        if before is None or before > last:
            raise invalid(place, f"expected keys up to {shorten(last)}, got {shorten(before)}")
        before = max(before, last)
    if expected != index.meta:
        raise invalid(f"{name}@{expected}", f"expected a block at {expected:,}, the footer says that the last one ends at {index.meta:,}")


@dataclass(frozen=True, slots=True)
class _Index:
    """The block that says where the others are."""

    content: memoryview
    start: int
    meta: int
    """Where the blocks of entries end."""


def _index(data: memoryview, name: str) -> _Index:
    """The index block that the footer of `data` leads to."""
    start = len(data) - FOOTER_BYTES
    if start < 0:
        raise truncated(name, f"expected a table of at least {FOOTER_BYTES} bytes, got {len(data)}")
    place = f"{name}@{start}"
    if not is_table(data):
        raise truncated(place, f"expected the end of a table, {MAGIC.hex()}, got {bytes(data[-len(MAGIC) :]).hex()}: the file is cut short or no table")
    end = len(data) - len(MAGIC)
    meta, meta_size, at = _handle(data, start, end, place)
    index, index_size, at = _handle(data, at, end, place)
    if any(data[at:end]):
        raise invalid(place, "expected zeros behind the handles of the footer")
    if meta + meta_size + TRAILER_BYTES != index or index + index_size + TRAILER_BYTES != start:
        raise invalid(place, f"expected blocks that end at the footer, got {meta_size:,} bytes at {meta:,} and {index_size:,} at {index:,}")
    if next(_block_entries(_block(data, meta, meta_size, f"{name}@{meta}"), f"{name}@{meta}", _Budget(1, len(data), len(data))), None) is not None:
        raise unsupported(f"{name}@{meta}", "expected a table without filters, got one")
    return _Index(_block(data, index, index_size, f"{name}@{index}"), index, meta)


def _handle(data: memoryview, at: int, end: int, place: str) -> tuple[int, int, int]:
    """Where a block begins and how long it is, as said at `at`; and where that ends."""
    try:
        start, at = varints.decode(data, at, end)
        size, at = varints.decode(data, at, end)
    except ValueError as error:
        raise invalid(place, str(error)) from None
    return start, size, at


def _block(data: memoryview, start: int, size: int, place: str) -> memoryview:
    """The content of a block of `size` bytes, its checksum compared."""
    end = start + size
    found, said = masked_crc32c(data[start : end + 1]), _UINT32.unpack_from(data, end + 1)[0]
    if found != said:
        raise invalid(place, f"expected a block with the checksum {said:08x}, got {found:08x}: the file was damaged")
    kind = data[end]
    if kind == STORED:
        return data[start:end]
    if kind != SNAPPY:
        raise unsupported(place, f"expected a block that is stored or packed by Snappy, got type {kind}")
    try:
        return memoryview(snappy.unpack(data[start:end]))
    except ValueError as error:
        raise invalid(place, f"expected a block packed by Snappy: {error}") from None


def _block_entries(block: memoryview, place: str, budget: _Budget) -> Iterator[tuple[bytes, memoryview]]:
    """Keys and values of one block."""
    count = _UINT32.unpack_from(block, len(block) - 4)[0] if len(block) >= 4 else 0
    end = len(block) - 4 - 4 * count
    if not count or end < 0:
        raise invalid(place, f"expected a block with its restart points, got {count:,} of them in {len(block):,} bytes")
    restarts = iter(Struct(f"<{count}I").unpack_from(block, end))
    restart = next(restarts)
    if restart != 0:
        raise invalid(place, f"expected the first restart point at 0, got {restart:,}")
    at, key = 0, b""
    try:
        while at < end:
            start = at
            shared, at = varints.decode(block, at, end)
            unshared, at = varints.decode(block, at, end)
            size, at = varints.decode(block, at, end)
            if start == restart:
                restart = next(restarts, -1)
                if shared:
                    raise ValueError("expected a whole key at a restart point")  # noqa: TRY301 - reported as the others
            if shared > len(key) or unshared + size > end - at:
                raise ValueError("expected an entry inside its block")  # noqa: TRY301
            budget.spend(shared + unshared, place)
            key = key[:shared] + bytes(block[at : at + unshared])
            at += unshared + size
            yield key, block[at - size : at]
    except ValueError as error:
        raise invalid(place, f"{error}, got another at {at:,}") from None
    if restart > 0 or (restart == 0 and count > 1):
        raise invalid(place, "expected restart points at entries of the block")
