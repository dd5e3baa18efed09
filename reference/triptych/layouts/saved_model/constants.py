"""Tensors that stand in the graph itself: the weights of a frozen model, and whatever else its functions need.

Of a model without an architecture, those become weights that look like weights: with at least one axis and more than one element if these are
floating or complex numbers, with at least 64 if they are integers. Shapes, axes, scalars and texts are part of the graph, which is not kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from triptych import dtypes
from triptych.errors import shorten
from triptych.layouts.problems import invalid
from triptych.layouts.saved_model.nodes import Node
from triptych.layouts.tensorflow import element_types
from triptych.limits import Limits
from triptych.model import Tensor

_FIELDS = {
    "float32": "float_val", "float64": "double_val", "float16": "half_val", "bfloat16": "half_val", "complex64": "scomplex_val",
    "int8": "int_val", "uint8": "int_val", "int16": "int_val", "uint16": "int_val", "int32": "int_val", "int64": "int64_val",
    "uint32": "uint32_val", "uint64": "uint64_val", "bool": "bool_val",
}  # fmt: skip
"""Dtypes that weights have -> the field for elements one by one."""
_LEAST = {"float32": 2, "float64": 2, "float16": 2, "bfloat16": 2, "complex64": 2}
_LEAST_INTEGERS = 64
_REPEATED = 8
"""A constant says its last element once for all that follow; one that grows more than so many times is filled, not a weight."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Constant:
    """One constant that looks like a weight."""

    node: Node
    tensor: Tensor


def weights_among(constants: Iterable[Node], place: str, limits: Limits) -> tuple[list[Constant], list[str]]:
    """The constants that look like weights, each once though several functions have it; and the paths of filled ones, which do not.

    Raises:
        InvalidModelError: One is damaged.
    """
    found: dict[tuple[str, tuple[int, ...]], dict[bytes, Constant]] = {}
    filled: list[str] = []
    for node in constants:
        message = node.parsed(place).attr["value"].tensor
        dtype = element_types.name_of(message.dtype) or ""
        shape = tuple(dim.size for dim in message.tensor_shape.dim)
        if dtype not in _FIELDS or not shape or len(shape) > limits.rank:
            continue
        here = f"{place}, node {shorten(node.path)}"
        if min(shape) < 0 or prod(max(extent, 1) for extent in shape) > limits.elements:
            raise invalid(here, f"expected extents of a tensor, got {shape}")
        size, stored = prod(shape), _stored(message, dtype, here)
        if size < _LEAST.get(dtype, _LEAST_INTEGERS):
            continue
        if stored * _REPEATED < size:
            filled.append(node.path)
            continue
        one = Constant(node, Tensor(dtype, shape, _reader(node, place)))
        found.setdefault((dtype, shape), {}).setdefault(hashlib.sha256(one.tensor.read()).digest(), one)
    return [one for same in found.values() for one in same.values()], filled


def named(constants: Sequence[Constant], taken: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
    """Each constant under the name of its node, after that of its function where two have one."""
    used = set(taken)
    for one in constants:
        name = one.node.name if one.node.name not in used else one.node.path
        used.add(name)
        yield name, one.tensor


def filled_note(filled: Sequence[str]) -> str:
    """What to say of constants that are one value many times."""
    more = f" and {len(filled) - _NAMED} more" if len(filled) > _NAMED else ""
    return f"constants of the graph that repeat one value: {', '.join(map(shorten, filled[:_NAMED]))}{more}"


def _stored(message: Any, dtype: str, here: str) -> int:
    """How many elements the message holds."""
    item = dtypes.BY_NAME[dtype].item_bits // 8
    if message.tensor_content:
        if len(message.tensor_content) % item:
            raise invalid(here, f"expected whole elements of {item} bytes, got {len(message.tensor_content)} bytes")
        return len(message.tensor_content) // item
    return len(getattr(message, _FIELDS[dtype])) // (2 if dtype == "complex64" else 1)


def _reader(node: Node, place: str) -> Callable[[], memoryview]:
    return lambda: Tensor.from_array(_array(node.parsed(place).attr["value"].tensor, f"{place}, node {shorten(node.path)}")).read()


def _array(message: Any, here: str) -> Any:
    import numpy as np

    dtype = element_types.name_of(message.dtype) or ""
    size = prod(dim.size for dim in message.tensor_shape.dim)
    if message.tensor_content:
        held = np.frombuffer(message.tensor_content, dtypes.numpy_dtype(dtype))
    else:
        values = getattr(message, _FIELDS[dtype])
        if _FIELDS[dtype] == "half_val":
            held = np.array(values, np.uint16).view(dtypes.numpy_dtype(dtype))
        elif dtype == "complex64":
            held = np.array(values, np.float32).view(np.complex64)
        else:
            held = np.array(values, dtypes.numpy_dtype(dtype))
    if len(held) > size or not len(held):
        raise invalid(here, f"expected {size} elements, got {len(held)}")
    return np.concatenate([held, np.repeat(held[-1:], size - len(held))])


def listed(node: Node, place: str) -> list[bytes] | list[int] | None:
    """The elements of a constant of strings or integers, one axis of them; None of another."""
    message = node.parsed(place).attr["value"].tensor
    dtype = element_types.name_of(message.dtype)
    shape = tuple(dim.size for dim in message.tensor_shape.dim)
    if len(shape) != 1:
        return None
    if dtype == "string":
        return list(message.string_val) if len(message.string_val) == shape[0] else None
    here = f"{place}, node {shorten(node.path)}"
    if dtype not in ("int32", "int64") or not 0 < shape[0] <= _REPEATED * _stored(message, dtype, here):
        return None
    return [int(one) for one in _array(message, here)]


__all__ = ["Constant", "filled_note", "listed", "named", "weights_among"]
