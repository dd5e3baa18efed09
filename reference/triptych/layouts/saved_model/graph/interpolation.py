"""Resizing along one axis: where an element of the result falls between those of the input, and how these are weighted."""

from __future__ import annotations

from collections.abc import Mapping

from triptych.layouts.saved_model.graph.elementary import cast, clip, largest, maximum, minimum, total, unary, where
from triptych.layouts.saved_model.graph.shaping import reshape, stack, steps, take
from triptych.layouts.saved_model.graph.values import Extent, Value
from triptych.model import Json


def resized(x: Value, axis: int, target: Extent, config: Mapping[str, Json]) -> Value:
    """`x` with the extent `target` along `axis`, by the `interpolation` and the other members of `config`."""
    from triptych.layouts.saved_model.graph.shaping import extent

    before, method = extent(x, axis), config["interpolation"]
    numbers = steps(x, target)
    if method == "nearest_floor":
        return take(x, numbers * before // target, axis)
    wide = cast(numbers, "float64")
    if config["align_corners"]:
        places = wide * (_wide(before - 1) / _wide(largest(target - 1, 1)))
    else:
        places = (wide + 0.5) * (_wide(before) / _wide(target)) - 0.5
    if method == "nearest":
        return take(x, _inside(unary("Floor", places + 0.5), before), axis)
    low = unary("Floor", places)
    part = places - low
    offsets = range(-1, 3) if method == "bicubic" else range(2)
    weights = [1 - part, part]
    if method == "bicubic":
        weights = [_cubic(unary("Abs", part - offset), config["cubic_coefficient"]) for offset in offsets]
        if config["exclude_outside"]:
            inside = [cast((low + offset >= 0) & (low + offset < _wide(before)), "float64") for offset in offsets]
            counted = [weight * counts for weight, counts in zip(weights, inside, strict=True)]
            whole = total(stack(counted, 0), [0])
            weights = [weight / whole for weight in counted]
    shape = [-1 if one == axis else 1 for one in range(x.ndim)]
    parts = [
        take(x, _inside(low + offset, before), axis) * reshape(cast(weight, x.dtype), shape) for offset, weight in zip(offsets, weights, strict=True)
    ]
    y = parts[0]
    for one in parts[1:]:
        y = y + one
    return y


def _wide(extent: Extent) -> Value | float:
    """An extent as a number of float64."""
    return cast(extent, "float64") if isinstance(extent, Value) else float(extent)


def _inside(places: Value, before: Extent) -> Value:
    """`places` as indices of `before` elements; one outside becomes the outermost."""
    last = _wide(before - 1)
    return cast(clip(places, 0, last) if isinstance(last, float) else minimum(maximum(places, 0), last), "int32")


def _cubic(distance: Value, a: float) -> Value:
    """The weight of an element at `distance` (0 … 2)."""
    near = ((a + 2) * distance - (a + 3)) * distance * distance + 1
    far = a * (((distance - 5) * distance + 8) * distance - 4)
    return where(distance <= 1, near, far)
