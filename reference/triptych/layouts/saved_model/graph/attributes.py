"""Attributes of nodes: dtypes, shapes, functions, numbers, texts and constants, as messages hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from triptych.layouts.tensorflow import element_types
from triptych.model import Shape
from triptych.vocabulary.arrays import np

_OF_GRAPHS_ONLY = {"resource": 20, "variant": 21}


def number_of(name: str) -> int | None:
    """TensorFlow's number of a dtype that values of a graph can have; None where it has none."""
    return _OF_GRAPHS_ONLY.get(name) or element_types.number_of(name)


@dataclass(frozen=True, slots=True)
class Type:
    """An attribute that is a dtype."""

    name: str


@dataclass(frozen=True, slots=True)
class Extents:
    """An attribute that is a shape."""

    shape: Shape | None


@dataclass(frozen=True, slots=True)
class Function:
    """An attribute that is a function of the library."""

    name: str


def fill(attribute: Any, value: Any) -> None:
    """Give an attribute its value."""
    if isinstance(value, bool):
        attribute.b = value
    elif isinstance(value, int):
        attribute.i = value
    elif isinstance(value, float):
        attribute.f = value
    elif isinstance(value, str):
        attribute.s = value.encode()
    elif isinstance(value, Type):
        attribute.type = number_of(value.name)
    elif isinstance(value, Extents):
        fill_shape(attribute.shape, value.shape)
    elif isinstance(value, Function):
        attribute.func.name = value.name
    elif isinstance(value, np.ndarray):
        _fill_tensor(attribute.tensor, value)
    else:
        _fill_list(attribute.list, value)


def _fill_list(target: Any, items: Sequence[Any]) -> None:
    # An empty list is a list all the same.
    target.SetInParent()
    for item in items:
        if isinstance(item, Type):
            target.type.append(number_of(item.name))
        elif isinstance(item, Extents):
            fill_shape(target.shape.add(), item.shape)
        elif isinstance(item, str):
            target.s.append(item.encode())
        else:
            target.i.append(item)


def fill_shape(target: Any, shape: Shape | None) -> None:
    """Write `shape` into a shape message; -1 stands for an extent that is not known."""
    target.SetInParent()
    if shape is None:
        target.unknown_rank = True
        return
    for extent in shape:
        target.dim.add(size=-1 if extent is None else extent)


def _fill_tensor(target: Any, array: Any) -> None:
    texts = array.dtype.kind in "OUS"
    target.dtype = number_of("string" if texts else array.dtype.name)
    fill_shape(target.tensor_shape, array.shape)
    if texts:
        target.string_val.extend(one if isinstance(one, bytes) else str(one).encode() for one in array.reshape(-1).tolist())
    else:
        target.tensor_content = array.tobytes()
