"""Integers of seven bits a byte, least significant first, as LevelDB's tables and TensorFlow's strings have them."""

from __future__ import annotations

_MORE = 0x80
_BYTES = 10
"""Of the longest: 64 bits."""
_MOST = (1 << 64) - 1


def encode(number: int) -> bytes:
    """`number`, from 0 and of at most 64 bits, in as few bytes as it takes."""
    out = bytearray()
    while number >= _MORE:
        out.append(number & 0x7F | _MORE)
        number >>= 7
    out.append(number)
    return bytes(out)


def decode(data: bytes | memoryview, at: int, end: int) -> tuple[int, int]:
    """The number that begins at `at` and stays before `end`, and where it ends.

    Raises:
        ValueError: It does not end there, has more than 64 bits, or has more bytes than it needs.
    """
    number = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < _MORE:
            if (byte == 0 and shift) or number > _MOST:
                raise ValueError("expected an integer of at most 64 bits in as few bytes as it takes")
            return number, at
        shift += 7
        if shift >= 7 * _BYTES:
            break
    raise ValueError("expected an integer that ends")
