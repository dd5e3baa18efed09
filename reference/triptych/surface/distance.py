"""How far two tensors of one shape are apart, in chunks that fit any memory."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

from triptych import dtypes
from triptych.errors import UsageError
from triptych.model import Tensor

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

CHUNK = 1 << 18
"""Elements that are widened to float64 at a time."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What difference is none."""

    atol: float = 0.0
    rtol: float = 0.0
    is_exact: bool = True
    """Whether only tensors that are equal bit by bit are the same."""

    @classmethod
    def of(cls, atol: float | None, rtol: float | None) -> Tolerance:
        """The tolerance that a caller asks for.

        Raises:
            UsageError: One of them is negative or no number.
        """
        for name, value in (("atol", atol), ("rtol", rtol)):
            if value is not None and not (isfinite(value) and value >= 0):
                raise UsageError(f"expected {name} to be a number from 0 on, got {value!r}")
        return cls(atol or 0.0, rtol or 0.0, is_exact=atol is None and rtol is None)


@dataclass(frozen=True, slots=True)
class Distance:
    """How far the elements of two tensors of one shape are apart."""

    elements: int
    differing: int | None
    """Elements whose values differ, a NaN equal to a NaN and -0 to 0; None for packed elements, which are compared as bytes."""
    max_abs: float | None
    """Largest ``|a - b|``, those with a NaN on one side left out; None for packed elements."""
    max_rel: float | None
    """Largest ``|a - b| / |b|``, infinite where only b is 0."""
    nan: int
    """Elements that are NaN on one side only; they count as differing."""
    is_bit_identical: bool
    """Whether dtypes and all bits are equal."""
    is_close: bool
    """Whether every element is within the tolerance that was asked for."""


def distance(first: Tensor, second: Tensor, tolerance: Tolerance) -> Distance:
    """The distance of `first` to `second`, which have one shape; relative to `second`."""
    import numpy as np

    one, two = (np.frombuffer(tensor.read(), np.uint8) for tensor in (first, second))
    identical = first.dtype == second.dtype and np.array_equal(one, two)
    if identical:
        return Distance(first.size, 0, 0.0, 0.0, 0, is_bit_identical=True, is_close=True)
    if any(dtypes.BY_NAME[tensor.dtype].item_bits < 8 for tensor in (first, second)):
        return Distance(first.size, None, None, None, 0, is_bit_identical=False, is_close=False)
    a, b = (side.view(dtypes.numpy_dtype(tensor.dtype)) for side, tensor in ((one, first), (two, second)))
    differing = nan = 0
    max_abs = max_rel = 0.0
    close = True
    for start in range(0, first.size, CHUNK):
        left, right = a[start : start + CHUNK], b[start : start + CHUNK]
        apart, size, unlike = _apart(left, right)
        one_sided = np.isnan(apart)
        nan += int(np.count_nonzero(one_sided))
        differing += int(np.count_nonzero(unlike))
        if tolerance.is_exact:
            close = False
        elif close:
            close = bool(np.all(~unlike | (np.isfinite(size) & (apart <= tolerance.atol + tolerance.rtol * size))))
        known = unlike & ~one_sided
        if known.any():
            apart, size = apart[known], size[known]
            max_abs = max(max_abs, float(apart.max()))
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                relative = apart / size
            # An infinite b is infinitely far from anything else.
            max_rel = max(max_rel, float(np.where(np.isnan(relative), inf, relative).max()))
    return Distance(first.size, differing, max_abs, max_rel, nan, is_bit_identical=False, is_close=close)


def _apart(left: Array, right: Array) -> tuple[Array, Array, Array]:
    """``|left - right|`` (NaN where one side alone is NaN), ``|right|``, and where the values differ."""
    import numpy as np

    if left.dtype == right.dtype and left.dtype.kind in "iu":
        # Exact beyond 2**53: the difference modulo 2**64 of the larger and the smaller is what they are apart.
        wide = np.int64 if left.dtype.kind == "i" else np.uint64
        high, low = np.maximum(left, right).astype(wide), np.minimum(left, right).astype(wide)
        return (high.view(np.uint64) - low.view(np.uint64)).astype(np.float64), np.abs(right.astype(np.float64)), left != right
    wide_float = np.complex128 if "c" in (left.dtype.kind, right.dtype.kind) else np.float64
    with np.errstate(invalid="ignore", over="ignore"):
        a, b = left.astype(wide_float), right.astype(wide_float)
        unlike = (a != b) & ~(np.isnan(a) & np.isnan(b))
        apart = np.where(unlike, np.abs(a - b), 0.0)
    if wide_float is np.float64:
        # inf - inf of unlike signs is inf already; a NaN here is a NaN of one side.
        return apart, np.abs(b), unlike
    apart = np.where(unlike & ~np.isnan(a) & ~np.isnan(b) & np.isnan(apart), inf, apart)
    return np.where(unlike & (np.isnan(a) | np.isnan(b)), np.nan, apart), np.abs(b), unlike
