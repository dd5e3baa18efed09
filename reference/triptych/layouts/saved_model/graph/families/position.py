"""Emitters of types that tell layers after them where in a sequence an element stands."""

from __future__ import annotations

from triptych.layouts.saved_model.graph.elementary import cast, unary
from triptych.layouts.saved_model.graph.emission import Emission, emits
from triptych.layouts.saved_model.graph.shaping import (
    cut,
    expand,
    extent,
    extents,
    join,
    reshape,
    stack,
    steps,
    stretch,
    transpose,
)
from triptych.layouts.saved_model.graph.values import Extent, Value
from triptych.vocabulary.arrays import np


def _start(call: Emission) -> Extent:
    """The position of the first step: a literal, or a scalar of int32."""
    given = call.arguments.get("start_index", 0)
    return cast(given, "int32") if isinstance(given, Value) else given


def _angles(call: Emission, count: Extent, features: Extent) -> Value:
    """Position times frequency, in float64: of each of `count` steps, for each of `features` // 2 pairs."""
    positions = cast(steps(call.input, count) + _start(call), "float64")
    if isinstance(features, int):
        frequencies = call.input.body.constant(call.config["max_wavelength"] ** (-np.arange(0, features, 2, dtype=np.float64) / features))
    else:
        pairs = cast(steps(call.input, features // 2) * 2, "float64") / cast(features, "float64")
        frequencies = call.config["max_wavelength"] ** -pairs
    return expand(positions, 1) * frequencies


def _put(first: Value, second: Value, layout: str) -> Value:
    """The two elements of each pair, as `layout` places them along the last axis."""
    if layout == "halves":
        return join([first, second], -1)
    *outer, pairs = extents(first)
    return reshape(stack([first, second], -1), [*outer, pairs * 2])


@emits("RotaryEmbedding")
def _rotate(call: Emission) -> Value:
    config, rank = call.config, call.input.ndim
    last = [config["sequence_axis"] % rank, config["feature_axis"] % rank]
    order = [axis for axis in range(rank) if axis not in last] + last
    x = transpose(call.input, order)
    whole = extent(x, -1)
    count = config["rotary_dim"] or whole
    turned, rest = cut(x, {-1: (0, count, 1)}), cut(x, {-1: (count, whole, 1)})
    if config["layout"] == "halves":
        first, second = cut(turned, {-1: (0, count // 2, 1)}), cut(turned, {-1: (count // 2, count, 1)})
    else:
        first, second = cut(turned, {-1: (0, count, 2)}), cut(turned, {-1: (1, count, 2)})
    angles = _angles(call, extent(x, -2), count) / config["scaling_factor"]
    cos, sin = cast(unary("Cos", angles), call.dtype), cast(unary("Sin", angles), call.dtype)
    y = join([_put(first * cos - second * sin, second * cos + first * sin, config["layout"]), rest], -1)
    return transpose(y, [order.index(axis) for axis in range(rank)])


@emits("SinePositionEncoding")
def _waves(call: Emission) -> Value:
    outer = extents(call.input)
    angles = _angles(call, outer[-2], outer[-1])
    return stretch(cast(_put(unary("Sin", angles), unary("Cos", angles), call.config["layout"]), call.dtype), outer)


@emits("PositionEmbedding")
def _rows(call: Emission) -> Value:
    start, outer = _start(call), extents(call.input)
    rows = cut(call.weights["embeddings"], {0: (start, start + outer[-2], 1)})
    return stretch(rows, [*outer[:-1], extent(rows, -1)])
