"""Emitters of types that move, repeat, add or drop elements and compute nothing new."""

from __future__ import annotations

from math import prod

from triptych.layouts.saved_model.graph.elementary import product
from triptych.layouts.saved_model.graph.emission import Emission, emits
from triptych.layouts.saved_model.graph.shaping import (
    cut,
    expand,
    extent,
    extents,
    join,
    mirror,
    move_axis,
    pad,
    reshape,
    stretch,
    tile,
    transpose,
)
from triptych.layouts.saved_model.graph.values import Value
from triptych.layouts.saved_model.graph.windows import as_given, channels_last

RANKS = (1, 2, 3)


@emits("Flatten")
def _flattened(call: Emission) -> Value:
    x = call.input
    if call.config["data_format"] == "channels_first" and x.ndim > 1:
        x = move_axis(x, 1, -1)
    batch, *rest = extents(x)
    return reshape(x, [batch, product(rest)])


@emits("Reshape")
def _reshaped(call: Emission) -> Value:
    x, target = call.input, call.config["target_shape"]
    batch, *rest = extents(x)
    known = max(prod(one for one in target if one != -1), 1)
    return reshape(x, [batch, *(product(rest) // known if one == -1 else one for one in target)])


@emits("Permute")
def _permuted(call: Emission) -> Value:
    return transpose(call.input, [0, *call.config["dims"]])


@emits("RepeatVector")
def _repeated(call: Emission) -> Value:
    return tile(expand(call.input, 1), {1: call.config["n"]})


@emits(*(f"ZeroPadding{rank}D" for rank in RANKS))
def _zero_padded(call: Emission) -> Value:
    data_format = call.config.get("data_format", "channels_last")
    x = channels_last(call.input, data_format)
    return as_given(pad(x, {axis: tuple(pair) for axis, pair in enumerate(call.config["padding"], 1)}), data_format)


@emits(*(f"Cropping{rank}D" for rank in RANKS))
def _cropped(call: Emission) -> Value:
    data_format = call.config.get("data_format", "channels_last")
    x = channels_last(call.input, data_format)
    ends = {axis: (begin, extent(x, axis) - end, 1) for axis, (begin, end) in enumerate(call.config["cropping"], 1)}
    return as_given(cut(x, ends), data_format)


@emits(*(f"Padding{rank}D" for rank in RANKS))
def _padded(call: Emission) -> Value:
    config, x = call.config, channels_last(call.input, call.config["data_format"])
    pairs = {axis: tuple(pair) for axis, pair in enumerate(config["padding"], 1)}
    match config["mode"]:
        case "constant":
            y = pad(x, pairs, config["value"])
        case "reflect" | "symmetric" as mode:
            y = mirror(x, pairs, edge=mode == "symmetric")
        case mode:
            y = x
            for axis, (before, after) in pairs.items():
                y = around(y, axis, before, after, edge=mode == "edge")
    return as_given(y, config["data_format"])


def around(x: Value, axis: int, before: int, after: int, *, edge: bool) -> Value:
    """`x` with its outermost element repeated around it, or with what stands at its other end."""
    whole = extent(x, axis)
    parts = [x]
    for count, place in ((before, 0), (after, -1)):
        if not count:
            continue
        if edge:
            outermost = cut(x, {axis: (0, 1, 1) if place == 0 else (whole - 1, whole, 1)})
            parts.insert(0 if place == 0 else len(parts), stretch(outermost, [count if one == axis else length for one, length in enumerate(extents(x))]))
        else:
            other = cut(x, {axis: (whole - count, whole, 1) if place == 0 else (0, count, 1)})
            parts.insert(0 if place == 0 else len(parts), other)
    return join(parts, axis)
