"""Pooling: the largest element or the mean of each window, or of all positions."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import prod

from triptych.errors import Problem, UnsupportedError
from triptych.model import Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, define
from triptych.vocabulary.extents import axis_padding, channel_axis, filled, spatial_axes, text, windows, with_spatial
from triptych.vocabulary.formula import Evaluation, drop_mask
from triptych.vocabulary.kinds import BOOLEAN, open_sizes, optional, padding, sizes
from triptych.vocabulary.members import DATA_FORMAT
from triptych.vocabulary.windowing import Windows, as_given, channels_last

FAMILY = "Pooling"


def _pooling(call: LayerCall) -> Shape:
    config, shape = call.config, call.input
    strides = config["strides"] or config["pool_size"]
    extents = [
        windows(
            shape[axis],
            config["pool_size"][i],
            strides[i],
            axis_padding(config["padding"], i),
            dilation=config.get("dilation_rate", [1] * len(strides))[i],
            ceil=config["ceil_mode"],
        )
        for i, axis in enumerate(spatial_axes(len(shape), config["data_format"]))
    ]
    return with_spatial(shape, extents, config["data_format"])


def _global_pooling(call: LayerCall) -> Shape:
    data_format = call.config["data_format"]
    shape = filled(call.input, data_format)
    if call.config["keepdims"]:
        return with_spatial(shape, [1] * (len(shape) - 2), data_format)
    return (shape[0], shape[channel_axis(data_format)])


def _windows(call: Evaluation, x: Array, fill: float) -> Windows:
    config = call.config
    strides = config["strides"] or config["pool_size"]
    dilation = config.get("dilation_rate")
    return Windows(x, config["pool_size"], strides, config["padding"], dilation, ceil=config["ceil_mode"], fill=fill)


def _least(x: Array) -> float:
    """What no element of `x` is below."""
    if x.dtype.kind == "b":
        return False
    return int(np.iinfo(x.dtype).min) if x.dtype.kind in "iu" else -np.inf


def _largest(call: Evaluation) -> Array:
    x = channels_last(call.input, call.config["data_format"])
    y = reduce(np.maximum, (under for _, under in _windows(call, x, _least(x))))
    return as_given(y, call.config["data_format"])


def _mean(call: Evaluation) -> Array:
    x = channels_last(call.input, call.config["data_format"])
    counted = _windows(call, np.ones((1, *x.shape[1:-1], 1), x.dtype), 0)
    if call.config["count_include_pad"]:
        counted.count_padding()
    return as_given(_windows(call, x, 0).total() / counted.total(), call.config["data_format"])


def _globally(call: Evaluation, y: Array) -> Array:
    """`y`, one row of channels for each element of the batch, with the spatial axes if they stay."""
    if not call.config["keepdims"]:
        return y
    return as_given(y.reshape(len(y), *[1] * (call.input.ndim - 2), y.shape[-1]), call.config["data_format"])


def _positions(call: Evaluation) -> Array:
    """The input as (batch, positions, channels)."""
    x = channels_last(call.input, call.config["data_format"])
    return x.reshape(len(x), prod(x.shape[1:-1]), x.shape[-1])


def _global_largest(call: Evaluation) -> Array:
    return _globally(call, _positions(call).max(axis=1))


def _global_mean(call: Evaluation) -> Array:
    x = _positions(call)
    if call.mask is None or call.input.ndim != 3:
        return _globally(call, x.mean(axis=1, dtype=call.dtype))
    if call.mask.shape != x.shape[:2]:
        message = f"expected a mask of the {x.shape[1]} positions, got one of {text(call.mask.shape)}"
        raise UnsupportedError((Problem("LAYER_NOT_EVALUABLE", "", "", message),))
    counts = call.mask[..., None].astype(call.dtype)
    return _globally(call, (x * counts).sum(axis=1) / counts.sum(axis=1))


def _adaptive_pooling(call: LayerCall) -> Shape:
    config, shape = call.config, filled(call.input, call.config["data_format"])
    axes = spatial_axes(len(shape), config["data_format"])
    extents = [shape[axis] if extent is None else extent for axis, extent in zip(axes, config["output_size"], strict=True)]
    return with_spatial(shape, extents, config["data_format"])


def _adapted(call: Evaluation, pooled: Callable[..., Array]) -> Array:
    """The input with each spatial axis in its turn pooled to the extent wanted."""
    y = channels_last(call.input, call.config["data_format"])
    for axis, wanted in enumerate(call.config["output_size"], 1):
        before = y.shape[axis]
        count = before if wanted is None else wanted
        parts = [range(before)[i * before // count : -(-(i + 1) * before // count)] for i in range(count)]
        y = np.stack([pooled(np.take(y, part, axis=axis), axis=axis) for part in parts], axis=axis)
    return as_given(y, call.config["data_format"])


def _adapted_largest(call: Evaluation) -> Array:
    return _adapted(call, np.max)


def _adapted_mean(call: Evaluation) -> Array:
    return _adapted(call, np.mean)


_COUNT_PAD = Field("count_include_pad", BOOLEAN, "Whether padding counts as elements of value 0.", default=False)
_KEEPDIMS = Field("keepdims", BOOLEAN, "Whether the spatial axes stay, with extent 1.", default=False)

for _rank in (1, 2, 3):
    _dilation = Field("dilation_rate", sizes(_rank), "Distances between the elements of a window.", [1] * _rank)
    for _what, _verb, _extra, _torch, _equation, _formula, _global_formula, _adaptive_formula in (
        ("Max", "Takes the largest element", (_dilation,), "Max", "max", _largest, _global_largest, _adapted_largest),
        ("Average", "Takes the mean", (_COUNT_PAD,), "Avg", "mean", _mean, _global_mean, _adapted_mean),
    ):
        define(
            f"{_what}Pooling{_rank}D",
            FAMILY,
            f"{_verb} of each window.",
            words="batch; along each spatial axis the number of windows of `pool_size`; the input's channels",
            rule=_pooling,
            fields=(
                Field("pool_size", sizes(_rank), "Extents of a window."),
                Field("strides", optional(sizes(_rank)), "Steps between windows; null: `pool_size`.", None),
                Field("padding", padding(_rank), "What is added around the input; the padding is never the largest.", "valid"),
                DATA_FORMAT,
                Field("ceil_mode", BOOLEAN, "Whether a last window may hang over the end.", default=False),
                *_extra,
            ),
            rank=(_rank + 2, _rank + 2),
            torch=f"torch.nn.{_torch}Pool{_rank}d",
            equation=f"y[p, c] = {_equation} over window positions k of x[p × strides + k{' × dilation_rate' if _extra == (_dilation,) else ''} - begin, c], for those that count",
            keeps_dtype=_what == "Max",
            formula=_formula,
            mask=drop_mask,
        )
        define(
            f"Global{_what}Pooling{_rank}D",
            FAMILY,
            f"{_verb} of all positions, channel by channel.",
            words="batch; with `keepdims` the spatial axes with extent 1; the input's channels",
            rule=_global_pooling,
            fields=(DATA_FORMAT, _KEEPDIMS),
            rank=(_rank + 2, _rank + 2),
            torch=f"torch.nn.Adaptive{_torch}Pool{_rank}d(1)",
            equation=f"y[c] = {_equation} over positions p of x[p, c]"
            + (", for the steps that count" if (_what, _rank) == ("Average", 1) else ""),
            keeps_dtype=_what == "Max",
            formula=_global_formula,
            mask=drop_mask,
        )
        define(
            f"Adaptive{_what}Pooling{_rank}D",
            FAMILY,
            f"{_verb} of each of as many windows as the result is to have elements, which cover the input.",
            words="batch; `output_size`, the input's extent where it is null; the input's channels",
            rule=_adaptive_pooling,
            fields=(Field("output_size", open_sizes(_rank), "Spatial extents of the result; null: the input's."), DATA_FORMAT),
            rank=(_rank + 2, _rank + 2),
            torch=f"torch.nn.Adaptive{_torch}Pool{_rank}d",
            equation=f"along each axis of n elements that become m: y[i] = {_equation} over x[j] for j from i × n / m, rounded down, up to and without (i + 1) × n / m, rounded up",
            keeps_dtype=_what == "Max",
            formula=_adaptive_formula,
            mask=drop_mask,
        )
