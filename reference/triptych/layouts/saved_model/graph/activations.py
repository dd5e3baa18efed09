"""Activations by name: what the config member `activation` of many types applies to a value."""

from __future__ import annotations

import math
from collections.abc import Callable

from triptych.errors import shorten
from triptych.layouts.saved_model.graph.attributes import Type
from triptych.layouts.saved_model.graph.elementary import cast, clip, maximum, minimum, reduce, total, unary, where
from triptych.layouts.saved_model.graph.emission import LAYER_EMITTERS, Emission, Refusal
from triptych.layouts.saved_model.graph.shaping import extent, steps
from triptych.layouts.saved_model.graph.values import Value
from triptych.model import Json
from triptych.vocabulary import layer_type
from triptych.vocabulary.activations import SELU_ALPHA, SELU_SCALE


def softmax(x: Value, axes: tuple[int, ...] = (-1,)) -> Value:
    """exp(x) / sum of exp(x) along `axes`."""
    if [axis % x.ndim for axis in axes] == [x.ndim - 1]:
        return unary("Softmax", x)
    powers = unary("Exp", x - reduce("Max", x, axes, keepdims=True))
    return powers / total(powers, axes, keepdims=True)


def softplus(x: Value) -> Value:
    """log(1 + exp(x)), written so that the exponential does not overflow."""
    return maximum(x, 0) + unary("Log1p", unary("Exp", -unary("Abs", x)))


def elu(x: Value, alpha: float = 1.0) -> Value:
    """`x` where x > 0, else alpha × (exp(x) - 1)."""
    if alpha == 1:
        return unary("Elu", x)
    return where(x > 0, x, alpha * unary("Expm1", minimum(x, 0)))


def gelu(x: Value) -> Value:
    """`x` × Φ(x)."""
    return x * (0.5 * unary("Erfc", x * -math.sqrt(0.5)))


def gelu_tanh(x: Value) -> Value:
    """The approximation of `gelu` by a hyperbolic tangent."""
    return 0.5 * x * (1 + unary("Tanh", math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))))


def leaky_relu(x: Value, negative_slope: float = 0.2) -> Value:
    """`x` where x > 0, else negative_slope × x."""
    if x.dtype == "float32":
        # The attribute has no more digits than that.
        return x.body.one("LeakyRelu", [x], x.dtype, x.shape, T=Type(x.dtype), alpha=float(negative_slope))
    return where(x > 0, x, negative_slope * x)


def hard_sigmoid(x: Value) -> Value:
    """relu6(x + 3) / 6."""
    return unary("Relu6", x + 3) / 6


def sparse_plus(x: Value) -> Value:
    """0 below -1, x above 1, a parabola in between."""
    return where(x <= -1, 0, where(x < 1, (x + 1) * (x + 1) / 4, x))


def sparsemax(x: Value) -> Value:
    """The point of the simplex nearest to x, along the last axis."""
    count = extent(x, -1)
    wanted = x.body.made(count, "int32")
    falling, _ = x.body.node("TopKV2", [x, wanted], [(x.dtype, x.shape), ("int32", x.shape)], T=Type(x.dtype))
    ranks = cast(steps(x, count), x.dtype) + 1
    last = x.body.made(x.ndim - 1, "int32")
    sums = x.body.one("Cumsum", [falling, last], x.dtype, x.shape, T=Type(x.dtype), Tidx=Type("int32"))
    counted = cast(1 + ranks * falling > sums, x.dtype)
    kept = total(counted, [-1], keepdims=True)
    threshold = (total(falling * counted, [-1], keepdims=True) - 1) / kept
    return maximum(x - threshold, 0)


NAMED: dict[str, Callable[[Value], Value]] = {
    "linear": lambda x: x,
    "relu": lambda x: unary("Relu", x),
    "relu6": lambda x: unary("Relu6", x),
    "sigmoid": lambda x: unary("Sigmoid", x),
    "tanh": lambda x: unary("Tanh", x),
    "softmax": softmax,
    "log_softmax": lambda x: unary("LogSoftmax", x),
    "softplus": softplus,
    "softsign": lambda x: x / (1 + unary("Abs", x)),
    "elu": elu,
    "selu": lambda x: SELU_SCALE * elu(x, SELU_ALPHA),
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "silu": lambda x: x * unary("Sigmoid", x),
    "mish": lambda x: x * unary("Tanh", softplus(x)),
    "exponential": lambda x: unary("Exp", x),
    "leaky_relu": leaky_relu,
    "hard_sigmoid": hard_sigmoid,
    "hard_sigmoid_keras2": lambda x: clip(0.2 * x + 0.5, 0, 1),
    "hard_silu": lambda x: x * hard_sigmoid(x),
    "hard_tanh": lambda x: clip(x, -1, 1),
    "hard_shrink": lambda x: where(unary("Abs", x) > 0.5, x, 0),
    "soft_shrink": lambda x: unary("Sign", x) * maximum(unary("Abs", x) - 0.5, 0),
    "tanh_shrink": lambda x: x - unary("Tanh", x),
    "log_sigmoid": lambda x: -softplus(-x),
    "squareplus": lambda x: (x + unary("Sqrt", x * x + 4)) / 2,
    "sparse_plus": sparse_plus,
    "sparse_sigmoid": lambda x: clip((x + 1) / 2, 0, 1),
    "sparsemax": sparsemax,
}
"""Name -> what it makes of floating-point numbers, in their dtype."""


def activate(activation: Json, x: Value) -> Value:
    """`x` after `activation`, which a config gives as a name, or as an object with a type and its config.

    Raises:
        Refusal: It is of an extension.
    """
    if isinstance(activation, str) and activation in NAMED:
        return NAMED[activation](x)
    name = activation if isinstance(activation, str) else activation["type"]
    found, emitter = (None, None) if isinstance(activation, str) else (layer_type(name), LAYER_EMITTERS.get(name))
    if found is None or emitter is None or found.weights:
        raise Refusal(f"expected an activation of the vocabulary, got {shorten(name)}")
    result = emitter.emit(Emission(found.resolve(activation.get("config", {})), (x,), {}, x.dtype))
    assert not isinstance(result, list)
    return result
