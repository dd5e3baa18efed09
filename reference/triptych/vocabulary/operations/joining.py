"""Operations that put values together, take them apart, repeat, pad and look up elements."""

from __future__ import annotations

from typing import Any

from triptych.model import Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import axis_of, compatible, merge, text
from triptych.vocabulary.kinds import AXES, AXIS, SIZE, Kind, choice
from triptych.vocabulary.operations.definition import OperationShapes, OperationValues, define
from triptych.vocabulary.operations.element_wise import converted
from triptych.vocabulary.operations.kinds import DTYPE, ELEMENTS, EXTENTS, FILL, INDICES, PARTS
from triptych.vocabulary.operations.operands import axes_of, same_shape, unified

FAMILY = "Together and apart"
_AXIS = Field("axis", AXIS, "The axis.")


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


def _joined(shapes: tuple[Shape, ...], axis: int | None) -> Shape:
    """What all shapes agree on, an axis left out."""
    rest = [shape if axis is None else _without(shape, axis) for shape in shapes]
    agreed = rest[0]
    for number, shape in enumerate(rest[1:], 1):
        if len(shapes[number]) != len(shapes[0]) or not compatible(agreed, shape):
            raise ShapeError(f"expected inputs that agree, got {text(shapes[0])} and {text(shapes[number])}")
        agreed = merge(agreed, shape)
    return agreed


def _concatenate(call: OperationShapes) -> Shape:
    axis = axis_of(call.config["axis"], call.input)
    agreed = _joined(call.inputs, axis)
    extents = [shape[axis] for shape in call.inputs]
    return (*agreed[:axis], None if None in extents else sum(extent or 0 for extent in extents), *agreed[axis:])


def _stack(call: OperationShapes) -> Shape:
    agreed = _joined(call.inputs, None)
    axis = axis_of(call.config["axis"], (*agreed, 1))
    return (*agreed[:axis], len(call.inputs), *agreed[axis:])


def _split(call: OperationShapes) -> list[Shape]:
    shape, parts = call.input, call.config["parts"]
    axis = axis_of(call.config["axis"], shape)
    extent = shape[axis]
    if isinstance(parts, int):
        if extent is not None and extent % parts:
            raise ShapeError(f"expected an extent along axis {axis} that {parts} divides, got {text(shape)}")
        sizes = [None if extent is None else extent // parts] * parts
    else:
        if extent is not None and extent != sum(parts):
            raise ShapeError(f"expected {sum(parts)} elements along axis {axis}, got {text(shape)}")
        sizes = parts
    return [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]


def _splitted(call: OperationValues) -> list[Array]:
    parts = call.config["parts"]
    places = parts if isinstance(parts, int) else np.cumsum(parts)[:-1]
    return list(np.split(call.input, places, axis=call.config["axis"]))


def _tile(call: OperationShapes) -> Shape:
    shape, repeats = call.input, call.config["repeats"]
    width = max(len(shape), len(repeats))
    aligned = (1,) * (width - len(shape)) + shape
    counts = [1] * (width - len(repeats)) + repeats
    return tuple(None if extent is None else extent * count for extent, count in zip(aligned, counts, strict=True))


def _repeat(call: OperationShapes) -> Shape:
    axis = axis_of(call.config["axis"], call.input)
    extent = call.input[axis]
    return (*call.input[:axis], None if extent is None else extent * call.config["repeats"], *call.input[axis + 1 :])


def _roll(call: OperationShapes) -> Shape:
    if len(axes_of(call.config["axes"], call.input)) != len(call.config["shifts"]):
        raise ShapeError(f"expected a shift for each of the axes {call.config['axes']}, got {call.config['shifts']}")
    return call.input


def _pad(call: OperationShapes) -> Shape:
    shape, pairs = call.input, call.config["padding"]
    if len(pairs) != len(shape):
        raise ShapeError(f"expected an input of {len(pairs)} axes, a pair for each, got {text(shape)}")
    for extent, pair in zip(shape, pairs, strict=True):
        needed = max(pair) + 1 if call.config["mode"] == "reflect" else max(pair) if call.config["mode"] == "symmetric" else 1
        if call.config["mode"] != "constant" and max(pair) and extent is not None and extent < needed:
            raise ShapeError(f"expected at least {needed} elements where {pair} are added, got {text(shape)}")
    return tuple(None if extent is None else extent + sum(pair) for extent, pair in zip(shape, pairs, strict=True))


def _padded(call: OperationValues) -> Array:
    mode = call.config["mode"]
    filled: dict[str, Any] = {}
    if mode == "constant":
        filled = {"constant_values": np.asarray(call.config["fill"]).astype(call.input.dtype)}
    return np.pad(call.input, call.config["padding"], mode=mode, **filled) if call.config["padding"] else call.input


def _indices(call: OperationShapes) -> Shape:
    if call.config["indices"] is not None:
        return (len(call.config["indices"]),)
    return call.inputs[1]


def _gather(call: OperationShapes) -> Shape:
    axis = axis_of(call.config["axis"], call.input)
    extent, indices = call.input[axis], call.config["indices"]
    if extent is not None and indices is not None and any(not -extent <= index < extent for index in indices):
        raise ShapeError(f"expected indices from {-extent} to {extent - 1}, got {indices[:8]}")
    return (*call.input[:axis], *_indices(call), *call.input[axis + 1 :])


def _gathered(call: OperationValues) -> Array:
    indices = call.inputs[1] if call.config["indices"] is None else np.asarray(call.config["indices"], dtype=np.int64)
    return np.take(call.input, indices.astype(np.int64), axis=call.config["axis"])


def _take_along(call: OperationShapes) -> Shape:
    axis = axis_of(call.config["axis"], call.input)
    shape, indices = call.inputs
    if len(shape) != len(indices) or not compatible(_without(shape, axis), _without(indices, axis)):
        raise ShapeError(f"expected indices that agree with the input but along axis {axis}, got {text(shape)} and {text(indices)}")
    agreed = merge(_without(shape, axis), _without(indices, axis))
    return (*agreed[:axis], indices[axis], *agreed[axis:])


def _one_hot(call: OperationShapes) -> Shape:
    axis = axis_of(call.config["axis"], (*call.input, 1))
    return (*call.input[:axis], call.config["depth"], *call.input[axis:])


def _one_hotted(call: OperationValues) -> Array:
    indices = np.expand_dims(call.input, call.config["axis"])
    line = np.arange(call.config["depth"])
    axis = axis_of(call.config["axis"], indices.shape)
    hits = indices == line.reshape([-1 if one == axis else 1 for one in range(indices.ndim)])
    return converted(hits.astype(np.int32), call.config["dtype"], call)


def _constant(call: OperationShapes) -> Shape:
    value, shape = call.config["value"], tuple(call.config["shape"])
    if isinstance(value, list):
        count = 1
        for extent in shape:
            count *= extent
        if len(value) != count:
            raise ShapeError(f"expected {count} elements for {text(shape)}, got {len(value)}")
    return shape


def _constants(call: OperationValues) -> Array:
    value, shape = call.config["value"], call.config["shape"]
    array = np.asarray(value).reshape(shape) if isinstance(value, list) else np.full(shape, value)
    return converted(array, call.config["dtype"], call)


define(
    "concatenate",
    FAMILY,
    "The inputs one after the other along the axis.",
    words="the inputs' shape, with the sum of the extents along `axis`",
    rule=_concatenate,
    formula=lambda call: np.concatenate(unified(call.inputs, call.dtype), axis=call.config["axis"]),
    fields=(_AXIS,),
    inputs=(1, None),
    keras="ops.concatenate",
    torch="torch.cat",
)
define(
    "stack",
    FAMILY,
    "The inputs side by side along a new axis.",
    words="the inputs' shape, with their number along `axis` of the result",
    rule=_stack,
    formula=lambda call: np.stack(unified(call.inputs, call.dtype), axis=call.config["axis"]),
    fields=(Field("axis", AXIS, "The axis of the result."),),
    inputs=(1, None),
    keras="ops.stack",
    torch="torch.stack",
)
define(
    "split",
    FAMILY,
    "Parts of x, one after the other along the axis: so many of one extent, or of the extents that are said.",
    words="for each part the input, with its extent along `axis`",
    rule=_split,
    formula=_splitted,
    fields=(Field("parts", PARTS, "Their number, or the extent of each."), _AXIS),
    keras="ops.split",
    torch="torch.split",
)
define(
    "tile",
    FAMILY,
    "x repeated as a whole along each axis, aligned at the end.",
    words="the input's extents, aligned at the end, multiplied by `repeats`",
    rule=_tile,
    formula=lambda call: np.tile(call.input, call.config["repeats"]),
    fields=(Field("repeats", EXTENTS, "How often, for each axis."),),
    keras="ops.tile",
    torch="torch.tile",
)
define(
    "repeat",
    FAMILY,
    "x with each element repeated in its place along the axis.",
    words="input, its extent along `axis` multiplied by `repeats`",
    rule=_repeat,
    formula=lambda call: np.repeat(call.input, call.config["repeats"], axis=call.config["axis"]),
    fields=(Field("repeats", SIZE, "How often."), _AXIS),
    keras="ops.repeat",
    torch="torch.repeat_interleave",
)
define(
    "roll",
    FAMILY,
    "x with each element moved forward along the axes; what leaves at the end comes in at the beginning.",
    words="input",
    rule=_roll,
    formula=lambda call: np.roll(call.input, call.config["shifts"], call.config["axes"]),
    fields=(Field("shifts", INDICES, "How far, for each of the axes."), Field("axes", AXES, "The axes.")),
    keras="ops.roll",
    torch="torch.roll",
)
define(
    "pad",
    FAMILY,
    "x with elements added around it: of a fixed value; the outermost (`edge`); mirrored without (`reflect`) or with (`symmetric`) the outermost.",
    words="input, each extent with its pair of `padding` added",
    rule=_pad,
    formula=_padded,
    fields=(
        Field(
            "padding",
            Kind("array of [begin, end]", {"type": "array", "items": {**EXTENTS.schema, "minItems": 2, "maxItems": 2}, "maxItems": 32}),
            "Elements before and after, for each axis, the batch included.",
        ),
        Field("mode", choice("constant", "edge", "reflect", "symmetric"), "What is added.", "constant"),
        Field("fill", FILL, "The fixed value.", 0),
    ),
    keras="ops.pad",
    torch="torch.nn.functional.pad",
)
define(
    "gather",
    FAMILY,
    "The elements of x at the indices along the axis; a negative index counts from the end.",
    words="input, with the shape of the indices in the place of `axis`",
    rule=_gather,
    formula=_gathered,
    fields=(Field("indices", Kind("array of integers or null", {**INDICES.schema, "type": ["array", "null"]}), "The indices; null: the second input.", None), _AXIS),
    literals=("indices",),
    inputs=(2, 2),
    keras="ops.take",
    torch="torch.index_select",
)
define(
    "take_along_axis",
    FAMILY,
    "For each element of the second input the element of the first at that index along the axis, all other indices equal.",
    words="first input, with the second's extent along `axis`",
    rule=_take_along,
    formula=lambda call: np.take_along_axis(call.inputs[0], call.inputs[1].astype(np.int64), call.config["axis"]),
    fields=(_AXIS,),
    inputs=(2, 2),
    keras="ops.take_along_axis",
    torch="torch.gather",
)
define(
    "one_hot",
    FAMILY,
    "1 where the index along the new axis equals x, else 0; all 0 for an x outside.",
    words="input, with `depth` along `axis` of the result",
    rule=_one_hot,
    formula=_one_hotted,
    fields=(
        Field("depth", SIZE, "The extent of the new axis."),
        Field("axis", AXIS, "The axis of the result.", -1),
        Field("dtype", DTYPE, "The dtype of the result.", "float32"),
    ),
    makes_dtype=True,
    keras="ops.one_hot",
    torch="torch.nn.functional.one_hot",
)
define(
    "constant",
    FAMILY,
    "A value that is always the same: one number everywhere, or numbers in row-major order.",
    words="`shape`",
    rule=_constant,
    formula=_constants,
    fields=(
        Field("value", ELEMENTS, "The number, or as many as the shape has elements."),
        Field("shape", EXTENTS, "The extents.", []),
        Field("dtype", DTYPE, "The dtype.", "float32"),
    ),
    inputs=(0, 0),
    makes_dtype=True,
    keras="ops.full",
    torch="torch.full",
)
define(
    "identity",
    FAMILY,
    "x.",
    words="input",
    rule=same_shape,
    formula=lambda call: call.input,
    torch="torch.clone",
)
