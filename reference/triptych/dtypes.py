"""The one table of dtypes: specification names, safetensors names, item sizes, numpy names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class DType:
    """One element type."""

    name: str
    """Its name in documents, as numpy and ml_dtypes spell it."""
    safetensors: str
    """Its name in a safetensors header."""
    item_bits: int
    """Bits of one element; 4- and 6-bit elements are packed, and numpy cannot map them."""


DTYPES: tuple[DType, ...] = (
    DType("bool", "BOOL", 8),
    DType("float4_e2m1fn", "F4", 4),
    DType("float6_e2m3fn", "F6_E2M3", 6),
    DType("float6_e3m2fn", "F6_E3M2", 6),
    DType("uint8", "U8", 8),
    DType("int8", "I8", 8),
    DType("float8_e5m2", "F8_E5M2", 8),
    DType("float8_e4m3fn", "F8_E4M3", 8),
    DType("float8_e8m0fnu", "F8_E8M0", 8),
    DType("float8_e4m3fnuz", "F8_E4M3FNUZ", 8),
    DType("float8_e5m2fnuz", "F8_E5M2FNUZ", 8),
    DType("int16", "I16", 16),
    DType("uint16", "U16", 16),
    DType("float16", "F16", 16),
    DType("bfloat16", "BF16", 16),
    DType("int32", "I32", 32),
    DType("uint32", "U32", 32),
    DType("float32", "F32", 32),
    DType("complex64", "C64", 64),
    DType("float64", "F64", 64),
    DType("int64", "I64", 64),
    DType("uint64", "U64", 64),
)
"""In the order of the safetensors library's own enumeration, which its writer sorts by (largest first)."""

BY_NAME = {dtype.name: dtype for dtype in DTYPES}
BY_SAFETENSORS = {dtype.safetensors: dtype for dtype in DTYPES}
RANK = {dtype.name: rank for rank, dtype in enumerate(DTYPES)}
NATIVE = frozenset({"bool", "uint8", "int8", "int16", "uint16", "float16", "int32", "uint32", "float32", "complex64", "float64", "int64", "uint64"})
"""Names that numpy knows without ml_dtypes."""


@cache
def numpy_dtype(name: str) -> np.dtype[Any]:
    """The numpy dtype of `name`, little-endian.

    Raises:
        KeyError: The name is not in the table.
        TypeError: Elements of fewer than 8 bits have no numpy dtype.
    """
    import numpy as np

    if BY_NAME[name].item_bits < 8:
        raise TypeError(f"{name} elements are packed; numpy has no such dtype")
    if name in NATIVE:
        return np.dtype(name).newbyteorder("<")
    import ml_dtypes

    dtype: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
    return dtype


def nbytes(name: str, elements: int) -> int:
    """Bytes that `elements` elements of dtype `name` take; packed elements fill whole bytes."""
    return (elements * BY_NAME[name].item_bits + 7) // 8
