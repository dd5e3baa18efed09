"""Emitters of types that turn raw numbers into what a network takes."""

from __future__ import annotations

from collections.abc import Sequence

from triptych.layouts.saved_model.graph.attributes import Type
from triptych.layouts.saved_model.graph.elementary import cast, is_floating, maximum, unary
from triptych.layouts.saved_model.graph.emission import Emission, emits
from triptych.layouts.saved_model.graph.encoding import encode
from triptych.layouts.saved_model.graph.shaping import extents, fill, reshape
from triptych.layouts.saved_model.graph.values import Value
from triptych.vocabulary.preprocessing import LEAST, listed


@emits("Normalization")
def _normalized(call: Emission) -> Value:
    x, config = cast(call.input, call.dtype), call.config
    kept = sorted(axis % x.ndim for axis in listed(config["axis"]))
    mean, variance = (_along(call, name, kept) for name in ("mean", "variance"))
    deviation = maximum(unary("Sqrt", variance), LEAST)
    return x * deviation + mean if config["invert"] else (x - mean) / deviation


def _along(call: Emission, name: str, kept: Sequence[int]) -> Value:
    """The statistic `name`, with its axes where the input has them."""
    given = call.config[name]
    value = call.weights[name] if given is None else call.body.made(given, call.dtype)
    shape = [1] * call.input.ndim
    for axis, extent in zip(reversed(kept), reversed(extents(value)), strict=False):
        assert isinstance(extent, int)
        shape[axis] = extent
    return reshape(value, shape) if value.ndim else value


@emits("Discretization")
def _in_bins(call: Emission) -> Value:
    x = call.input if is_floating(call.input) else cast(call.input, "float64")
    boundaries = call.config["bin_boundaries"]
    if not boundaries:
        return encode(call, fill(x, extents(x), 0, "int64"), 1)
    given = [x.body.made([boundaries], x.dtype), reshape(x, [1, -1])]
    places = x.body.one("UpperBound", given, "int64", (1, None), T=Type(x.dtype), out_type=Type("int64"))
    return encode(call, reshape(places, extents(x)), len(boundaries) + 1)


@emits("CategoryEncoding")
def _categories(call: Emission) -> Value:
    return encode(call, call.input, call.config["num_tokens"])
