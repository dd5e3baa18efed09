"""Convolutions: plain, transposed, separable and depthwise, in one to three spatial axes."""

from __future__ import annotations

from itertools import product as combinations
from typing import Any

from triptych.model import Shape
from triptych.vocabulary.activations import activate
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import Extent, axis_padding, channel_axis, spatial_axes, windows, with_spatial
from triptych.vocabulary.formula import Evaluation, drop_mask
from triptych.vocabulary.kinds import SIZE, counts, optional, padding, sizes
from triptych.vocabulary.members import ACTIVATION_MEMBER, DATA_FORMAT, USE_BIAS, weight_members
from triptych.vocabulary.windowing import Windows, as_given, channels_last

FAMILY = "Convolution"
RULE = "batch; along each spatial axis the number of windows of `kernel_size`; {channels} channels"


def _spatial(call: LayerCall) -> list[Extent]:
    """The spatial extents of a convolution's result."""
    config, shape = call.config, call.input
    return [
        windows(
            shape[axis],
            config["kernel_size"][i],
            config["strides"][i],
            axis_padding(config["padding"], i),
            dilation=config["dilation_rate"][i],
        )
        for i, axis in enumerate(spatial_axes(len(shape), config["data_format"]))
    ]


def _check_groups(call: LayerCall) -> None:
    """Raise unless `groups` divides the channels on both sides."""
    groups, channels = call.config["groups"], call.input[channel_axis(call.config["data_format"])]
    for name, count in (("input channels", channels), ("filters", call.config["filters"])):
        if count is not None and count % groups:
            raise ShapeError(f"expected a number of {name} that {groups} groups divide, got {count}")


def _convolution(call: LayerCall) -> Shape:
    _check_groups(call)
    return with_spatial(call.input, _spatial(call), call.config["data_format"], channels=call.config["filters"])


def _separable(call: LayerCall) -> Shape:
    return with_spatial(call.input, _spatial(call), call.config["data_format"], channels=call.config["filters"])


def _depthwise(call: LayerCall) -> Shape:
    channels = call.input[channel_axis(call.config["data_format"])]
    shape = with_spatial(call.input, _spatial(call), call.config["data_format"])
    if channels is None:
        return shape
    return with_spatial(
        shape,
        [shape[axis] for axis in spatial_axes(len(shape), call.config["data_format"])],
        call.config["data_format"],
        channels=channels * call.config["depth_multiplier"],
    )


def _transposed_extent(extent: Extent, span: int, stride: int, pad: str | list[int], extra: int | None) -> Extent:
    """The extent whose convolution with a kernel of `span` has `extent`; `extra` settles which of several, None: the one Keras takes."""
    if extent is None:
        return None
    if isinstance(pad, str) and extra is None:
        result = extent * stride + (max(span - stride, 0) if pad == "valid" else 0)
    else:
        # The named rules take off span // 2 at both ends here, which is what an explicit output padding adds to.
        trimmed = sum(pad) if not isinstance(pad, str) else 0 if pad == "valid" else 2 * (span // 2)
        result = (extent - 1) * stride + span - trimmed + (extra or 0)
    if result < 1:
        raise ShapeError(f"expected an input that yields at least 1 element along each axis, got {extent} elements, which yield {result}")
    return result


def _transposed(call: LayerCall) -> Shape:
    _check_groups(call)
    config, shape = call.config, call.input
    spans = [(size - 1) * dilation + 1 for size, dilation in zip(config["kernel_size"], config["dilation_rate"], strict=True)]
    extra = config["output_padding"] or [None] * len(spans)
    extents = [
        _transposed_extent(shape[axis], spans[i], config["strides"][i], axis_padding(config["padding"], i), extra[i])
        for i, axis in enumerate(spatial_axes(len(shape), config["data_format"]))
    ]
    return with_spatial(shape, extents, config["data_format"], channels=config["filters"])


def _windows(call: Evaluation) -> Windows:
    config = call.config
    x = channels_last(call.input, config["data_format"])
    return Windows(x, config["kernel_size"], config["strides"], config["padding"], config["dilation_rate"])


def _finished(call: Evaluation, y: Any) -> Array:
    """`y` with bias and activation, its channels where they belong."""
    if call.config["use_bias"]:
        y = y + call.weights["bias"]
    return as_given(activate(call.config["activation"], y), call.config["data_format"])


def _convolved(call: Evaluation) -> Array:
    kernel, groups = call.weights["kernel"], call.config["groups"]
    return _finished(call, sum(_grouped(x, kernel[position], groups) for position, x in _windows(call)))


def _grouped(x: Array, matrix: Array, groups: int) -> Array:
    """Each group of channels of `x` times its columns of `matrix`."""
    if groups == 1:
        return x @ matrix
    parts = zip(np.split(x, groups, axis=-1), np.split(matrix, groups, axis=-1), strict=True)
    return np.concatenate([part @ columns for part, columns in parts], axis=-1)


def _each_channel(call: Evaluation, kernel: Array) -> Array:
    """Every channel under its own kernels, whose results stand side by side."""
    y = sum(x[..., None] * kernel[position] for position, x in _windows(call))
    return y.reshape(*y.shape[:-2], -1)


def _depthwise_convolved(call: Evaluation) -> Array:
    return _finished(call, _each_channel(call, call.weights["kernel"]))


def _separably_convolved(call: Evaluation) -> Array:
    pointwise = call.weights["pointwise_kernel"]
    return _finished(call, _each_channel(call, call.weights["depthwise_kernel"]) @ pointwise.reshape(pointwise.shape[-2:]))


def _transposed_convolved(call: Evaluation) -> Array:
    config, kernel, groups = call.config, call.weights["kernel"], call.config["groups"]
    x = channels_last(call.input, config["data_format"])
    sizes_, strides, dilation = config["kernel_size"], config["strides"], config["dilation_rate"]
    spans = [(size - 1) * step + 1 for size, step in zip(sizes_, dilation, strict=True)]
    whole = [(extent - 1) * stride + span for extent, stride, span in zip(x.shape[1:-1], strides, spans, strict=True)]
    full = np.zeros((len(x), *whole, config["filters"]), x.dtype)
    for position in combinations(*map(range, sizes_)):
        place = [
            slice(at * step, at * step + (extent - 1) * stride + 1, stride)
            for at, step, extent, stride in zip(position, dilation, x.shape[1:-1], strides, strict=True)
        ]
        full[(slice(None), *place)] += _scattered(x, kernel[position], groups)
    extra = config["output_padding"] or [None] * len(spans)
    for axis, extent in enumerate(x.shape[1:-1], 1):
        rule = axis_padding(config["padding"], axis - 1)
        wanted = _transposed_extent(extent, spans[axis - 1], strides[axis - 1], rule, extra[axis - 1])
        assert wanted is not None
        surplus = max(full.shape[axis] - wanted, 0)
        before = 0 if rule == "valid" else surplus // 2 if rule == "same_upper" else surplus - surplus // 2
        full = _cut(full, axis, before if isinstance(rule, str) else rule[0], wanted)
    return _finished(call, full)


def _scattered(x: Array, matrix: Array, groups: int) -> Array:
    """Each group of channels of `x` times the transpose of its columns of `matrix` (filters of a group × input channels)."""
    parts = zip(np.split(x, groups, axis=-1), np.split(matrix, groups, axis=-1), strict=True)
    return np.concatenate([part @ columns.T for part, columns in parts], axis=-1)


def _cut(x: Array, axis: int, begin: int, extent: int) -> Array:
    """`extent` elements of `x` from `begin` along `axis`, zeros where it has no more."""
    x = x[(slice(None),) * axis + (slice(begin, begin + extent),)]
    missing = [(0, extent - x.shape[axis] if one == axis else 0) for one in range(x.ndim)]
    return np.pad(x, missing)


FILTERS = Field("filters", SIZE, "Channels of the result.")
GROUPS = Field("groups", SIZE, "Groups of channels that are convolved apart from each other.", 1)
DEPTH_MULTIPLIER = Field("depth_multiplier", SIZE, "Results for each input channel of the depthwise step.", 1)

for _rank in (1, 2, 3):
    _kernel_size = Field("kernel_size", sizes(_rank), "Extents of the kernel.")
    _strides = Field("strides", sizes(_rank), "Steps between windows.", [1] * _rank)
    _padding = Field("padding", padding(_rank, causal=_rank == 1), "What is added around the input.", "valid")
    _dilation = Field("dilation_rate", sizes(_rank), "Distances between the elements under a kernel.", [1] * _rank)
    _window = (_kernel_size, _strides, _padding, DATA_FORMAT, _dilation)
    define(
        f"Conv{_rank}D",
        FAMILY,
        "Convolves (cross-correlates) with a kernel of spatial extents × input channels × filters.",
        words=RULE.format(channels="`filters`"),
        rule=_convolution,
        fields=(FILTERS, *_window, GROUPS, ACTIVATION_MEMBER, USE_BIAS, *weight_members("kernel", "bias")),
        weights=(Weight("kernel", "[*kernel_size, in_channels // groups, filters]"), Weight("bias", "[filters]", when="use_bias")),
        rank=(_rank + 2, _rank + 2),
        torch=f"torch.nn.Conv{_rank}d",
        equation="y[p, f] = activation(Σ over kernel positions k and channels c of x[p × strides + k × dilation_rate - begin, c] × kernel[k, c, f] + bias[f]), x being 0 in the padding; with groups, c runs over the group of f",
        formula=_convolved,
        mask=drop_mask,
    )
    _trimming = Field("padding", padding(_rank), "What is taken off the full result.", "valid")
    define(
        f"Conv{_rank}DTranspose",
        FAMILY,
        "The gradient of a convolution with respect to its input; the kernel is spatial extents × filters × input channels.",
        words="batch; along each spatial axis the extent of the transposed convolution; `filters` channels",
        rule=_transposed,
        fields=(
            *(FILTERS, _kernel_size, _strides, _trimming, DATA_FORMAT, _dilation),
            Field(
                "output_padding",
                optional(counts(_rank)),
                "Extents added at the end of the result; null: what makes `valid` and `same` come out as in Keras.",
                None,
            ),
            *(GROUPS, ACTIVATION_MEMBER, USE_BIAS, *weight_members("kernel", "bias")),
        ),
        weights=(Weight("kernel", "[*kernel_size, filters // groups, in_channels]"), Weight("bias", "[filters]", when="use_bias")),
        rank=(_rank + 2, _rank + 2),
        torch=f"torch.nn.ConvTranspose{_rank}d",
        equation="z[p × strides + k × dilation_rate, f] = Σ over input positions p, kernel positions k and channels c that meet there of x[p, c] × kernel[k, f, c]; y = activation(z without its padding + bias)",
        formula=_transposed_convolved,
        mask=drop_mask,
    )

for _rank in (1, 2):
    _window = (
        Field("kernel_size", sizes(_rank), "Extents of the kernel."),
        Field("strides", sizes(_rank), "Steps between windows.", [1] * _rank),
        Field("padding", padding(_rank, causal=_rank == 1), "What is added around the input.", "valid"),
        DATA_FORMAT,
        Field("dilation_rate", sizes(_rank), "Distances between the elements under a kernel.", [1] * _rank),
    )
    define(
        f"SeparableConv{_rank}D",
        FAMILY,
        "Convolves each channel on its own, then mixes the channels of each position.",
        words=RULE.format(channels="`filters`"),
        rule=_separable,
        fields=(
            FILTERS,
            *_window,
            DEPTH_MULTIPLIER,
            ACTIVATION_MEMBER,
            USE_BIAS,
            *weight_members("depthwise", "pointwise", "bias"),
        ),
        weights=(
            Weight("depthwise_kernel", "[*kernel_size, in_channels, depth_multiplier]"),
            Weight("pointwise_kernel", "[" + "1, " * _rank + "in_channels * depth_multiplier, filters]"),
            Weight("bias", "[filters]", when="use_bias"),
        ),
        rank=(_rank + 2, _rank + 2),
        equation="z[p, c, m] = Σ over kernel positions k of x[p × strides + k × dilation_rate - begin, c] × depthwise_kernel[k, c, m]; y = activation(z, its c and m as one axis, × pointwise_kernel + bias)",
        formula=_separably_convolved,
        mask=drop_mask,
    )
    define(
        f"DepthwiseConv{_rank}D",
        FAMILY,
        "Convolves each channel on its own.",
        words=RULE.format(channels="input channels × `depth_multiplier`"),
        rule=_depthwise,
        fields=(*_window, DEPTH_MULTIPLIER, ACTIVATION_MEMBER, USE_BIAS, *weight_members("depthwise", "bias")),
        weights=(
            Weight("kernel", "[*kernel_size, in_channels, depth_multiplier]"),
            Weight("bias", "[in_channels * depth_multiplier]", when="use_bias"),
        ),
        rank=(_rank + 2, _rank + 2),
        torch=f"torch.nn.Conv{_rank}d(groups=in_channels)",
        equation="y[p, c × depth_multiplier + m] = activation(Σ over kernel positions k of x[p × strides + k × dilation_rate - begin, c] × kernel[k, c, m] + bias)",
        formula=_depthwise_convolved,
        mask=drop_mask,
    )
