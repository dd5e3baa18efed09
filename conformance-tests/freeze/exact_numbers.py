"""Numbers that are exact in any format; in words that Python 3.7 reads, too, because old frameworks run on nothing later."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = Any


def numbers(name: str, shape: Sequence[int], *, step: float = 1 / 16, spread: float = 1.0, dtype: str = "float32") -> Array:
    """Numbers that follow from `name`: multiples of `step`, so that they are exact in any format."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
    drawn = np.random.RandomState(seed).standard_normal(tuple(shape)) * spread
    return np.asarray(np.round(drawn / step) * step, dtype)
