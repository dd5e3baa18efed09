"""Masked CRC-32C, the checksum of TensorFlow's tables and tensors."""

from __future__ import annotations

from collections.abc import Iterable

_CHUNK = 1 << 20
_MASK_DELTA = 0xA282EAD8
_BITS = 0xFFFFFFFF


def crc32c(views: Iterable[bytes | memoryview], crc: int = 0) -> int:
    """The CRC-32C of `views`, one after the other, going on from `crc`."""
    import google_crc32c
    import numpy as np

    for view in views:
        # The library takes no memoryview; an array that looks at the same bytes it does.
        array = np.frombuffer(view, np.uint8)
        for at in range(0, len(array), _CHUNK):
            crc = google_crc32c.extend(crc, array[at : at + _CHUNK])
    return crc


def masked(crc: int) -> int:
    """`crc` as the files say it, so that a checksum over bytes that hold checksums stays a good one."""
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & _BITS


def masked_crc32c(*views: bytes | memoryview) -> int:
    """The masked CRC-32C of `views`, one after the other."""
    return masked(crc32c(views))
