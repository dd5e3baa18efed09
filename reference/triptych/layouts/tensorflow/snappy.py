"""Unpacks one block of Snappy's raw format: bounded by what the format itself can express, whatever the block claims."""

from __future__ import annotations

from triptych.layouts.tensorflow import varints

_EXPANSION = 64, 3
"""The densest that the format has is a copy: 64 bytes said in three."""


def unpack(data: memoryview) -> bytes:
    """The bytes that the block `data` stands for.

    Raises:
        ValueError: It is no sound block: it claims more than its bytes can say, or less, or copies from before its beginning.
    """
    end = len(data)
    size, at = varints.decode(data, 0, end)
    most, of = _EXPANSION
    if size * of > end * most:
        raise ValueError(f"expected at most {end * most // of:,} bytes out of {end:,}, it claims {size:,}")
    out = bytearray()
    while at < end:
        tag = data[at]
        kind, at = tag & 3, at + 1
        if kind == 0:
            length = (tag >> 2) + 1
            if length > 60:
                width = length - 60
                length, at = _integer(data, at, width) + 1, at + width
            if length > end - at:
                raise ValueError(f"expected {length:,} bytes as they are, {end - at:,} are left")
            out += data[at : at + length]
            at += length
        else:
            if kind == 1:
                length, offset, at = 4 + (tag >> 2 & 7), (tag >> 5) << 8 | _integer(data, at, 1), at + 1
            else:
                width = 2 if kind == 2 else 4
                length, offset, at = (tag >> 2) + 1, _integer(data, at, width), at + width
            if not 0 < offset <= len(out):
                raise ValueError(f"expected a copy from at most {len(out):,} bytes back, got {offset:,}")
            # What is copied may itself be what the copy writes: then its beginning repeats.
            pattern = bytes(out[len(out) - offset : len(out) - offset + length])
            out += (pattern * (length // len(pattern) + 1))[:length]
    if len(out) != size:
        raise ValueError(f"expected {size:,} bytes, got {len(out):,}")
    return bytes(out)


def _integer(data: memoryview, at: int, width: int) -> int:
    if at + width > len(data):
        raise ValueError("expected the rest of an element, the block ends before it")
    return int.from_bytes(data[at : at + width], "little")
