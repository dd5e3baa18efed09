"""Operands of one operation: literals in their places, one dtype for all, and the shape that comes out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from triptych.dtypes import numpy_dtype
from triptych.layouts.saved_model.graph.elementary import cast, not_equal
from triptych.layouts.saved_model.graph.emission import OperationEmission
from triptych.layouts.saved_model.graph.values import Value
from triptych.model import Shape
from triptych.vocabulary.arrays import np
from triptych.vocabulary.operations import OPERATIONS, OperationShapes

_KINDS = "biufc"
"""Kinds of dtypes from the lowest: booleans, integers with and without sign, floating-point and complex numbers."""


def kind_of(x: Value) -> str:
    """The kind of numbers that `x` holds: b, i with or without sign, f or c."""
    if "float" in x.dtype:
        return "f"
    found: str = numpy_dtype(x.dtype).kind
    return "i" if found == "u" else found


def operands(call: OperationEmission, names: Sequence[str]) -> list[Value]:
    """Inputs and the literals of the config in their places, all of one dtype."""
    waiting = iter(call.inputs)
    return unified(call, [next(waiting) if call.config[name] is None else call.config[name] for name in names])


def unified(call: OperationEmission, operands_: Sequence[Any]) -> list[Value]:
    """`operands_` in one dtype: the widest of the highest kind. Literals follow the values; alone they are floats or int32."""
    values = [one for one in operands_ if isinstance(one, Value)]
    kind, common = "b", "bool"
    if values:
        kind = max(map(kind_of, values), key=_KINDS.index)
        common = reduce(np.promote_types, [numpy_dtype(one.dtype) for one in values if kind_of(one) == kind]).name
    for one in operands_:
        if isinstance(one, Value | bool):
            continue
        if isinstance(one, float) and kind in "bi":
            kind, common = "f", call.dtype
        elif isinstance(one, int) and kind == "b":
            kind, common = "i", "int32"
    return [as_dtype(one, common) if isinstance(one, Value) else call.body.made(one, common) for one in operands_]


def as_dtype(x: Value, dtype: str) -> Value:
    """`x` in another dtype; as a boolean, whether it is not 0."""
    if dtype == "bool":
        return as_boolean(x)
    return cast(x, dtype)


def as_boolean(x: Value) -> Value:
    """Whether `x` is not 0."""
    return x if x.dtype == "bool" else not_equal(x, 0)


def floating(call: OperationEmission, x: Value) -> Value:
    """`x` as floating-point numbers: as they are if they are, else in the dtype of the call."""
    return x if kind_of(x) in "fc" else cast(x, call.dtype)


def counted(x: Value) -> Value:
    """`x` as numbers: booleans as the integers 0 and 1."""
    return cast(x, "int32") if x.dtype == "bool" else x


def shapes_of(call: OperationEmission, op: str) -> list[Shape]:
    """The shape of each result, by the vocabulary's rule."""
    shapes = OPERATIONS[op].rule(OperationShapes(call.config, tuple(one.shape for one in call.inputs)))
    return shapes if isinstance(shapes, list) else [shapes]
