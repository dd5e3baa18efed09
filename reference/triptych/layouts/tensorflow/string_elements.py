"""Tensors of byte strings as a checkpoint's data have them: all lengths, their checksum, then the strings."""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack

from triptych.layouts.problems import invalid, unsupported
from triptych.layouts.tensorflow import varints
from triptych.layouts.tensorflow.checksums import crc32c, masked

_CHECKSUM_BYTES = 4
_NARROW = (1 << 32) - 1


def _spelled(lengths: Sequence[int], order: str) -> bytes:
    """The lengths as checksums are computed over them: as numbers of the machine that wrote, four bytes where these do."""
    if max(lengths, default=0) <= _NARROW:
        return pack(f"{order}{len(lengths)}I", *lengths)
    return b"".join(pack(f"{order}{'I' if length <= _NARROW else 'Q'}", length) for length in lengths)


def parse(data: memoryview, count: int, crc: int, place: str, *, big_endian: bool, most: int) -> tuple[bytes, ...]:
    """The `count` strings in `data`, whose masked checksum is `crc`.

    Raises:
        InvalidModelError: They are not what was written.
        UnsupportedError: There are more than `most`.
    """
    order = ">" if big_endian else "<"
    if not count and not len(data):
        return ()
    if count > most:
        raise unsupported(place, f"expected at most {most:,} strings, got {count:,}")
    lengths, at = [], 0
    try:
        for _ in range(count):
            length, at = varints.decode(data, at, len(data))
            lengths.append(length)
    except ValueError as error:
        raise invalid(place, f"expected the lengths of {count:,} strings in {len(data):,} bytes: {error}") from None
    start = at + _CHECKSUM_BYTES
    if start + sum(lengths) != len(data):
        raise invalid(place, f"expected {start + sum(lengths):,} bytes of strings, got {len(data):,}")
    of_lengths = crc32c([_spelled(lengths, order)])
    said = bytes(data[at:start])
    if masked(of_lengths) != int.from_bytes(said, "big" if big_endian else "little"):
        raise invalid(place, "expected lengths of strings with their checksum, they have another: the file was damaged")
    found = masked(crc32c([said, data[start:]], of_lengths))
    if found != crc:
        raise invalid(place, f"expected strings with the checksum {crc:08x}, got {found:08x}: the file was damaged")
    strings = []
    for length in lengths:
        strings.append(bytes(data[start : start + length]))
        start += length
    return tuple(strings)


def pieces_of(strings: Sequence[bytes]) -> tuple[list[memoryview], int]:
    """The bytes that `strings` are stored as, and their masked checksum."""
    lengths = [len(one) for one in strings]
    of_lengths = crc32c([_spelled(lengths, "<")])
    checksum = masked(of_lengths).to_bytes(_CHECKSUM_BYTES, "little")
    content = b"".join(strings)
    head = b"".join(map(varints.encode, lengths)) + checksum
    return [memoryview(head), memoryview(content)], masked(crc32c([checksum, content], of_lengths))
