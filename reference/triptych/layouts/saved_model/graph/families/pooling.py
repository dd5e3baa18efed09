"""Emitters of pooling: the largest element or the mean of each window, or of all positions."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce as folded
from math import prod
from operator import add
from typing import Any

from triptych.layouts.saved_model.graph.attributes import Type
from triptych.layouts.saved_model.graph.elementary import cast, maximum, reduce, total
from triptych.layouts.saved_model.graph.emission import Emission, emits
from triptych.layouts.saved_model.graph.shaping import cut, expand, extent, extents, fill, pad, reshape, squeeze, stack
from triptych.layouts.saved_model.graph.values import Value
from triptych.layouts.saved_model.graph.windows import Windows, as_given, channels_last
from triptych.vocabulary.arrays import np

RANKS = (1, 2, 3)


def _windows(call: Emission) -> Windows:
    config = call.config
    size = config["pool_size"]
    return Windows(size, config["strides"] or size, config["padding"], config.get("dilation_rate") or [1] * len(size), config["ceil_mode"])


def _counts(x: Value, windows: Windows) -> list[int | None]:
    counts = []
    for whole, span, stride in zip(x.shape[1:-1], windows.spans, windows.strides, strict=True):
        room = None if whole is None else whole - (span if windows.padding == "valid" else 1)
        counts.append(None if room is None else room // stride + 1)
    return counts


def _pooled(op: str, x: Value, windows: Windows) -> Value:
    """TensorFlow's own pooling in plain windows."""
    if len(windows.size) == 1:
        flat = Windows([1, *windows.size], [1, *windows.strides], windows.padding, [1, *windows.dilation])
        return squeeze(_pooled(op, expand(x, 1), flat), [1])
    name = f"{op}Pool3D" if len(windows.size) == 3 else f"{op}Pool"
    more: dict[str, Any] = {"ksize": [1, *windows.size, 1], "strides": [1, *windows.strides, 1], "padding": windows.rule}
    return x.body.one(name, [x], x.dtype, (x.shape[0], *_counts(x, windows), x.shape[-1]), T=Type(x.dtype), **more)


def _lowest(x: Value) -> float | int:
    """What no element of `x` is smaller than."""
    return int(np.iinfo(x.dtype).min) if "int" in x.dtype else float("-inf")


def _has_none(x: Value) -> bool:
    """Whether TensorFlow's own pooling does not know such a value: of volumes, that is all but float32."""
    return x.ndim == 5 and x.dtype != "float32"


@emits(*(f"MaxPooling{rank}D" for rank in RANKS))
def _largest(call: Emission) -> Value:
    x, windows = channels_last(call.input, call.config["data_format"]), _windows(call)
    if not windows.is_plain:
        x, windows = windows.padded(x, _lowest(x)), Windows(windows.size, windows.strides, "valid", windows.dilation)
    if any(one > 1 for one in windows.dilation) or _has_none(x):
        y = folded(maximum, (under for _, under in windows.places(windows.padded(x, _lowest(x)))))
    else:
        y = _pooled("Max", x, windows)
    return as_given(y, call.config["data_format"])


@emits(*(f"AveragePooling{rank}D" for rank in RANKS))
def _mean(call: Emission) -> Value:
    x, windows = channels_last(call.input, call.config["data_format"]), _windows(call)
    if windows.is_plain and (windows.padding == "valid" or not call.config["count_include_pad"]) and not _has_none(x):
        y = _pooled("Avg", x, windows)
    else:
        # Both means have the same divisor: what is left is the sum divided by how many elements count.
        y = _means(windows.padded(x), windows) / _means(_counting(call, x, windows), windows)
    return as_given(y, call.config["data_format"])


def _means(x: Value, windows: Windows) -> Value:
    """The mean of each window on `x`, which has all that they reach over."""
    plain = Windows(windows.size, windows.strides, "valid", windows.dilation)
    if _has_none(x):
        return folded(add, (under for _, under in plain.places(x))) / prod(windows.size)
    return _pooled("Avg", x, plain)


def _counting(call: Emission, x: Value, windows: Windows) -> Value:
    """1 for each element that a mean counts and 0 for each other, under all windows."""
    ones = fill(x, [1, *extents(x)[1:-1], 1], 1, x.dtype)
    if not call.config["count_include_pad"]:
        return windows.padded(ones)
    pads = windows.pads(x)
    return pad(pad(ones, dict(enumerate(pads, 1)), 1), dict(enumerate(windows.overhang(x, pads), 1)))


def _globally(call: Emission, y: Value) -> Value:
    """`y`, one row of channels for each element of the batch, with the spatial axes if they stay."""
    if not call.config["keepdims"]:
        return y
    for _ in range(call.input.ndim - 2):
        y = expand(y, 1)
    return as_given(y, call.config["data_format"])


def _positions(x: Value) -> range:
    """The spatial axes of a value whose channels stand last."""
    return range(1, x.ndim - 1)


@emits(*(f"GlobalMaxPooling{rank}D" for rank in RANKS))
def _global_largest(call: Emission) -> Value:
    x = channels_last(call.input, call.config["data_format"])
    return _globally(call, reduce("Max", x, _positions(x)))


@emits(*(f"GlobalAveragePooling{rank}D" for rank in RANKS))
def _global_mean(call: Emission) -> Value:
    x = channels_last(call.input, call.config["data_format"])
    if call.mask is None or x.ndim != 3:
        return _globally(call, reduce("Mean", x, _positions(x)))
    counts = expand(cast(call.mask, x.dtype), -1)
    return _globally(call, total(x * counts, [1]) / total(counts, [1]))


@emits(*(f"AdaptiveMaxPooling{rank}D" for rank in RANKS))
def _adapted_largest(call: Emission) -> Value:
    return _adapted(call, lambda x, axis: reduce("Max", x, [axis]))


@emits(*(f"AdaptiveAveragePooling{rank}D" for rank in RANKS))
def _adapted_mean(call: Emission) -> Value:
    return _adapted(call, lambda x, axis: reduce("Mean", x, [axis]))


def _adapted(call: Emission, pooled: Callable[[Value, int], Value]) -> Value:
    """The input with each spatial axis in its turn pooled to the extent wanted."""
    y = channels_last(call.input, call.config["data_format"])
    for axis, wanted in enumerate(call.config["output_size"], 1):
        whole = extent(y, axis)
        if wanted is None or wanted == whole:
            continue
        if isinstance(whole, int) and whole % wanted == 0:
            shape = extents(y)
            y = pooled(reshape(y, [*shape[:axis], wanted, whole // wanted, *shape[axis + 1 :]]), axis + 1)
            continue
        edges = [(whole * i // wanted, (whole * (i + 1) + (wanted - 1)) // wanted) for i in range(wanted)]
        y = stack([pooled(cut(y, {axis: (begin, end, 1)}), axis) for begin, end in edges], axis)
    return as_given(y, call.config["data_format"])
