"""The variable in which an optimizer counts its steps, as a number and back."""

from __future__ import annotations

from triptych.model import Json, Tensor


def counted(tensor: Tensor) -> int | None:
    """The value of a scalar as a step count; None if it cannot be one."""
    if tensor.shape or tensor.dtype == "complex64":
        return None
    value = tensor.array()[()]
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number == value and 0 <= number < 2**53 else None


def scalar(value: Json, dtype: str) -> Tensor:
    """A scalar of `dtype`, or of int64 where numpy has no such dtype."""
    import numpy as np

    from triptych import dtypes

    name = dtype if dtype in dtypes.NATIVE else "int64"
    return Tensor.from_array(np.asarray(value).astype(dtypes.numpy_dtype(name)))
