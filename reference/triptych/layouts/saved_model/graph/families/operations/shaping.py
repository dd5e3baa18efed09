"""Emitters of operations that give elements other axes: reshaping, transposing, cutting out, stretching."""

from __future__ import annotations

from functools import reduce

from triptych.layouts.saved_model.graph.attributes import Type
from triptych.layouts.saved_model.graph.elementary import product
from triptych.layouts.saved_model.graph.emission import OperationEmission, emits_operation
from triptych.layouts.saved_model.graph.families.operations.operands import shapes_of
from triptych.layouts.saved_model.graph.shaping import (
    expand,
    extent,
    extents,
    reshape,
    reverse,
    squeeze,
    stretch,
    transpose,
    vector,
)
from triptych.layouts.saved_model.graph.values import Extent, Value
from triptych.vocabulary.extents import axis_of
from triptych.vocabulary.operations.operands import axes_of
from triptych.vocabulary.operations.shaping import new_axes, spread, squeezed_axes, transposed


@emits_operation("reshape")
def _reshaped(call: OperationEmission) -> Value:
    x, (shape,) = call.input, shapes_of(call, "reshape")
    said = call.config["shape"]
    target: list[Extent] = [
        found if found is not None else -1 if wanted == -1 else extent(x, axis)
        for axis, (wanted, found) in enumerate(zip(said, shape, strict=True))
    ]
    if said.count(-1) == 1 and None not in shape:
        target = list(extents_known(shape))
    return reshape(x, target)


def extents_known(shape: tuple[int | None, ...]) -> list[int]:
    """The extents of a shape that is known."""
    return [one for one in shape if one is not None]


@emits_operation("flatten")
def _flattened(call: OperationEmission) -> Value:
    x = call.input
    start, end = (axis_of(call.config[name], x.shape) for name in ("start_axis", "end_axis"))
    whole = extents(x)
    return reshape(x, [*whole[:start], product(whole[start : end + 1]), *whole[end + 1 :]])


@emits_operation("transpose")
def _transposed(call: OperationEmission) -> Value:
    return transpose(call.input, transposed(call.config["axes"], call.input.shape))


@emits_operation("squeeze")
def _squeezed(call: OperationEmission) -> Value:
    gone = squeezed_axes(call.config["axes"], call.input.shape)
    # Of no axes at all, TensorFlow would take every one of extent 1.
    return squeeze(call.input, gone) if gone else call.input


@emits_operation("expand_dims")
def _expanded(call: OperationEmission) -> Value:
    return reduce(expand, sorted(new_axes(call.config["axes"], call.input.ndim)), call.input)


@emits_operation("broadcast_to")
def _stretched(call: OperationEmission) -> Value:
    x, said = call.input, call.config["shape"]
    before = len(said) - x.ndim
    return stretch(x, [wanted if wanted is not None else 1 if axis < before else extent(x, axis - before) for axis, wanted in enumerate(said)])


@emits_operation("slice")
def _cut(call: OperationEmission) -> Value:
    x, (shape,) = call.input, shapes_of(call, "slice")
    entries = spread(call.config["entries"], x.ndim)
    begins, ends, steps = [], [], []
    masks = dict.fromkeys(("begin_mask", "end_mask", "new_axis_mask", "shrink_axis_mask"), 0)
    for place, entry in enumerate(entries):
        begin, end, step = (0, 0, 1) if entry == "new" else (entry, entry + 1, 1) if isinstance(entry, int) else entry
        masks["new_axis_mask"] |= (entry == "new") << place
        masks["shrink_axis_mask"] |= isinstance(entry, int) << place
        masks["begin_mask"] |= (begin is None) << place
        masks["end_mask"] |= (end is None) << place
        begins.append(begin or 0)
        ends.append(end or 0)
        steps.append(1 if step is None else step)
    given = [x, *(vector(x, one) for one in (begins, ends, steps))]
    return x.body.one("StridedSlice", given, x.dtype, shape, T=Type(x.dtype), Index=Type("int32"), **masks)


@emits_operation("flip")
def _flipped(call: OperationEmission) -> Value:
    axes = axes_of(call.config["axes"], call.input.shape)
    return reverse(call.input, axes) if axes else call.input
