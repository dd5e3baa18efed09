"""Element by element, sums and products: what formulas are made of, with the shapes that come out."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from triptych.layouts.saved_model.graph.attributes import Type
from triptych.layouts.saved_model.graph.shaping import reshape
from triptych.layouts.saved_model.graph.values import Extent, Operand, Value, element_wise, innermost
from triptych.model import Shape
from triptych.vocabulary.arrays import np


def unary(op: str, x: Value) -> Value:
    """What TensorFlow's `op` makes of each element."""
    return element_wise(op, x)


def maximum(left: Operand, right: Operand) -> Value:
    """The larger of both."""
    return element_wise("Maximum", left, right)


def minimum(left: Operand, right: Operand) -> Value:
    """The smaller of both."""
    return element_wise("Minimum", left, right)


def largest(left: Extent, right: Extent) -> Extent:
    """The larger of two extents."""
    return max(left, right) if isinstance(left, int) and isinstance(right, int) else maximum(left, right)


def clip(x: Value, low: float, high: float) -> Value:
    """`x`, but at least `low` and at most `high`."""
    return minimum(maximum(x, low), high)


def equal(left: Operand, right: Operand) -> Value:
    """Whether both are the same."""
    return element_wise("Equal", left, right, dtype="bool")


def not_equal(left: Operand, right: Operand) -> Value:
    """Whether both differ."""
    return element_wise("NotEqual", left, right, dtype="bool")


def where(condition: Value, yes: Operand, no: Operand) -> Value:
    """`yes` where `condition` holds, else `no`; one of these at least is a value, whose dtype the other takes."""
    from triptych.layouts.saved_model.graph.values import broadcast

    values = [one for one in (yes, no) if isinstance(one, Value)]
    body, dtype = innermost([condition, *values]), values[0].dtype
    given = [condition, body.made(yes, dtype), body.made(no, dtype)]
    return body.one("SelectV2", given, dtype, broadcast(*(one.shape for one in given)), T=Type(dtype))


def cast(x: Value, dtype: str) -> Value:
    """`x` in another dtype; as it is if it has it."""
    if x.dtype == dtype:
        return x
    return x.body.one("Cast", [x], dtype, x.shape, SrcT=Type(x.dtype), DstT=Type(dtype))


def is_floating(x: Value) -> bool:
    """Whether `x` holds real floating-point numbers."""
    return "float" in x.dtype


Axes = Sequence[int] | None


def _without(shape: Shape, axes: Sequence[int], *, keep: bool) -> Shape:
    if keep:
        return tuple(1 if axis in axes else extent for axis, extent in enumerate(shape))
    return tuple(extent for axis, extent in enumerate(shape) if axis not in axes)


def reduce(op: str, x: Value, axes: Axes = None, *, keepdims: bool = False) -> Value:
    """What TensorFlow's `op` (Sum, Mean, Max, Min, Prod, Any, All) makes of the elements along `axes`, or of all."""
    counted = sorted({axis % x.ndim for axis in (range(x.ndim) if axes is None else axes)})
    which = x.body.constant(np.asarray(counted, np.int32))
    more: dict[str, Any] = {} if op in {"Any", "All"} else {"T": Type(x.dtype)}
    shape = _without(x.shape, counted, keep=keepdims)
    return x.body.one(op, [x, which], x.dtype, shape, Tidx=Type("int32"), keep_dims=keepdims, **more)


def total(x: Value, axes: Axes = None, *, keepdims: bool = False) -> Value:
    """The sum along `axes`."""
    return reduce("Sum", x, axes, keepdims=keepdims)


def mean(x: Value, axes: Axes = None, *, keepdims: bool = False) -> Value:
    """The mean along `axes`."""
    return reduce("Mean", x, axes, keepdims=keepdims)


def matmul(left: Value, right: Value, *, transposed: bool = False) -> Value:
    """The product of matrices in the last two axes; a matrix on the right serves all of the left. `transposed`: the right one is."""
    body = innermost([left, right])
    columns = right.shape[-2] if transposed else right.shape[-1]
    if left.ndim == right.ndim == 2:
        return body.one("MatMul", [left, right], left.dtype, (left.shape[0], columns), T=Type(left.dtype), transpose_a=False, transpose_b=transposed)
    if right.ndim == 2 and columns is not None and left.shape[-1] is not None:
        from triptych.layouts.saved_model.graph.shaping import extents

        outer = extents(left)[:-1]
        flat = matmul(reshape(left, [-1, left.shape[-1]]), right, transposed=transposed)
        return reshape(flat, [*outer, columns])
    from triptych.layouts.saved_model.graph.values import broadcast

    outer_shape = broadcast(left.shape[:-2], right.shape[:-2])
    shape = (*outer_shape, left.shape[-2], columns)
    return body.one("BatchMatMulV2", [left, right], left.dtype, shape, T=Type(left.dtype), adj_y=transposed)


def biased(x: Value, bias: Value) -> Value:
    """`x` with `bias` added along its last axis; TensorFlow computes this and the product before it in one."""
    if bias.ndim != 1 or x.dtype not in ("float32", "float64"):
        return x + bias
    return innermost([x, bias]).one("BiasAdd", [x, bias], x.dtype, x.shape, T=Type(x.dtype))


def einsum(equation: str, operands: Sequence[Value], shape: Shape) -> Value:
    """The sum that `equation` says, of `shape`."""
    body = innermost(operands)
    return body.one("Einsum", operands, operands[0].dtype, shape, equation=equation, N=len(operands), T=Type(operands[0].dtype))


def product(extents: Sequence[Extent]) -> Extent:
    """The product of extents."""
    result: Extent = prod(one for one in extents if isinstance(one, int))
    for one in extents:
        if isinstance(one, Value):
            result = one if result == 1 else one * result
    return result
