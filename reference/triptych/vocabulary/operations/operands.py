"""Operands of one operation: literals in their places, one dtype for all, shapes that stretch to each other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from triptych.model import Json, Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import axis_of, same, text
from triptych.vocabulary.operations.definition import OperationShapes, OperationValues

_KINDS = "biufc"
"""Kinds of dtypes from the lowest: booleans, integers with and without sign, floating-point and complex numbers."""


def stretched(left: Shape, right: Shape) -> Shape:
    """The common shape of two operands: aligned at the end, extent 1 stretches; the batch is an axis like any other."""
    width = max(len(left), len(right))
    one, two = (1,) * (width - len(left)) + left, (1,) * (width - len(right)) + right
    for a, b in zip(one, two, strict=True):
        if 1 not in {a, b} and not same(a, b):
            raise ShapeError(f"expected operands of one shape, got {text(left)} and {text(right)}")
    return tuple(b if a == 1 else a if b == 1 or a is not None else b for a, b in zip(one, two, strict=True))


def stretched_shape(call: OperationShapes) -> Shape:
    """The common shape of all inputs; a literal has no axes."""
    return reduce(stretched, call.inputs, ())


def same_shape(call: OperationShapes) -> Shape:
    """The shape of the only input."""
    return call.input


def operands(call: OperationValues, names: Sequence[str]) -> list[Any]:
    """Inputs and the literals of the config in their places, all of one dtype."""
    waiting = iter(call.inputs)
    return unified([next(waiting) if call.config[name] is None else call.config[name] for name in names], call.dtype)


def unified(values: Sequence[Any], dtype: Any) -> list[Any]:
    """`values` in one dtype: the widest of the highest kind. Literals follow the values; alone they are floats or int32."""
    arrays = [value for value in values if isinstance(value, np.ndarray)]
    if arrays:
        kind = max((_kind(array) for array in arrays), key=_KINDS.index)
        common = reduce(np.promote_types, [array.dtype for array in arrays if _kind(array) == kind])
    else:
        kind, common = "b", np.dtype(bool)
    for value in values:
        if isinstance(value, np.ndarray | bool):
            continue
        if isinstance(value, float) and kind in "bi":
            kind, common = "f", np.dtype(dtype)
        elif isinstance(value, int) and kind == "b":
            kind, common = "i", np.dtype(np.int32)
    return [np.asarray(value).astype(common) for value in values]


def _kind(array: Array) -> str:
    found: str = array.dtype.kind
    return "i" if found == "u" else found


def floating(values: Array, dtype: Any) -> Array:
    """`values` as floating-point numbers: as they are if they are, else in the dtype of the evaluation."""
    return values if values.dtype.kind in "fc" else values.astype(dtype)


def counted(values: Array) -> Array:
    """`values` as numbers: booleans as the integers 0 and 1."""
    return values.astype(np.int32) if values.dtype == bool else values


def axes_of(axes: Json, shape: Shape) -> tuple[int, ...]:
    """`axes` counted from the front, null for all.

    Raises:
        ShapeError: The shape lacks one, or one stands there twice.
    """
    if axes is None:
        return tuple(range(len(shape)))
    found = tuple(axis_of(axis, shape) for axis in axes)
    if len(set(found)) < len(found):
        raise ShapeError(f"expected axes that differ from each other, got {list(axes)} for {text(shape)}")
    return found
