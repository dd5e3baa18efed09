"""How far two tensors of one shape are apart, in chunks that fit any memory."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, isinf, sqrt
from typing import TYPE_CHECKING, Any

from triptych import dtypes
from triptych.errors import UsageError
from triptych.model import Tensor

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

CHUNK = 1 << 18
"""Elements that are widened to float64 at a time."""
BYTES = 16 << 20
"""Bytes that are compared at a time."""
_BITS = {"float16": "int16", "bfloat16": "int16", "float32": "int32", "float64": "int64"}
"""Floats -> integers of their size, between which floats are counted."""


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
    rel_norm: float | None
    """``‖a - b‖ / ‖b‖`` of the elements as two vectors, those with a NaN left out; infinite where only b is 0; None where it is not finite
    for another reason, and for packed elements."""
    max_ulp: int | None
    """How many floats of their dtype lie between two elements at most, counting the second; None where dtypes differ or are no such floats."""
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
    alike = first.dtype == second.dtype
    bits = _BITS.get(first.dtype) if alike else None
    if alike and all(np.array_equal(one[at : at + BYTES], two[at : at + BYTES]) for at in range(0, one.size, BYTES)):
        return Distance(first.size, 0, 0.0, 0.0, 0.0, None if bits is None else 0, 0, is_bit_identical=True, is_close=True)
    if any(dtypes.BY_NAME[tensor.dtype].item_bits < 8 for tensor in (first, second)):
        return Distance(first.size, None, None, None, None, None, 0, is_bit_identical=False, is_close=False)
    a, b = (side.view(dtypes.numpy_dtype(tensor.dtype)) for side, tensor in ((one, first), (two, second)))
    differing = nan = ulp = 0
    max_abs = max_rel = squares = size_squares = 0.0
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
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            size_squares += float(np.nansum(np.square(size)[~one_sided]))
            known = unlike & ~one_sided
            if known.any():
                apart, size = apart[known], size[known]
                squares += float(np.square(apart).sum())
                max_abs = max(max_abs, float(apart.max()))
                relative = apart / size
                # An infinite b is infinitely far from anything else.
                max_rel = max(max_rel, float(np.where(np.isnan(relative), inf, relative).max()))
                if bits is not None:
                    ulp = max(ulp, _between(left[known], right[known], bits))
    norm = sqrt(squares / size_squares) if squares and size_squares else inf if squares else 0.0
    rel_norm = None if isinf(squares) or isinf(size_squares) else norm
    return Distance(
        first.size, differing, max_abs, max_rel, rel_norm, None if bits is None else ulp, nan, is_bit_identical=False, is_close=close
    )


def _between(left: Array, right: Array, bits: str) -> int:
    """The most steps from a float to the next that lead from an element of `left` to that of `right`; none is NaN."""
    import numpy as np

    def rank(values: Array) -> Array:
        whole = values.view(bits)
        # The sign stands beside the magnitude: 0 and -0 have one rank.
        return np.where(whole < 0, -(whole & np.iinfo(bits).max), whole).astype(np.int64)

    one, two = rank(left), rank(right)
    return int((np.maximum(one, two).view(np.uint64) - np.minimum(one, two).view(np.uint64)).max())


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
