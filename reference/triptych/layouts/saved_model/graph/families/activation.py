"""Emitters of activations that stand as layers of their own."""

from __future__ import annotations

from triptych.layouts.saved_model.graph.activations import activate, elu, leaky_relu, softmax, softplus
from triptych.layouts.saved_model.graph.elementary import clip, maximum, minimum, unary, where
from triptych.layouts.saved_model.graph.emission import Emission, emits
from triptych.layouts.saved_model.graph.shaping import split
from triptych.layouts.saved_model.graph.values import Value


@emits("Activation")
def _activation(call: Emission) -> Value:
    return activate(call.config["activation"], call.input)


@emits("ReLU")
def _relu(call: Emission) -> Value:
    x, config = call.input, call.config
    if config["negative_slope"] == config["threshold"] == 0:
        y = unary("Relu6" if config["max_value"] == 6 else "Relu", x)
        return y if config["max_value"] in (None, 6) else minimum(y, config["max_value"])
    y = where(x > config["threshold"], x, config["negative_slope"] * (x - config["threshold"]))
    return y if config["max_value"] is None else minimum(y, config["max_value"])


@emits("LeakyReLU")
def _leaky_relu(call: Emission) -> Value:
    return leaky_relu(call.input, call.config["negative_slope"])


@emits("PReLU")
def _learned_slope(call: Emission) -> Value:
    return where(call.input >= 0, call.input, call.weights["alpha"] * call.input)


@emits("ELU")
def _elu(call: Emission) -> Value:
    return elu(call.input, call.config["alpha"])


@emits("ThresholdedReLU")
def _thresholded(call: Emission) -> Value:
    return where(call.input > call.config["theta"], call.input, 0)


@emits("Softmax")
def _softmax(call: Emission) -> Value:
    axis = call.config["axis"]
    return softmax(call.input, tuple(axis) if isinstance(axis, list) else (axis,))


@emits("GLU")
def _gate(call: Emission) -> Value:
    kept, gate = split(call.input, 2, call.config["axis"])
    return kept * activate(call.config["activation"], gate)


@emits("CELU")
def _celu(call: Emission) -> Value:
    x, alpha = call.input, call.config["alpha"]
    return where(x > 0, x, alpha * unary("Expm1", minimum(x, 0) / alpha))


@emits("HardTanh")
def _hard_tanh(call: Emission) -> Value:
    return clip(call.input, call.config["min_value"], call.config["max_value"])


@emits("HardShrink")
def _hard_shrunk(call: Emission) -> Value:
    return where(unary("Abs", call.input) > call.config["threshold"], call.input, 0)


@emits("SoftShrink")
def _soft_shrunk(call: Emission) -> Value:
    return unary("Sign", call.input) * maximum(unary("Abs", call.input) - call.config["threshold"], 0)


@emits("Threshold")
def _threshold(call: Emission) -> Value:
    return where(call.input > call.config["threshold"], call.input, call.config["value"])


@emits("Softplus")
def _softplus(call: Emission) -> Value:
    scaled = call.input * call.config["beta"]
    return where(scaled > call.config["threshold"], call.input, softplus(scaled) / call.config["beta"])
