"""Types that move, repeat, add or drop elements and compute nothing new, and resizing."""

from __future__ import annotations

from math import prod
from typing import Any

from triptych.model import Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import product, spatial_axes, text, with_spatial
from triptych.vocabulary.formula import Evaluation, drop_mask
from triptych.vocabulary.kinds import LARGEST, NUMBER, SIZE, Kind, choice, pairs
from triptych.vocabulary.members import DATA_FORMAT
from triptych.vocabulary.windowing import as_given, channels_last

FAMILY = "Reshaping"


def _flatten(call: LayerCall) -> Shape:
    return (call.input[0], product(call.input[1:]))


def _reshape(call: LayerCall) -> Shape:
    shape, target = call.input, call.config["target_shape"]
    total, known = product(shape[1:]), product([extent for extent in target if extent != -1])
    assert known is not None
    if target.count(-1) > 1:
        raise ShapeError(f"expected at most one -1 in target_shape, got {target}")
    if total is not None and (total % known if -1 in target and known else total != known):
        raise ShapeError(f"expected an input of elements that fit {target}, got {text(shape)} with {total} after the batch")
    open_extent = None if total is None or not known else total // known
    return (shape[0], *(open_extent if extent == -1 else extent for extent in target))


def _permute(call: LayerCall) -> Shape:
    shape, order = call.input, call.config["dims"]
    if sorted(order) != list(range(1, len(shape))):
        raise ShapeError(f"expected dims to be a permutation of 1…{len(shape) - 1} for an input of rank {len(shape)}, got {order}")
    return (shape[0], *(shape[axis] for axis in order))


def _zero_padding(call: LayerCall) -> Shape:
    return _grow(call, call.config["padding"])


def _cropping(call: LayerCall) -> Shape:
    return _grow(call, [[-begin, -end] for begin, end in call.config["cropping"]])


def _grow(call: LayerCall, amounts: list[list[int]]) -> Shape:
    """Each spatial axis with its pair of `amounts` added."""
    data_format = call.config.get("data_format", "channels_last")
    extents = [
        None if extent is None else extent + sum(pair)
        for extent, pair in zip(_spatial(call.input, data_format), amounts, strict=True)
    ]
    for before, after in zip(_spatial(call.input, data_format), extents, strict=True):
        if after is not None and after < 1:
            raise ShapeError(f"expected an input larger than what is cropped, got {before} elements along an axis")
    return with_spatial(call.input, extents, data_format)


def _spatial(shape: Shape, data_format: str) -> list[int | None]:
    return [shape[axis] for axis in spatial_axes(len(shape), data_format)]


def _flattened(call: Evaluation) -> Array:
    x = call.input
    if call.config["data_format"] == "channels_first" and x.ndim > 1:
        x = np.moveaxis(x, 1, -1)
    return x.reshape(len(x), prod(x.shape[1:]))


def _reshaped(call: Evaluation) -> Array:
    x, target = call.input, call.config["target_shape"]
    known = prod(extent for extent in target if extent != -1)
    return x.reshape(len(x), *(prod(x.shape[1:]) // max(known, 1) if extent == -1 else extent for extent in target))


def _permuted(call: Evaluation) -> Array:
    return call.input.transpose(0, *call.config["dims"])


def _repeated(call: Evaluation) -> Array:
    return np.repeat(call.input[:, None], call.config["n"], axis=1)


def _padded(call: Evaluation) -> Array:
    x = channels_last(call.input, call.config.get("data_format", "channels_last"))
    y = np.pad(x, [(0, 0), *map(tuple, call.config["padding"]), (0, 0)])
    return as_given(y, call.config.get("data_format", "channels_last"))


def _cropped(call: Evaluation) -> Array:
    x = channels_last(call.input, call.config.get("data_format", "channels_last"))
    ends = [slice(begin, extent - end) for (begin, end), extent in zip(call.config["cropping"], x.shape[1:-1], strict=True)]
    return as_given(x[(slice(None), *ends)], call.config.get("data_format", "channels_last"))


def _padding(call: LayerCall) -> Shape:
    shape, mode = call.input, call.config["mode"]
    for extent, pair in zip(_spatial(shape, call.config["data_format"]), call.config["padding"], strict=True):
        most = {"reflect": -1, "symmetric": 0, "circular": 0}.get(mode)
        if extent is not None and most is not None and max(pair) > extent + most:
            raise ShapeError(
                f"expected padding of at most {extent + most} in mode {mode} for {extent} elements along an axis, got {pair}"
            )
        if extent == 0 and max(pair) and mode != "constant":
            raise ShapeError(f"expected an element to repeat along an axis, got none for a padding of {pair}")
    return _grow(call, call.config["padding"])


NUMPY_MODES: dict[str, Any] = {
    "constant": "constant",
    "edge": "edge",
    "reflect": "reflect",
    "symmetric": "symmetric",
    "circular": "wrap",
}


def _padded_by_mode(call: Evaluation) -> Array:
    config, x = call.config, channels_last(call.input, call.config["data_format"])
    more: dict[str, Any] = {"constant_values": config["value"]} if config["mode"] == "constant" else {}
    y = np.pad(x, [(0, 0), *map(tuple, config["padding"]), (0, 0)], mode=NUMPY_MODES[config["mode"]], **more)
    return as_given(y, config["data_format"])


define(
    "Flatten",
    FAMILY,
    "Puts all axes after the batch into one; the channels are its fastest part, whatever the data format.",
    words="batch; the product of the other extents",
    rule=_flatten,
    fields=(DATA_FORMAT,),
    torch="torch.nn.Flatten",
    equation="y = the elements after the batch in row-major order, with the channels last",
    keeps_dtype=True,
    formula=_flattened,
    mask=drop_mask,
)
define(
    "Reshape",
    FAMILY,
    "Gives the elements after the batch other axes, in row-major order.",
    words="batch; `target_shape`, with -1 replaced by what remains",
    rule=_reshape,
    fields=(
        Field(
            "target_shape",
            Kind(
                "list of integers",
                {"type": "array", "items": {"type": "integer", "minimum": -1, "maximum": LARGEST}, "maxItems": 31},
            ),
            "The extents after the batch; one may be -1: what remains.",
        ),
    ),
    torch="torch.nn.Unflatten",
    equation="y = the elements after the batch in row-major order, as target_shape",
    keeps_dtype=True,
    formula=_reshaped,
    mask=drop_mask,
)
define(
    "Permute",
    FAMILY,
    "Changes the order of the axes after the batch.",
    words="batch; for each entry of `dims` the extent of that axis",
    rule=_permute,
    fields=(
        Field(
            "dims",
            Kind(
                "list of axes from 1",
                {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 31}, "minItems": 1, "maxItems": 31},
            ),
            "The axes of the input, in the order of the result; the batch is 0 and stays.",
        ),
    ),
    torch="torch.permute",
    equation="y[b, i₁, i₂ …] = x[b, …] with i₁ along axis dims[0] of x, i₂ along axis dims[1] …",
    keeps_dtype=True,
    formula=_permuted,
    mask=drop_mask,
)
define(
    "RepeatVector",
    FAMILY,
    "Repeats a vector along a new axis.",
    output="[input[0], n, input[1]]",
    fields=(Field("n", SIZE, "How often."),),
    rank=(2, 2),
    equation="y[i, …] = x, for i in 0 … n - 1",
    keeps_dtype=True,
    formula=_repeated,
    mask=drop_mask,
)
for _rank in (1, 2, 3):
    _format = () if _rank == 1 else (DATA_FORMAT,)
    _ranks = (_rank + 2, _rank + 2)
    define(
        f"ZeroPadding{_rank}D",
        FAMILY,
        "Adds zeros around the spatial axes.",
        words="input, each spatial extent with its pair of `padding` added",
        rule=_zero_padding,
        fields=(Field("padding", pairs(_rank), "Zeros before and after, for each spatial axis."), *_format),
        rank=_ranks,
        torch=f"torch.nn.ZeroPad{_rank}d",
        equation="y[p] = x[p - begin], 0 outside of x",
        keeps_dtype=True,
        formula=_padded,
        mask=drop_mask,
    )
    define(
        f"Padding{_rank}D",
        FAMILY,
        "Adds elements around the spatial axes: a constant, or elements of the input.",
        words="input, each spatial extent with its pair of `padding` added",
        rule=_padding,
        fields=(
            Field("padding", pairs(_rank), "Elements before and after, for each spatial axis."),
            Field("mode", choice(*NUMPY_MODES), "What they are."),
            Field("value", NUMBER, "The constant.", 0.0),
            DATA_FORMAT,
        ),
        rank=_ranks,
        keras="keras.ops.pad",
        torch=f"torch.nn.ConstantPad{_rank}d, ReflectionPad{_rank}d, ReplicationPad{_rank}d, CircularPad{_rank}d",
        equation="y[p] = x[q] with q = p - begin; outside of 0 … n - 1, by mode: value; q limited to it (edge); mirrored without repeating the outermost element (reflect) or with it (symmetric); q modulo n (circular)",
        keeps_dtype=True,
        formula=_padded_by_mode,
        mask=drop_mask,
    )
    define(
        f"Cropping{_rank}D",
        FAMILY,
        "Drops elements at the ends of the spatial axes.",
        words="input, each spatial extent with its pair of `cropping` taken off",
        rule=_cropping,
        fields=(Field("cropping", pairs(_rank), "Elements dropped before and after, for each spatial axis."), *_format),
        rank=_ranks,
        equation="y[p] = x[p + begin]",
        keeps_dtype=True,
        formula=_cropped,
        mask=drop_mask,
    )
