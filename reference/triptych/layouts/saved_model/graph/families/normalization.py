"""Emitters of normalisation by batch, layer, group or unit length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from triptych.layouts.saved_model.graph.attributes import Type
from triptych.layouts.saved_model.graph.elementary import maximum, mean, product, total, unary
from triptych.layouts.saved_model.graph.emission import Emission, emits
from triptych.layouts.saved_model.graph.shaping import cut, extent, extents, move_axis, pad, reshape, transpose
from triptych.layouts.saved_model.graph.values import Value, innermost
from triptych.model import Json
from triptych.vocabulary.arrays import np


def _axes(axis: Json, x: Value) -> list[int]:
    """An axis or axes of `x`, counted from the front."""
    return [one % x.ndim for one in (axis if isinstance(axis, list) else [axis])]


def _along(weight: Value, axis: Json, x: Value) -> Value:
    """`weight`, whose axes are those of `x` that `axis` names, in the shape that stretches to `x`."""
    axes = _axes(axis, x)
    order = sorted(range(len(axes)), key=axes.__getitem__)
    if axes == [x.ndim - 1]:
        return weight
    return reshape(transpose(weight, order), [weight.shape[axes.index(one)] or 0 if one in axes else 1 for one in range(x.ndim)])


def _affine(call: Emission, y: Value) -> Value:
    """`y` × gamma + beta, as far as there are such."""
    axis = call.config["axis"]
    if call.config["scale"]:
        y = y * _along(call.weights["gamma"], axis, y)
    return y + _along(call.weights["beta"], axis, y) if call.config["center"] else y


def _standardized(x: Value, axes: Sequence[int], epsilon: float) -> Value:
    """`x` less its mean along `axes`, divided by the root of its variance plus `epsilon`."""
    centred = x - mean(x, axes, keepdims=True)
    return centred / unary("Sqrt", mean(centred * centred, axes, keepdims=True) + epsilon)


LEAST_EPSILON = 1.001e-5
"""What TensorFlow's own operation needs on some devices."""


@emits("BatchNormalization")
def _by_moving(call: Emission) -> Value:
    x, axis = call.input, call.config["axis"]
    if x.ndim == 4 and axis in (-1, 3) and x.dtype == "float32" and call.config["epsilon"] >= LEAST_EPSILON:
        return _by_one_operation(call)
    centre, variance = (_along(call.weights[role], axis, x) for role in ("moving_mean", "moving_variance"))
    return _affine(call, (x - centre) / unary("Sqrt", variance + call.config["epsilon"]))


def _by_one_operation(call: Emission) -> Value:
    """What TensorFlow computes in one with a convolution before it and an activation after it."""
    x, weights = call.input, call.weights
    channels = [one or 0 for one in weights["moving_mean"].shape]
    gamma = weights.get("gamma", x.body.constant(np.ones(channels, np.float32)))
    beta = weights.get("beta", x.body.constant(np.zeros(channels, np.float32)))
    given = [x, gamma, beta, weights["moving_mean"], weights["moving_variance"]]
    results = [(x.dtype, x.shape), *[(x.dtype, (channels[0],))] * 4, (x.dtype, (None,))]
    more: dict[str, Any] = {"T": Type(x.dtype), "U": Type(x.dtype), "epsilon": float(call.config["epsilon"]), "is_training": False}
    return innermost(given).node("FusedBatchNormV3", given, results, **more)[0]


@emits("LayerNormalization")
def _by_layer(call: Emission) -> Value:
    return _affine(call, _standardized(call.input, _axes(call.config["axis"], call.input), call.config["epsilon"]))


@emits("GroupNormalization")
def _by_group(call: Emission) -> Value:
    x, axis = move_axis(call.input, call.config["axis"], 1), call.config["axis"] % call.input.ndim
    batch, channels, *rest = extents(x)
    groups = call.config["groups"] if call.config["groups"] != -1 else channels
    parts = reshape(x, [batch, groups, (channels // groups) * product(rest)])
    y = reshape(_standardized(parts, [2], call.config["epsilon"]), [batch, channels, *rest])
    return _affine(call, move_axis(y, 1, axis))


@emits("RMSNormalization")
def _by_root_mean_square(call: Emission) -> Value:
    x, axis = call.input, call.config["axis"]
    square = mean(x * x, _axes(axis, x), keepdims=True)
    return x / unary("Sqrt", square + call.config["epsilon"]) * _along(call.weights["scale"], axis, x)


@emits("UnitNormalization")
def _by_length(call: Emission) -> Value:
    x = call.input
    square = total(x * x, _axes(call.config["axis"], x), keepdims=True)
    return x / unary("Sqrt", maximum(square, 1e-12))


@emits("InstanceNormalization")
def _by_instance(call: Emission) -> Value:
    x, axis = call.input, call.config["axis"] % call.input.ndim
    if call.config["track_statistics"]:
        return _by_moving(call)
    positions = [one for one in range(1, x.ndim) if one != axis]
    return _affine(call, _standardized(x, positions, call.config["epsilon"]))


@emits("LocalResponseNormalization")
def _by_neighbours(call: Emission) -> Value:
    config, x = call.config, move_axis(call.input, call.config["axis"], -1)
    size, channels = config["size"], extent(x, -1)
    square = pad(x * x, {x.ndim - 1: (size // 2, (size - 1) // 2)})
    parts = [cut(square, {-1: (at, channels + at, 1)}) for at in range(size)]
    sums = parts[0]
    for part in parts[1:]:
        sums = sums + part
    share = config["alpha"] / size if config["divide_by_size"] else config["alpha"]
    y = x / (config["bias"] + share * sums) ** config["beta"]
    return move_axis(y, -1, config["axis"] % x.ndim)


@emits("SpectralNormalization")
def _by_spectrum(call: Emission) -> list[Value]:
    return call.apply("layer", call.inputs, call.masks)[0]
