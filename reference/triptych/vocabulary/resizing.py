"""Types that give images and sequences other extents, by interpolation or by trading channels for pixels."""

from __future__ import annotations

from triptych.model import Shape
from triptych.vocabulary.arrays import Array
from triptych.vocabulary.definition import Field, LayerCall, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import channel_axis, filled, spatial_axes, text, with_spatial
from triptych.vocabulary.formula import Evaluation, drop_mask
from triptych.vocabulary.interpolation import resized
from triptych.vocabulary.kinds import BOOLEAN, NUMBER, SIZE, choice, sizes
from triptych.vocabulary.members import DATA_FORMAT
from triptych.vocabulary.windowing import as_given, channels_last

FAMILY = "Resizing"


def _spatial(shape: Shape, data_format: str) -> list[int | None]:
    return [shape[axis] for axis in spatial_axes(len(shape), data_format)]


def _up_sampling(call: LayerCall) -> Shape:
    data_format = call.config.get("data_format", "channels_last")
    extents = [
        None if extent is None else extent * factor
        for extent, factor in zip(_spatial(filled(call.input, data_format), data_format), call.config["size"], strict=True)
    ]
    return with_spatial(call.input, extents, data_format)


def _enlarged(call: Evaluation) -> Array:
    x = channels_last(call.input, call.config.get("data_format", "channels_last"))
    for axis, factor in enumerate(call.config["size"], 1):
        x = resized(
            x,
            axis,
            x.shape[axis] * factor,
            call.config["interpolation"],
            align_corners=call.config["align_corners"],
            coefficient=call.config.get("cubic_coefficient", -0.5),
            exclude_outside=call.config.get("exclude_outside", True),
        )
    return as_given(x, call.config.get("data_format", "channels_last"))


def _shuffle(call: LayerCall) -> Shape:
    block, data_format = call.config["block_size"], call.config["data_format"]
    channels = call.input[channel_axis(data_format)]
    if channels is not None and channels % block**2:
        raise ShapeError(f"expected a number of channels that {block**2} divides, got {channels}")
    extents = [None if extent is None else extent * block for extent in _spatial(call.input, data_format)]
    return _with_channels(call.input, extents, data_format, None if channels is None else channels // block**2)


def _unshuffle(call: LayerCall) -> Shape:
    block, data_format = call.config["block_size"], call.config["data_format"]
    channels = call.input[channel_axis(data_format)]
    extents = _spatial(call.input, data_format)
    if any(extent is not None and extent % block for extent in extents):
        raise ShapeError(f"expected spatial extents that {block} divides, got {text(call.input)}")
    extents = [None if extent is None else extent // block for extent in extents]
    return _with_channels(call.input, extents, data_format, None if channels is None else channels * block**2)


def _with_channels(shape: Shape, extents: list[int | None], data_format: str, channels: int | None) -> Shape:
    return (shape[0], channels, *extents) if data_format == "channels_first" else (shape[0], *extents, channels)


def _shuffled(call: Evaluation) -> Array:
    x, block = channels_last(call.input, call.config["data_format"]), call.config["block_size"]
    batch, high, wide, channels = x.shape
    rest = channels // block**2
    if call.config["order"] == "depth_first":
        y = x.reshape(batch, high, wide, rest, block, block).transpose(0, 1, 4, 2, 5, 3)
    else:
        y = x.reshape(batch, high, wide, block, block, rest).transpose(0, 1, 3, 2, 4, 5)
    return as_given(y.reshape(batch, high * block, wide * block, rest), call.config["data_format"])


def _unshuffled(call: Evaluation) -> Array:
    x, block = channels_last(call.input, call.config["data_format"]), call.config["block_size"]
    batch, high, wide, channels = x.shape
    blocks = x.reshape(batch, high // block, block, wide // block, block, channels)
    y = blocks.transpose(0, 1, 3, 5, 2, 4) if call.config["order"] == "depth_first" else blocks.transpose(0, 1, 3, 2, 4, 5)
    return as_given(y.reshape(batch, high // block, wide // block, channels * block**2), call.config["data_format"])


def _resizing(call: LayerCall) -> Shape:
    shape = filled(call.input, call.config["data_format"])
    return with_spatial(shape, [call.config["height"], call.config["width"]], call.config["data_format"])


def _resized(call: Evaluation) -> Array:
    config, x = call.config, channels_last(call.input.astype(call.dtype, copy=False), call.config["data_format"])
    for axis, name in ((1, "height"), (2, "width")):
        x = resized(
            x,
            axis,
            config[name],
            config["interpolation"],
            align_corners=config["align_corners"],
            coefficient=config["cubic_coefficient"],
            exclude_outside=config["exclude_outside"],
        )
    return as_given(x, config["data_format"])


ALIGN_CORNERS = Field(
    "align_corners",
    BOOLEAN,
    "Whether the centres of the outermost elements stay in place, or their outer edges (half-pixel).",
    default=False,
)
CUBIC_COEFFICIENT = Field(
    "cubic_coefficient",
    NUMBER,
    "The parameter of bicubic interpolation: its slope at distance 1 (-0.5 in TensorFlow and JAX, -0.75 in PyTorch).",
    -0.5,
)
EXCLUDE_OUTSIDE = Field(
    "exclude_outside",
    BOOLEAN,
    "Whether bicubic interpolation gives elements outside the input no weight and the others a sum of 1 (as TensorFlow and JAX do), "
    "or takes the outermost element for them (as PyTorch does).",
    default=True,
)

for _rank in (1, 2, 3):
    _format = () if _rank == 1 else (DATA_FORMAT,)
    _ranks = (_rank + 2, _rank + 2)
    _interpolation = (
        Field(
            "interpolation",
            choice(*(("nearest", "linear"), ("nearest", "bilinear", "bicubic"), ("nearest", "trilinear"))[_rank - 1]),
            "How elements in between are found.",
            "nearest",
        ),
        ALIGN_CORNERS,
        *((CUBIC_COEFFICIENT, EXCLUDE_OUTSIDE) if _rank == 2 else ()),
    )
    define(
        f"UpSampling{_rank}D",
        FAMILY,
        "Enlarges the spatial axes by whole factors.",
        words="input, each spatial extent multiplied by its entry of `size`",
        rule=_up_sampling,
        fields=(Field("size", sizes(_rank), "Factors of the spatial axes."), *_format, *_interpolation),
        rank=_ranks,
        torch="torch.nn.Upsample",
        equation="along each axis of n elements that become m, y[i] = x at position (i + 0.5) × n / m - 0.5, or i × (n - 1) / (m - 1) with align_corners",
        keeps_dtype='interpolation == "nearest"',
        formula=_enlarged,
        mask=drop_mask,
    )
_BLOCK = (
    Field("block_size", SIZE, "Extents of a block."),
    Field(
        "order",
        choice("depth_first", "block_first"),
        "Which part of a channel's number is the outer one: the channel (PyTorch; CRD in ONNX) or the place in the block (TensorFlow; DCR in ONNX).",
    ),
    DATA_FORMAT,
)
define(
    "PixelShuffle",
    FAMILY,
    "Makes blocks of pixels of the channels.",
    words="input, spatial extents multiplied by `block_size`, channels divided by its square",
    rule=_shuffle,
    fields=_BLOCK,
    rank=(4, 4),
    keras="",
    torch="torch.nn.PixelShuffle",
    equation="y[h × b + i, w × b + j, c] = x[h, w, (c × b + i) × b + j], or x[h, w, (i × b + j) × C + c] in block_first order, with b = block_size and C channels in y",
    keeps_dtype=True,
    formula=_shuffled,
    mask=drop_mask,
)
define(
    "PixelUnshuffle",
    FAMILY,
    "Makes channels of blocks of pixels: what PixelShuffle undoes.",
    words="input, spatial extents divided by `block_size`, channels multiplied by its square",
    rule=_unshuffle,
    fields=_BLOCK,
    rank=(4, 4),
    keras="",
    torch="torch.nn.PixelUnshuffle",
    equation="y[h, w, (c × b + i) × b + j] = x[h × b + i, w × b + j, c], or y[h, w, (i × b + j) × C + c] in block_first order, with b = block_size and C channels in x",
    keeps_dtype=True,
    formula=_unshuffled,
    mask=drop_mask,
)
define(
    "Resizing",
    FAMILY,
    "Gives an image other spatial extents.",
    words="batch; `height` and `width`; the input's channels",
    rule=_resizing,
    fields=(
        Field("height", SIZE, "First spatial extent of the result."),
        Field("width", SIZE, "Second spatial extent of the result."),
        Field(
            "interpolation",
            choice("nearest", "nearest_floor", "bilinear", "bicubic"),
            "How elements in between are found; `nearest_floor` takes the element at i × n / m, rounded down, as PyTorch's nearest does.",
            "bilinear",
        ),
        ALIGN_CORNERS,
        CUBIC_COEFFICIENT,
        EXCLUDE_OUTSIDE,
        DATA_FORMAT,
    ),
    rank=(4, 4),
    torch="torch.nn.Upsample(size=...)",
    equation="as UpSampling2D, with the extents that are given",
    formula=_resized,
    mask=drop_mask,
)
