"""Emitters of operations that put values together, take them apart, repeat, pad and look up elements."""

from __future__ import annotations

from triptych.dtypes import numpy_dtype
from triptych.layouts.saved_model.graph.attributes import Type
from triptych.layouts.saved_model.graph.elementary import cast, equal, where
from triptych.layouts.saved_model.graph.emission import OperationEmission, Refusal, emits_operation
from triptych.layouts.saved_model.graph.families.operations.operands import counted, kind_of, shapes_of, unified
from triptych.layouts.saved_model.graph.families.reshaping import around
from triptych.layouts.saved_model.graph.shaping import (
    expand,
    extent,
    extents,
    join,
    mirror,
    move_axis,
    pad,
    reshape,
    split,
    stack,
    take,
    tile,
)
from triptych.layouts.saved_model.graph.values import Value, innermost
from triptych.vocabulary.arrays import np

_MIRRORED = 5
"""The most axes that TensorFlow mirrors elements around."""


@emits_operation("concatenate")
def _joined(call: OperationEmission) -> Value:
    return join(unified(call, call.inputs), call.config["axis"])


@emits_operation("stack")
def _stacked(call: OperationEmission) -> Value:
    return stack(unified(call, call.inputs), call.config["axis"])


@emits_operation("split")
def _split(call: OperationEmission) -> list[Value]:
    x, parts, shapes = call.input, call.config["parts"], shapes_of(call, "split")
    if isinstance(parts, int):
        return split(x, parts, call.config["axis"])
    if len(parts) == 1:
        return [x]
    given = [x, x.body.constant(np.asarray(parts, np.int64)), x.body.made(call.config["axis"] % x.ndim, "int32")]
    return x.body.node("SplitV", given, [(x.dtype, one) for one in shapes], num_split=len(parts), T=Type(x.dtype), Tlen=Type("int64"))


@emits_operation("tile")
def _tiled(call: OperationEmission) -> Value:
    x, repeats = call.input, call.config["repeats"]
    x = reshape(x, [*[1] * (len(repeats) - x.ndim), *extents(x)])
    return tile(x, dict(enumerate(repeats, x.ndim - len(repeats))))


@emits_operation("repeat")
def _repeated(call: OperationEmission) -> Value:
    x, times = call.input, call.config["repeats"]
    axis = call.config["axis"] % x.ndim
    whole = extents(x)
    beside = tile(expand(x, axis + 1), {axis + 1: times})
    return reshape(beside, [*whole[:axis], whole[axis] * times, *whole[axis + 1 :]])


@emits_operation("roll")
def _rolled(call: OperationEmission) -> Value:
    x = call.input
    if not call.config["axes"]:
        return x
    axes = [axis % x.ndim for axis in call.config["axes"]]
    given = [x, x.body.constant(np.asarray(call.config["shifts"], np.int64)), x.body.constant(np.asarray(axes, np.int32))]
    return x.body.one("Roll", given, x.dtype, x.shape, T=Type(x.dtype), Tshift=Type("int64"), Taxis=Type("int32"))


@emits_operation("pad")
def _padded(call: OperationEmission) -> Value:
    x, pairs = call.input, {axis: tuple(pair) for axis, pair in enumerate(call.config["padding"])}
    match call.config["mode"]:
        case "constant":
            return pad(x, pairs, np.asarray(call.config["fill"]).astype(numpy_dtype(x.dtype)))
        case "edge":
            for axis, (before, after) in pairs.items():
                x = around(x, axis, before, after, edge=True)
            return x
        case mode:
            if x.ndim > _MIRRORED:
                raise Refusal(f"expected at most {_MIRRORED} axes to mirror elements around, got {x.ndim}")
            return mirror(x, pairs, edge=mode == "symmetric")


@emits_operation("gather")
def _gathered(call: OperationEmission) -> Value:
    x, axis, said = call.input, call.config["axis"], call.config["indices"]
    places = cast(call.inputs[1], "int64") if said is None else x.body.constant(np.asarray(said, np.int64).reshape(-1))
    return take(x, _from_the_front(x, axis, places), axis)


def _from_the_front(x: Value, axis: int, places: Value) -> Value:
    """`places` along an axis, those below 0 counted from its end."""
    whole = extent(x, axis)
    return where(places < 0, places + (cast(whole, "int64") if isinstance(whole, Value) else whole), places)


@emits_operation("take_along_axis")
def _taken_along(call: OperationEmission) -> Value:
    axis = call.config["axis"] % call.input.ndim
    x, places = move_axis(call.input, axis, -1), move_axis(cast(call.inputs[1], "int64"), axis, -1)
    places = _from_the_front(x, -1, places)
    body = innermost([x, places])
    given = [x, places, body.made(x.ndim - 1, "int32")]
    more = {"Tparams": Type(x.dtype), "Tindices": Type("int64"), "Taxis": Type("int32"), "batch_dims": x.ndim - 1}
    return move_axis(body.one("GatherV2", given, x.dtype, places.shape, **more), -1, axis)


@emits_operation("one_hot")
def _hot(call: OperationEmission) -> Value:
    x = counted(call.input)
    x = cast(x, "int64") if kind_of(x) == "i" else x
    axis = call.config["axis"] % (x.ndim + 1)
    line = np.arange(call.config["depth"]).reshape([-1 if one == axis else 1 for one in range(x.ndim + 1)])
    return cast(equal(expand(x, axis), line), call.config["dtype"])


@emits_operation("constant")
def _constant(call: OperationEmission) -> Value:
    value, shape, name = call.config["value"], call.config["shape"], call.config["dtype"]
    array = np.asarray(value).reshape(shape) if isinstance(value, list) else np.full(shape, value)
    if name == "bool":
        return call.body.constant(array != 0)
    whole = name.startswith(("int", "uint")) and array.dtype.kind not in "biu"
    return call.body.constant((np.trunc(array) if whole else array).astype(numpy_dtype(name)))


@emits_operation("identity")
def _same(call: OperationEmission) -> Value:
    return call.input
