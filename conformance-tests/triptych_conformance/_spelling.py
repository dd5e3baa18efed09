"""Spells arrays as the suite does: dtype, shape, and each element in hexadecimal, most significant digit first; for processes that have numpy."""

from __future__ import annotations

import hashlib
from typing import Any

Json = Any
MOST = 64
"""Most elements that are spelled out; of more, the digest of their little-endian bytes."""


def spelled(array: Any) -> dict[str, Json]:
    """`array`, of numpy, as the suite spells tensors."""
    facts: dict[str, Json] = {"dtype": array.dtype.name, "shape": [int(extent) for extent in array.shape]}
    data = array.astype(array.dtype.newbyteorder("<"), order="C").tobytes()
    if array.size > MOST:
        return {**facts, "sha256": hashlib.sha256(data).hexdigest()}
    step = array.dtype.itemsize
    return {**facts, "bits": [data[start : start + step][::-1].hex() for start in range(0, len(data), step)]}
