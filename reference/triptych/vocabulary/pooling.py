"""Pooling: the largest element or the mean of each window, or of all positions."""

from __future__ import annotations

from triptych.model import Shape
from triptych.vocabulary.definition import Field, LayerCall, define
from triptych.vocabulary.extents import axis_padding, channel_axis, spatial_axes, windows, with_spatial
from triptych.vocabulary.kinds import BOOLEAN, optional, padding, sizes
from triptych.vocabulary.members import DATA_FORMAT

FAMILY = "Pooling"


def _pooling(call: LayerCall) -> Shape:
    config, shape = call.config, call.input
    strides = config["strides"] or config["pool_size"]
    extents = [
        windows(shape[axis], config["pool_size"][i], strides[i], axis_padding(config["padding"], i), ceil=config["ceil_mode"])
        for i, axis in enumerate(spatial_axes(len(shape), config["data_format"]))
    ]
    return with_spatial(shape, extents, config["data_format"])


def _global_pooling(call: LayerCall) -> Shape:
    shape, data_format = call.input, call.config["data_format"]
    if call.config["keepdims"]:
        return with_spatial(shape, [1] * (len(shape) - 2), data_format)
    return (shape[0], shape[channel_axis(data_format)])


_COUNT_PAD = Field("count_include_pad", BOOLEAN, "Whether padding counts as elements of value 0.", default=False)
_KEEPDIMS = Field("keepdims", BOOLEAN, "Whether the spatial axes stay, with extent 1.", default=False)

for _rank in (1, 2, 3):
    for _what, _verb, _extra, _torch in (
        ("Max", "Takes the largest element", (), "Max"),
        ("Average", "Takes the mean", (_COUNT_PAD,), "Avg"),
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
        )
