"""Emitters of convolutions: on TensorFlow's own operations where they compute them on a processor, else place by place under the kernel."""

from __future__ import annotations

from functools import reduce
from operator import add

from triptych.layouts.saved_model.graph.activations import activate
from triptych.layouts.saved_model.graph.attributes import Type
from triptych.layouts.saved_model.graph.elementary import biased, largest, matmul
from triptych.layouts.saved_model.graph.emission import Emission, emits
from triptych.layouts.saved_model.graph.shaping import (
    cut,
    expand,
    extent,
    extents,
    index,
    join,
    known,
    pad,
    reshape,
    split,
    squeeze,
    vector,
)
from triptych.layouts.saved_model.graph.values import Extent, Value, innermost
from triptych.layouts.saved_model.graph.windows import Windows, as_given, channels_last
from triptych.vocabulary.extents import axis_padding


def windows_of(call: Emission) -> Windows:
    """The windows that a convolution's config says."""
    config = call.config
    return Windows(config["kernel_size"], config["strides"], config["padding"], config["dilation_rate"])


def finished(call: Emission, y: Value) -> Value:
    """`y` with bias and activation, its channels where they belong."""
    if call.config["use_bias"]:
        y = biased(y, call.weights["bias"])
    return as_given(activate(call.config["activation"], y), call.config["data_format"])


def spread(kernel: Value, dilation: list[int]) -> Value:
    """`kernel` with zeros between its elements, so that they stand as far from each other as `dilation` says."""
    for axis, by in enumerate(dilation):
        if by > 1:
            size = kernel.shape[axis]
            assert size is not None
            apart = pad(expand(kernel, axis + 1), {axis + 1: (0, by - 1)})
            joined = [*kernel.shape[:axis], size * by, *kernel.shape[axis + 1 :]]
            kernel = cut(reshape(apart, [one or 0 for one in joined]), {axis: (0, (size - 1) * by + 1, 1)})
    return kernel


@emits("Conv1D", "Conv2D", "Conv3D")
def _convolved(call: Emission) -> Value:
    x = channels_last(call.input, call.config["data_format"])
    return finished(call, convolution(x, call.weights["kernel"], windows_of(call), call.config["groups"]))


def convolution(x: Value, kernel: Value, windows: Windows, groups: int = 1) -> Value:
    """`x` under `kernel`; the channels of each group apart from those of others."""
    if groups == 1:
        return _one_group(x, kernel, windows)
    if groups == x.shape[-1] and len(windows.size) < 3:
        # One input channel in each group: so many filters for each channel.
        *spatial, _, filters = kernel.shape
        assert filters is not None
        return depthwise(x, reshape(kernel, [*(one or 0 for one in spatial), groups, filters // groups]), windows)
    parts = zip(split(x, groups, -1), split(kernel, groups, -1), strict=True)
    return join([_one_group(part, columns, windows) for part, columns in parts], -1)


def _one_group(x: Value, kernel: Value, windows: Windows) -> Value:
    if len(windows.size) == 1:
        flat = Windows([1, *windows.size], [1, *windows.strides], _flat(windows.padding), [1, *windows.dilation])
        return squeeze(_one_group(expand(x, 1), expand(kernel, 0), flat), [1])
    dilation = list(windows.dilation)
    if len(windows.size) == 3:
        # TensorFlow has no dilated convolution of volumes on a processor.
        kernel, dilation = spread(kernel, dilation), [1] * 3
    if not windows.is_plain:
        x, windows = windows.padded(x), Windows(windows.size, windows.strides, "valid", windows.dilation)
    shape = (x.shape[0], *_counts(x, windows), kernel.shape[-1])
    more = {"strides": [1, *windows.strides, 1], "padding": windows.rule, "dilations": [1, *dilation, 1], "T": Type(x.dtype)}
    return innermost([x, kernel]).one(f"Conv{len(windows.size)}D", [x, kernel], x.dtype, shape, **more)


def _flat(padding: str | list[list[int]]) -> str | list[list[int]]:
    """The padding of a line that has become a plane of one row."""
    if padding == "causal":
        return padding
    return padding if isinstance(padding, str) else [[0, 0], *padding]


def _counts(x: Value, windows: Windows) -> list[int | None]:
    """How many windows there are along each axis, as far as that is known."""
    counts = []
    for whole, span, stride in zip(x.shape[1:-1], windows.spans, windows.strides, strict=True):
        room = None if whole is None else whole - span if windows.padding == "valid" else whole - 1
        counts.append(None if room is None else room // stride + 1)
    return counts


@emits("DepthwiseConv1D", "DepthwiseConv2D")
def _depthwise_convolved(call: Emission) -> Value:
    x = channels_last(call.input, call.config["data_format"])
    return finished(call, depthwise(x, call.weights["kernel"], windows_of(call)))


@emits("SeparableConv1D", "SeparableConv2D")
def _separably_convolved(call: Emission) -> Value:
    x = channels_last(call.input, call.config["data_format"])
    pointwise = call.weights["pointwise_kernel"]
    mixed = squeeze(pointwise, range(pointwise.ndim - 2))
    return finished(call, matmul(depthwise(x, call.weights["depthwise_kernel"], windows_of(call)), mixed))


def depthwise(x: Value, kernel: Value, windows: Windows) -> Value:
    """Every channel of `x` under its own kernels, whose results stand side by side."""
    if len(windows.size) == 1:
        flat = Windows([1, *windows.size], [windows.strides[0], *windows.strides], _flat(windows.padding), [1, *windows.dilation])
        return squeeze(depthwise(expand(x, 1), expand(kernel, 0), flat), [1])
    if not windows.is_plain:
        x, windows = windows.padded(x), Windows(windows.size, windows.strides, "valid", windows.dilation)
    channels, each = kernel.shape[-2:]
    shape = (x.shape[0], *_counts(x, windows), None if channels is None or each is None else channels * each)
    if len(set(windows.strides)) > 1:
        # TensorFlow's operation has one stride for all axes.
        parts = [expand(under, -1) * index(index(kernel, 0, place[0]), 0, place[1]) for place, under in windows.places(windows.padded(x))]
        y = reduce(add, parts)
        return reshape(y, [*extents(y)[:-2], shape[-1] or -1])
    kernel = spread(kernel, list(windows.dilation))
    more = {"strides": [1, *windows.strides, 1], "padding": windows.rule, "T": Type(x.dtype)}
    return innermost([x, kernel]).one("DepthwiseConv2dNative", [x, kernel], x.dtype, shape, **more)


@emits("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def _transposed_convolved(call: Emission) -> Value:
    config, kernel, groups = call.config, call.weights["kernel"], call.config["groups"]
    x = channels_last(call.input, config["data_format"])
    windows = windows_of(call)
    parts = zip(split(x, groups, -1), split(kernel, groups, -1), strict=True)
    full = join([_scattered(part, columns, windows) for part, columns in parts], -1)
    extra = config["output_padding"] or [None] * len(windows.size)
    for axis, span in enumerate(windows.spans, 1):
        rule = axis_padding(config["padding"], axis - 1)
        whole = extent(x, axis)
        reached = (whole - 1) * windows.strides[axis - 1] + span
        wanted = _wanted(whole, span, windows.strides[axis - 1], rule, extra[axis - 1])
        surplus = largest(reached - wanted, 0)
        before: Extent = rule[0] if not isinstance(rule, str) else 0 if rule == "valid" else surplus // 2 if rule == "same_upper" else surplus - surplus // 2
        missing = largest(before + wanted - reached, 0)
        full = cut(pad(full, {axis: (0, missing)}), {axis: (before, before + wanted, 1)})
    return finished(call, full)


def _wanted(whole: Extent, span: int, stride: int, rule: str | list[int], extra: int | None) -> Extent:
    """The extent of the result; `extra` settles which of several, None: the one Keras takes."""
    if isinstance(rule, str) and extra is None:
        return whole * stride + (max(span - stride, 0) if rule == "valid" else 0)
    trimmed = sum(rule) if not isinstance(rule, str) else 0 if rule == "valid" else 2 * (span // 2)
    return (whole - 1) * stride + (span - trimmed + (extra or 0))


def _scattered(x: Value, kernel: Value, windows: Windows) -> Value:
    """All that a transposed convolution reaches: the gradient of a convolution without padding."""
    if len(windows.size) == 1:
        flat = Windows([1, *windows.size], [1, *windows.strides], "valid", [1, *windows.dilation])
        return squeeze(_scattered(expand(x, 1), expand(kernel, 0), flat), [1])
    kernel = spread(kernel, list(windows.dilation))
    batch, *whole, _ = extents(x)
    reached = [(one - 1) * stride + span for one, stride, span in zip(whole, windows.strides, windows.spans, strict=True)]
    filters = kernel.shape[-2]
    assert filters is not None
    target = [batch, *reached, filters]
    sizes = vector(x, target)
    op = "Conv2DBackpropInput" if len(windows.size) == 2 else "Conv3DBackpropInputV2"
    more = {"strides": [1, *windows.strides, 1], "padding": "VALID", "T": Type(x.dtype)}
    return innermost([x, kernel, sizes]).one(op, [sizes, kernel, x], x.dtype, known(target), **more)
