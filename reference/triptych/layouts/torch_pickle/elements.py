"""PyTorch's names of dtypes, beside this specification's and the classes of storages that hold them."""

from __future__ import annotations

from triptych.layouts.problems import unsupported

_STORAGES = {
    "Float": "float32", "Double": "float64", "Half": "float16", "BFloat16": "bfloat16", "Byte": "uint8", "Char": "int8",
    "Short": "int16", "Int": "int32", "Long": "int64", "Bool": "bool", "ComplexFloat": "complex64", "ComplexDouble": "complex128",
    "QInt8": "qint8", "QUInt8": "quint8", "QInt32": "qint32", "QUInt4x2": "quint4x2", "QUInt2x4": "quint2x4",
}  # fmt: skip
"""Class of a storage, without ``Storage`` -> PyTorch's dtype."""
UNTYPED = "Untyped"
"""The class of storages of bytes, whose tensors say their dtype."""
LEGACY = {dtype: kind for kind, dtype in _STORAGES.items()}
"""PyTorch's dtype -> the class of storages that old versions know for it."""
_SAME = frozenset({
    "float32", "float64", "float16", "bfloat16", "uint8", "int8", "int16", "int32", "int64", "bool", "complex64", "uint16", "uint32",
    "uint64", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu",
})  # fmt: skip
"""Names that mean the same dtype here and there."""
_ALIASES = {
    "float": "float32", "double": "float64", "half": "float16", "short": "int16", "int": "int32", "long": "int64",
    "cfloat": "complex64", "cdouble": "complex128", "chalf": "complex32",
}  # fmt: skip
_OTHERS = {"complex128": 16, "complex32": 4, "qint8": 1, "quint8": 1, "qint32": 4, "quint4x2": 1, "quint2x4": 1, "float4_e2m1fn_x2": 1}
"""Dtypes that this specification has not -> bytes of an element."""
STORAGES = frozenset({*_STORAGES, UNTYPED})
NAMES = _SAME | _ALIASES.keys() | _OTHERS.keys()
"""Names that a file may use after ``torch.`` for a dtype."""


def canonical(name: str) -> str:
    """PyTorch's own first name for the dtype `name`."""
    return _ALIASES.get(name, name)


def dtype_of_storage(kind: str) -> str:
    """PyTorch's dtype of the elements of a storage."""
    return _STORAGES.get(kind, "uint8")


def storage_bytes(kind: str) -> int:
    """Bytes of one element of a storage."""
    return item_bytes(dtype_of_storage(kind))


def item_bytes(name: str) -> int:
    """Bytes of one element of PyTorch's dtype `name`."""
    from triptych import dtypes

    return _OTHERS.get(name) or dtypes.BY_NAME[name].item_bits // 8


def dtype_of(name: str, place: str) -> str:
    """The specification's name of PyTorch's dtype `name`.

    Raises:
        UnsupportedError: It has none.
    """
    if name in _SAME:
        return name
    raise unsupported(place, f"expected a tensor of a dtype of the specification, got torch.{name}")
