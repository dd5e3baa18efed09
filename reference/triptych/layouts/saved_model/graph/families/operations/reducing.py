"""Emitters of operations that make one number of many: sums, extremes and their places, and what divides by them."""

from __future__ import annotations

from collections.abc import Callable

from triptych.layouts.saved_model.graph.activations import softmax
from triptych.layouts.saved_model.graph.attributes import Type
from triptych.layouts.saved_model.graph.elementary import cast, maximum, mean, product, reduce, total, unary, where
from triptych.layouts.saved_model.graph.emission import OperationEmission, emits_operation
from triptych.layouts.saved_model.graph.families.operations.element_wise import unary_bool
from triptych.layouts.saved_model.graph.families.operations.operands import as_boolean, counted, floating, shapes_of
from triptych.layouts.saved_model.graph.shaping import extent, reshape, squeeze
from triptych.layouts.saved_model.graph.values import Value
from triptych.vocabulary.operations.operands import axes_of


def _axes(call: OperationEmission) -> tuple[int, ...]:
    return axes_of(call.config["axes"], call.input.shape)


def _reduction(name: str, op: str, prepare: Callable[[OperationEmission], Value]) -> None:
    """Register what TensorFlow's `op` computes of what is made of the input before."""

    @emits_operation(name)
    def _emit(call: OperationEmission) -> Value:
        return reduce(op, prepare(call), _axes(call), keepdims=call.config["keepdims"])


for _name, _op in (("sum", "Sum"), ("product", "Prod")):
    _reduction(_name, _op, lambda call: counted(call.input))
for _name, _op in (("any", "Any"), ("all", "All")):
    _reduction(_name, _op, lambda call: as_boolean(call.input))
_reduction("mean", "Mean", lambda call: floating(call, call.input))


def _choice(name: str, op: str, of_booleans: str) -> None:
    @emits_operation(name)
    def _emit(call: OperationEmission) -> Value:
        return reduce(of_booleans if call.input.dtype == "bool" else op, call.input, _axes(call), keepdims=call.config["keepdims"])


_choice("max", "Max", "Any")
_choice("min", "Min", "All")


@emits_operation("logsumexp")
def _log_of_sum(call: OperationEmission) -> Value:
    x, axes = floating(call, call.input), _axes(call)
    most = reduce("Max", x, axes, keepdims=True)
    most = where(unary_bool("IsFinite", most), most, 0)
    y = unary("Log", total(unary("Exp", x - most), axes, keepdims=True)) + most
    return y if call.config["keepdims"] or not axes else squeeze(y, axes)


@emits_operation("variance")
def _variance(call: OperationEmission) -> Value:
    x, axes = floating(call, call.input), _axes(call)
    distance = x - mean(x, axes, keepdims=True)
    count = product([extent(x, axis) for axis in axes]) - call.config["correction"]
    divisor = cast(count, x.dtype) if isinstance(count, Value) else count
    return total(distance * distance, axes, keepdims=call.config["keepdims"]) / divisor


def _place(name: str, op: str) -> None:
    @emits_operation(name)
    def _emit(call: OperationEmission) -> Value:
        (shape,), x = shapes_of(call, name), call.input
        axis = call.config["axis"] % x.ndim
        where_ = x.body.made(axis, "int32")
        found = (*x.shape[:axis], *x.shape[axis + 1 :])
        y = x.body.one(op, [x, where_], "int32", found, T=Type(x.dtype), Tidx=Type("int32"), output_type=Type("int32"))
        if not call.config["keepdims"]:
            return y
        return reshape(y, [extent(x, place) if place != axis else 1 for place in range(len(shape))])


_place("argmax", "ArgMax")
_place("argmin", "ArgMin")


@emits_operation("softmax")
def _softmax(call: OperationEmission) -> Value:
    return softmax(floating(call, call.input), (call.config["axis"],))


@emits_operation("log_softmax")
def _log_softmax(call: OperationEmission) -> Value:
    x, axes = floating(call, call.input), [call.config["axis"]]
    x -= reduce("Max", x, axes, keepdims=True)
    return x - unary("Log", total(unary("Exp", x), axes, keepdims=True))


@emits_operation("cumulative_sum")
def _cumulative_sum(call: OperationEmission) -> Value:
    x, config = counted(call.input), call.config
    axis = x.body.made(config["axis"], "int32")
    more = {"T": Type(x.dtype), "Tidx": Type("int32"), "exclusive": config["exclusive"], "reverse": config["reverse"]}
    return x.body.one("Cumsum", [x, axis], x.dtype, x.shape, **more)


@emits_operation("l2_normalize")
def _of_length_one(call: OperationEmission) -> Value:
    x, least = floating(call, call.input), call.config["epsilon"]
    squares = total(x * x, _axes(call), keepdims=True)
    if call.config["epsilon_on"] == "norm":
        return x / maximum(unary("Sqrt", squares), least)
    return x / unary("Sqrt", maximum(squares, least))


@emits_operation("top_k")
def _largest(call: OperationEmission) -> list[Value]:
    x, (shape, _) = counted(call.input), shapes_of(call, "top_k")
    wanted = x.body.made(call.config["k"], "int32")
    elements, places = x.body.node("TopKV2", [x, wanted], [(x.dtype, shape), ("int32", shape)], T=Type(x.dtype))
    return [as_boolean(elements) if call.input.dtype == "bool" else elements, places]
