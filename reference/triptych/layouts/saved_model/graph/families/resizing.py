"""Emitters of types that give images and sequences other extents, by interpolation or by trading channels for pixels."""

from __future__ import annotations

from triptych.layouts.saved_model.graph.elementary import cast, maximum, minimum, where
from triptych.layouts.saved_model.graph.emission import Emission, emits
from triptych.layouts.saved_model.graph.interpolation import resized
from triptych.layouts.saved_model.graph.shaping import cut, extent, extents, reshape, transpose
from triptych.layouts.saved_model.graph.values import Extent, Value
from triptych.layouts.saved_model.graph.windows import as_given, channels_last


@emits("UpSampling1D", "UpSampling2D", "UpSampling3D")
def _enlarged(call: Emission) -> Value:
    data_format = call.config.get("data_format", "channels_last")
    x = channels_last(call.input, data_format)
    for axis, factor in enumerate(call.config["size"], 1):
        x = resized(x, axis, extent(x, axis) * factor, call.config)
    return as_given(x, data_format)


@emits("Resizing")
def _resized(call: Emission) -> Value:
    x = channels_last(cast(call.input, call.dtype), call.config["data_format"])
    for axis, name in ((1, "height"), (2, "width")):
        x = resized(x, axis, call.config[name], call.config)
    return as_given(x, call.config["data_format"])


@emits("CenterCrop")
def _centre(call: Emission) -> Value:
    x, wanted = channels_last(cast(call.input, call.dtype), call.config["data_format"]), (call.config["height"], call.config["width"])
    high, wide = extent(x, 1), extent(x, 2)
    inside = _shrunk(high, wide, *wanted)
    ends = {axis: ((whole - part) // 2, (whole - part) // 2 + part, 1) for axis, (whole, part) in enumerate(zip((high, wide), inside, strict=True), 1)}
    x = cut(x, ends)
    for axis, target in enumerate(wanted, 1):
        if inside[axis - 1] != target:
            x = resized(x, axis, target, {"interpolation": "bilinear", "align_corners": False})
    return as_given(x, call.config["data_format"])


def _shrunk(high: Extent, wide: Extent, height: int, width: int) -> tuple[Extent, Extent]:
    """The extents of the part that becomes the result: its own, or of its proportions where the image is too small."""
    if isinstance(high, int) and isinstance(wide, int):
        if high >= height and wide >= width:
            return height, width
        return max(min(high, wide * height // width), 1), max(min(wide, high * width // height), 1)
    like = high if isinstance(high, Value) else wide
    assert isinstance(like, Value)
    tall, broad = (like.body.made(one, "int32") for one in (high, wide))
    fits = (tall >= height) & (broad >= width)
    in_height = maximum(minimum(tall, broad * height // width), 1)
    in_width = maximum(minimum(broad, tall * width // height), 1)
    return where(fits, height, in_height), where(fits, width, in_width)


@emits("PixelShuffle")
def _shuffled(call: Emission) -> Value:
    x, block = channels_last(call.input, call.config["data_format"]), call.config["block_size"]
    batch, high, wide, channels = extents(x)
    rest = channels // block**2
    if call.config["order"] == "depth_first":
        y = transpose(reshape(x, [batch, high, wide, rest, block, block]), [0, 1, 4, 2, 5, 3])
    else:
        y = transpose(reshape(x, [batch, high, wide, block, block, rest]), [0, 1, 3, 2, 4, 5])
    return as_given(reshape(y, [batch, high * block, wide * block, rest]), call.config["data_format"])


@emits("PixelUnshuffle")
def _unshuffled(call: Emission) -> Value:
    x, block = channels_last(call.input, call.config["data_format"]), call.config["block_size"]
    batch, high, wide, channels = extents(x)
    blocks = reshape(x, [batch, high // block, block, wide // block, block, channels])
    y = transpose(blocks, [0, 1, 3, 5, 2, 4] if call.config["order"] == "depth_first" else [0, 1, 3, 2, 4, 5])
    return as_given(reshape(y, [batch, high // block, wide // block, channels * block**2]), call.config["data_format"])


@emits(
    *("RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomShear", "RandomHeight", "RandomWidth", "RandomContrast"),
    *("RandomBrightness", "RandomHue", "RandomSaturation", "RandomSharpness", "RandomColorDegeneration", "RandomInvert"),
    *("RandomPosterization", "RandomErasing", "RandomGaussianBlur"),
)
def _unchanged(call: Emission) -> Value:
    return cast(call.input, call.dtype)
