"""Convolutions: plain, transposed, separable and depthwise, in one to three spatial axes."""

from __future__ import annotations

from triptych.model import Shape
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import Extent, axis_padding, channel_axis, spatial_axes, windows, with_spatial
from triptych.vocabulary.kinds import SIZE, counts, optional, padding, sizes
from triptych.vocabulary.members import ACTIVATION_MEMBER, DATA_FORMAT, USE_BIAS, weight_members

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
        return extent * stride + (max(span - stride, 0) if pad == "valid" else 0)
    # The named rules take off span // 2 at both ends here, which is what an explicit output padding adds to.
    trimmed = sum(pad) if not isinstance(pad, str) else 0 if pad == "valid" else 2 * (span // 2)
    result = (extent - 1) * stride + span - trimmed + (extra or 0)
    if result < 1:
        raise ShapeError(f"expected an input that leaves at least 1 element after trimming {trimmed}, got {extent} along an axis")
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
    )
