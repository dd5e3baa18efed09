"""Emitters of operations on each element: arithmetic, comparison, choice and functions of one number."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from triptych.layouts.saved_model.graph.activations import NAMED, elu, leaky_relu
from triptych.layouts.saved_model.graph.elementary import cast, equal, maximum, minimum, not_equal, unary, where
from triptych.layouts.saved_model.graph.emission import OperationEmission, emits_operation
from triptych.layouts.saved_model.graph.families.operations.operands import (
    as_boolean,
    as_dtype,
    counted,
    floating,
    kind_of,
    operands,
    unified,
)
from triptych.layouts.saved_model.graph.values import Operand, Value, element_wise

PAIR = ("left", "right")


def _two(name: str, compute: Callable[[Value, Value], Value], *, real: bool = False) -> None:
    """Register an operation of two numbers: floating-point ones if `real`."""

    @emits_operation(name)
    def _emit(call: OperationEmission) -> Value:
        left, right = (floating(call, one) if real else counted(one) for one in operands(call, PAIR))
        return compute(left, right)


def _one(name: str, compute: Callable[[Value], Value], *, real: bool = True) -> None:
    """Register an operation of one number: a floating-point one if `real`."""

    @emits_operation(name)
    def _emit(call: OperationEmission) -> Value:
        return compute(floating(call, call.input) if real else counted(call.input))


def _quotient(left: Value, right: Value) -> Value:
    """The quotient rounded down, as what remains leaves it exact; of integers, 0 where right is 0."""
    if kind_of(left) != "f":
        return where(equal(right, 0), 0, left // where(equal(right, 0), 1, right))
    rest = element_wise("TruncateMod", left, right)
    across = cast(not_equal(rest, 0) & element_wise("NotEqual", right < 0, rest < 0, dtype="bool"), left.dtype)
    return where(equal(right, 0), left / right, unary("Rint", (left - rest) / right - across))


def _remainder(left: Value, right: Value) -> Value:
    if kind_of(left) == "f":
        return left % right
    return where(equal(right, 0), 0, left % where(equal(right, 0), 1, right))


def _power(left: Value, right: Value) -> Value:
    if left.dtype.startswith("uint"):
        return cast(cast(left, "int64") ** cast(right, "int64"), left.dtype)
    if kind_of(left) == "f":
        return left**right
    small = where(equal(left, 1), 1, where(equal(left, -1), 1 - 2 * (right % 2), left * 0))
    return where(right < 0, small, left ** maximum(right, 0))


def _extreme(choose: Callable[[Operand, Operand], Value]) -> Callable[[Value, Value], Value]:
    """The larger or smaller of both; NaN if one is."""

    def compute(left: Value, right: Value) -> Value:
        chosen = choose(left, right)
        if kind_of(left) != "f":
            return chosen
        return where(unary_bool("IsNan", left), left, where(unary_bool("IsNan", right), right, chosen))

    return compute


def unary_bool(op: str, x: Value) -> Value:
    """Whether TensorFlow's `op` holds for each element."""
    return element_wise(op, x, dtype="bool")


largest, smallest = _extreme(maximum), _extreme(minimum)
for _name, _compute in (
    ("add", lambda left, right: left + right),
    ("subtract", lambda left, right: left - right),
    ("multiply", lambda left, right: left * right),
    ("floor_divide", _quotient),
    ("remainder", _remainder),
    ("power", _power),
    ("less", lambda left, right: left < right),
    ("less_equal", lambda left, right: left <= right),
    ("greater", lambda left, right: left > right),
    ("greater_equal", lambda left, right: left >= right),
    ("equal", equal),
    ("not_equal", not_equal),
):
    _two(_name, _compute)
_two("divide", lambda left, right: left / right, real=True)


@emits_operation("maximum")
def _larger(call: OperationEmission) -> Value:
    left, right = operands(call, PAIR)
    return left | right if left.dtype == "bool" else largest(left, right)


@emits_operation("minimum")
def _smaller(call: OperationEmission) -> Value:
    left, right = operands(call, PAIR)
    return left & right if left.dtype == "bool" else smallest(left, right)


@emits_operation("logical_and")
def _both(call: OperationEmission) -> Value:
    left, right = map(as_boolean, operands(call, PAIR))
    return left & right


@emits_operation("logical_or")
def _either(call: OperationEmission) -> Value:
    left, right = map(as_boolean, operands(call, PAIR))
    return left | right


def _negative(x: Value) -> Value:
    # TensorFlow makes of 0 - x, too, what it has not for numbers without sign.
    return unary("Invert", x) + 1 if x.dtype.startswith("uint") else -x


def _absolute(x: Value) -> Value:
    return x if x.dtype.startswith("uint") else unary("Abs", x)


def _sign(x: Value) -> Value:
    return cast(not_equal(x, 0), x.dtype) if x.dtype.startswith("uint") else unary("Sign", x)


def _whole(op: str, x: Value) -> Value:
    return unary(op, x) if kind_of(x) == "f" else x


def _logarithm(base: int, x: Value) -> Value:
    return unary("Log", x) / math.log(base)


for _name, _function in (
    ("negative", _negative),
    ("absolute", _absolute),
    ("sign", _sign),
    ("square", lambda x: x * x),
    ("logical_not", lambda x: equal(x, 0)),
    ("relu", lambda x: largest(x, x.body.made(0, x.dtype))),
):
    _one(_name, _function, real=False)
for _name, _op in (
    *((name, name.capitalize()) for name in ("reciprocal", "sqrt", "rsqrt", "exp", "expm1", "log", "log1p")),
    *((name, name.capitalize()) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "sigmoid", "erf")),
    ("arctan", "Atan"),
):
    _one(_name, partial(unary, _op))
for _name, _op in (("floor", "Floor"), ("ceil", "Ceil"), ("round", "Rint")):
    _one(_name, partial(_whole, _op), real=False)
for _name, _op in (("is_nan", "IsNan"), ("is_finite", "IsFinite")):
    _one(_name, partial(unary_bool, _op))
for _name, _base in (("log2", 2), ("log10", 10)):
    _one(_name, partial(_logarithm, _base))
WITH_ALPHA: dict[str, Callable[[Value, float], Value]] = {"leaky_relu": leaky_relu, "elu": elu}


@emits_operation("activate")
def _activated(call: OperationEmission) -> Value:
    x, name, alpha = floating(call, call.input), call.config["activation"], call.config["alpha"]
    return NAMED[name](x) if alpha is None or name not in WITH_ALPHA else WITH_ALPHA[name](x, alpha)


@emits_operation("where")
def _chosen(call: OperationEmission) -> Value:
    rest = OperationEmission(call.config, call.inputs[1:], call.body, call.dtype)
    return where(as_boolean(call.input), *operands(rest, ("on_true", "on_false")))


@emits_operation("clip")
def _bounded(call: OperationEmission) -> Value:
    bounds = (call.config["minimum"], call.config["maximum"])
    x, *limits = unified(call, [call.input, *(bound for bound in bounds if bound is not None)])
    for bound, choose in zip(bounds, (largest, smallest), strict=True):
        x = x if bound is None else choose(x, limits.pop(0))
    return x


@emits_operation("cast")
def _cast(call: OperationEmission) -> Value:
    return as_dtype(call.input, call.config["dtype"])
