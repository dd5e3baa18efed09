"""Emitters of types that make one value of several, and of its mask of theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add, and_, mul, or_

from triptych.dtypes import numpy_dtype
from triptych.layouts.saved_model.graph.elementary import cast, is_floating, matmul, maximum, minimum, product, total, unary, where
from triptych.layouts.saved_model.graph.emission import Emission, Mask, emits
from triptych.layouts.saved_model.graph.shaping import expand, extents, fill, join, move_axis, reshape
from triptych.layouts.saved_model.graph.values import Value
from triptych.vocabulary.arrays import np


def _merged_masks(call: Emission, _: Sequence[Value]) -> Sequence[Mask]:
    """Which steps count by the rule of the config."""
    masks = [mask for mask in call.masks if mask is not None]
    if not masks or call.config["masks"] == "none":
        return [None]
    if call.config["masks"] == "all":
        return [reduce(and_, masks)]
    return [reduce(or_, masks) if len(masks) == len(call.inputs) else None]


def _joined_masks(call: Emission, outputs: Sequence[Value]) -> Sequence[Mask]:
    """As `_merged_masks`; where the batch or the steps are joined, so are the masks."""
    axis = call.config["axis"] % call.input.ndim
    count = next((mask.ndim for mask in call.masks if mask is not None), 0)
    if axis >= count or call.config["masks"] == "none":
        return _merged_masks(call, outputs)
    pairs = zip(call.masks, call.inputs, strict=True)
    return [join([fill(x, extents(x)[:count], value=True, dtype="bool") if mask is None else mask for mask, x in pairs], axis)]


def _alike(call: Emission) -> list[Value]:
    """The inputs in one dtype: that of the layer if one holds floating-point numbers, else the widest."""
    if any(map(is_floating, call.inputs)):
        return [cast(one, call.dtype) for one in call.inputs]
    widest = reduce(np.promote_types, [numpy_dtype(one.dtype) for one in call.inputs]).name
    return [cast(one, widest) for one in call.inputs]


def _aligned(call: Emission) -> list[Value]:
    """The inputs with extents 1 after the batch, so that all have one rank."""
    rank = max(one.ndim for one in call.inputs)
    return [reduce(expand, [1] * (rank - one.ndim), one) for one in _alike(call)]


def _numbers(values: Sequence[Value]) -> list[Value]:
    """`values`, booleans as the integers 0 and 1."""
    return [cast(one, "int32") if one.dtype == "bool" else one for one in values]


def _counting(call: Emission) -> list[tuple[Value, Mask]]:
    """Each input and which of its elements enter the result, in the rank of all."""
    masks = call.masks if call.masks and call.config["masks"] == "any" else (None,) * len(call.inputs)
    pairs = zip(_aligned(call), masks, strict=True)
    return [(x, None if mask is None else reduce(expand, [-1] * (x.ndim - 2), mask)) for x, mask in pairs]


@emits("Add", mask=_merged_masks)
def _sum(call: Emission) -> Value:
    return reduce(add, _numbers(_aligned(call)))


@emits("Subtract", mask=_merged_masks)
def _difference(call: Emission) -> Value:
    left, right = _numbers(_aligned(call))
    return left - right


@emits("Average", mask=_merged_masks)
def _average(call: Emission) -> Value:
    return _sum(call) / len(call.inputs)


@emits("Multiply", mask=_merged_masks)
def _product(call: Emission) -> Value:
    found = _counting(call)
    pairs = list(zip(_numbers([x for x, _ in found]), [mask for _, mask in found], strict=True))
    y = reduce(mul, [x if mask is None else where(mask, x, 1) for x, mask in pairs])
    masks = [mask for _, mask in pairs if mask is not None]
    return where(reduce(or_, masks), y, 0) if len(masks) == len(pairs) else y


def _extreme(call: Emission, choose: Callable[[Value, Value], Value]) -> Value:
    (y, counted), *rest = _counting(call)
    for x, counts in rest:
        new = x if counts is None else where(counts, x, y)
        y = choose(y if counted is None else where(counted, y, new), new)
        counted = None if counts is None or counted is None else counted | counts
    return y


@emits("Maximum", mask=_merged_masks)
def _largest(call: Emission) -> Value:
    return _extreme(call, lambda left, right: left | right if left.dtype == "bool" else maximum(left, right))


@emits("Minimum", mask=_merged_masks)
def _smallest(call: Emission) -> Value:
    return _extreme(call, lambda left, right: left & right if left.dtype == "bool" else minimum(left, right))


@emits("Concatenate", mask=_joined_masks)
def _joined(call: Emission) -> Value:
    return join(_alike(call), call.config["axis"])


@emits("Dot")
def _products(call: Emission) -> Value:
    axes = call.config["axes"]
    one, two = axes if isinstance(axes, list) else [axes, axes]
    left, right = (move_axis(x, axis, -1) for x, axis in zip(_alike(call), (one, two), strict=True))
    if call.config["normalize"]:
        left, right = (_of_length_one(cast(one, call.dtype)) for one in (left, right))
    batch, *first, length = extents(left)
    second = extents(right)[1:-1]
    sums = matmul(reshape(left, [batch, product(first), length]), reshape(right, [batch, product(second), length]), transposed=True)
    return reshape(sums, [batch, *(first + second or [1])])


def _of_length_one(x: Value) -> Value:
    """`x` divided by its length along the last axis, which counts as at least 1e-6."""
    return x / unary("Sqrt", maximum(total(x * x, [-1], keepdims=True), 1e-12))
