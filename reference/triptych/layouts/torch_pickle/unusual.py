"""Tensors that are no dense arrays of the specification's dtypes: taken apart into dense ones, so that nothing of them is lost.

Each becomes a `Tagged` whose value has a name for every part: ``sparse``, ``quantized``, ``meta``, which has no elements, and ``complex``
numbers of other sizes than the specification's, as pairs along a further axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from triptych.layouts.problems import invalid, unsupported
from triptych.layouts.torch_pickle import elements, refusals
from triptych.layouts.torch_pickle.values import Global, Storage, StoredTensor, Tagged

KINDS = ("sparse", "quantized", "meta", "complex_pairs")
_PARTS = {
    "torch.sparse_coo": ("indices", "values", "size", "coalesced"),
    "torch.sparse_csr": ("compressed_indices", "plain_indices", "values", "size"),
    "torch.sparse_csc": ("compressed_indices", "plain_indices", "values", "size"),
    "torch.sparse_bsr": ("compressed_indices", "plain_indices", "values", "size"),
    "torch.sparse_bsc": ("compressed_indices", "plain_indices", "values", "size"),
}
_INTEGERS = {"qint8": "int8", "quint8": "uint8", "qint32": "int32"}
_SCHEMES = ("per_tensor_affine", "per_tensor_symmetric", "per_channel_affine", "per_channel_symmetric", "per_channel_affine_float_qparams")
PAIRS = {"complex128": "float64", "complex32": "float16"}


def is_tensor(value: Any) -> bool:
    """Whether `value` is a tensor of the file, dense or not."""
    return isinstance(value, StoredTensor) or (isinstance(value, Tagged) and value.kind in KINDS)


def sparse(arguments: tuple[Any, ...], place: str) -> Tagged:
    """A sparse tensor of ``_rebuild_sparse_tensor``."""
    layout, parts = arguments if len(arguments) == 2 else (None, None)
    names = _PARTS.get(layout.value if isinstance(layout, Tagged) and layout.kind == "layout" else "")
    if names is None or not isinstance(parts, tuple):
        raise unsupported(place, f"expected a sparse tensor of a known layout, got {refusals.brief(arguments)}")
    if len(parts) == 3 and names[-1] == "coalesced":
        parts = (*parts, None)  # as PyTorch until 2.0 wrote them
    said = dict(zip(names, parts, strict=False))
    if len(said) != len(parts) or not all(isinstance(said[name], StoredTensor) for name in names[:-1] if name != "size"):
        raise invalid(place, f"expected {', '.join(names)} of a sparse tensor, got {refusals.brief(parts)}")
    return Tagged("sparse", {"layout": layout, **said})


def quantized(arguments: tuple[Any, ...], place: str, make: Callable[..., StoredTensor]) -> Tagged:
    """A quantized tensor of ``_rebuild_qtensor``; `make` makes the dense one of its integers."""
    storage = arguments[0] if arguments else None
    dtype = elements.dtype_of_storage(storage.kind) if isinstance(storage, Storage) else ""
    parameters = arguments[4] if len(arguments) > 5 else None
    scheme = parameters[0] if isinstance(parameters, tuple) and parameters else None
    if dtype not in _INTEGERS or not isinstance(scheme, Global) or scheme.module != "torch" or scheme.name not in _SCHEMES:
        raise unsupported(place, f"expected a tensor quantized in a known way, got {refusals.brief(scheme or storage)}")
    assert isinstance(parameters, tuple)
    integers = replace(make(arguments[:4], place), dtype=_INTEGERS[dtype])
    rest = {str(index): one for index, one in enumerate(parameters[1:])}
    return Tagged("quantized", {"integers": integers, "dtype": Tagged("dtype", dtype), "scheme": scheme.name, "parameters": rest, "requires_grad": arguments[5] is True})


def meta(arguments: tuple[Any, ...], place: str) -> Tagged:
    """A tensor without elements of ``_rebuild_meta_tensor_no_storage``."""
    dtype, size, strides, requires_grad = arguments if len(arguments) == 4 else (None,) * 4
    if not isinstance(dtype, Global) or dtype.module != "torch" or dtype.name not in elements.NAMES:
        raise invalid(place, f"expected a dtype, got {refusals.brief(dtype)}")
    return Tagged("meta", {"dtype": Tagged("dtype", elements.canonical(dtype.name)), "size": size, "strides": strides, "requires_grad": requires_grad is True})


def pairs(tensor: StoredTensor) -> Tagged:
    """A tensor of complex numbers that the specification lacks, its real and imaginary parts along a last axis."""
    if tensor.conjugate or tensor.negative:
        raise unsupported(tensor.place, f"expected a tensor of {tensor.dtype} as it is stored, got its conjugate or negative")
    real = replace(
        tensor, dtype=PAIRS[tensor.dtype], offset=2 * tensor.offset, shape=(*tensor.shape, 2), strides=(*(2 * s for s in tensor.strides), 1),
    )  # fmt: skip
    return Tagged("complex_pairs", {"pairs": real, "dtype": Tagged("dtype", tensor.dtype)})


def arguments_of(value: Tagged) -> tuple[str, tuple[Any, ...]]:
    """The constructor in ``torch._utils`` that makes `value` anew, and its arguments; of sparse tensors and those without elements."""
    parts: Mapping[str, Any] = value.value
    if value.kind == "meta":
        return "_rebuild_meta_tensor_no_storage", (parts["dtype"], parts["size"], parts["strides"], parts["requires_grad"])
    names = _PARTS[parts["layout"].value]
    inside = tuple(parts[name] for name in names if name in parts and not (name == "coalesced" and parts[name] is None))
    return "_rebuild_sparse_tensor", (parts["layout"], inside)
