"""Operations that give elements other axes: reshaping, transposing, cutting out, stretching."""

from __future__ import annotations

from triptych.model import Json, Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import axis_of, product, text
from triptych.vocabulary.kinds import AXES, AXIS, Kind
from triptych.vocabulary.operations.definition import OperationShapes, OperationValues, define
from triptych.vocabulary.operations.kinds import AXES_OR_ALL, ENTRIES, OPEN_EXTENTS
from triptych.vocabulary.operations.operands import axes_of

FAMILY = "Axes"


def _kept(target: list[int | None], shape: Shape) -> list[int | None]:
    """`target` with the input's extent at its place for each null."""
    if any(extent is None and place >= len(shape) for place, extent in enumerate(target)):
        raise ShapeError(f"expected an input with an axis for each null of {target}, got {text(shape)}")
    return [shape[place] if extent is None else extent for place, extent in enumerate(target)]


def _reshape(call: OperationShapes) -> Shape:
    shape, said = call.input, call.config["shape"]
    target = _kept(said, shape)
    if target.count(-1) > 1:
        raise ShapeError(f"expected at most one -1 in shape, got {said}")
    # An extent that is kept stands on both sides, known or not.
    kept = [place for place, extent in enumerate(said) if extent is None]
    total = product([extent for place, extent in enumerate(shape) if place not in kept])
    known = product([extent for extent in said if extent not in (-1, None)])
    assert known is not None
    if total is None or not (known or total):
        return tuple(None if extent == -1 else extent for extent in target)
    if total != known if -1 not in target else (not known or total % known):
        raise ShapeError(f"expected an input of elements that fit {said}, got {text(shape)}")
    return tuple(total // known if extent == -1 else extent for extent in target)


def _reshaped(call: OperationValues) -> Array:
    shape = _reshape(OperationShapes(call.config, (call.input.shape,)))
    return call.input.reshape([-1 if extent is None else extent for extent in shape])


def _span(call: OperationShapes | OperationValues, shape: Shape) -> tuple[int, int]:
    start, end = axis_of(call.config["start_axis"], shape), axis_of(call.config["end_axis"], shape)
    if start > end:
        raise ShapeError(f"expected start_axis before end_axis, got {start} and {end} for {text(shape)}")
    return start, end


def _flatten(call: OperationShapes) -> Shape:
    start, end = _span(call, call.input)
    return (*call.input[:start], product(call.input[start : end + 1]), *call.input[end + 1 :])


def _flattened(call: OperationValues) -> Array:
    shape = call.input.shape
    start, end = _span(call, shape)
    return call.input.reshape([*shape[:start], int(np.prod(shape[start : end + 1])), *shape[end + 1 :]])


def transposed(axes: Json, shape: Shape) -> tuple[int, ...]:
    """The axes of the input in the order of the result."""
    if axes is None:
        return tuple(range(len(shape)))[::-1]
    found = axes_of(axes, shape)
    if len(found) != len(shape):
        raise ShapeError(f"expected each axis of the input once, got {axes} for {text(shape)}")
    return found


def _transpose(call: OperationShapes) -> Shape:
    return tuple(call.input[axis] for axis in transposed(call.config["axes"], call.input))


def squeezed_axes(axes: Json, shape: Shape) -> tuple[int, ...]:
    """The axes that go."""
    if axes is None:
        if None in shape:
            raise ShapeError(f"expected axes to be said where an extent is not known, got {text(shape)}")
        return tuple(axis for axis, extent in enumerate(shape) if extent == 1)
    found = axes_of(axes, shape)
    if any(shape[axis] not in {1, None} for axis in found):
        raise ShapeError(f"expected extent 1 along each of the axes {axes}, got {text(shape)}")
    return found


def _squeeze(call: OperationShapes) -> Shape:
    gone = squeezed_axes(call.config["axes"], call.input)
    return tuple(extent for axis, extent in enumerate(call.input) if axis not in gone)


def new_axes(axes: list[int], rank: int) -> tuple[int, ...]:
    """The axes of the result that are new."""
    return axes_of(axes, (1,) * (rank + len(axes)))


def _expand_dims(call: OperationShapes) -> Shape:
    fresh = new_axes(call.config["axes"], len(call.input))
    rest = iter(call.input)
    return tuple(1 if axis in fresh else next(rest) for axis in range(len(call.input) + len(fresh)))


def _broadcast_to(call: OperationShapes) -> Shape:
    shape, said = call.input, call.config["shape"]
    if len(said) < len(shape):
        raise ShapeError(f"expected an input of at most {len(said)} axes, got {text(shape)}")
    if None in said[: len(said) - len(shape)]:
        raise ShapeError(f"expected an axis of the input for each null of {said}, got {text(shape)}")
    aligned = (1,) * (len(said) - len(shape)) + shape
    target = tuple(extent if wanted is None else wanted for wanted, extent in zip(said, aligned, strict=True))
    for wanted, extent in zip(target, aligned, strict=True):
        if extent not in {1, None} and wanted != extent:
            raise ShapeError(f"expected an input that stretches to {said}, got {text(shape)}")
    return target


def _broadcasted(call: OperationValues) -> Array:
    shape = _broadcast_to(OperationShapes(call.config, (call.input.shape,)))
    return np.broadcast_to(call.input, [extent or 0 for extent in shape])


def spread(entries: list[Json], rank: int) -> list[Json]:
    """`entries` with `rest` as whole axes, and whole axes at the end.

    Raises:
        ShapeError: There are more than axes, or `rest` stands there twice.
    """
    taken = sum(entry not in ("new", "rest") for entry in entries)
    if entries.count("rest") > 1 or taken > rank:
        raise ShapeError(f"expected at most {rank} axes to be cut and `rest` at most once, got {entries}")
    whole: list[Json] = [[None, None, None]] * (rank - taken)
    place = entries.index("rest") if "rest" in entries else len(entries)
    return [*entries[:place], *whole, *entries[place + 1 :]]


def _slice(call: OperationShapes) -> Shape:
    shape: list[int | None] = []
    axes = iter(call.input)
    for entry in spread(call.config["entries"], len(call.input)):
        extent = None if entry == "new" else next(axes)
        if entry == "new":
            shape.append(1)
        elif isinstance(entry, int):
            if extent is not None and not -extent <= entry < extent:
                raise ShapeError(f"expected an index from {-extent} to {extent - 1}, got {entry} for {text(call.input)}")
        else:
            if entry[2] == 0:
                raise ShapeError("expected a step other than 0, got 0")
            whole = entry[0] in {None, 0} and entry[1] is None and entry[2] in {None, 1}
            shape.append(extent if whole or extent is None else len(range(*slice(*entry).indices(extent))))
            if extent is None and not whole:
                shape[-1] = None
    return tuple(shape)


def _sliced(call: OperationValues) -> Array:
    entries = spread(call.config["entries"], call.input.ndim)
    return np.asarray(call.input[tuple(None if one == "new" else one if isinstance(one, int) else slice(*one) for one in entries)])


def _flip(call: OperationShapes) -> Shape:
    axes_of(call.config["axes"], call.input)
    return call.input


define(
    "reshape",
    FAMILY,
    "x with other axes, its elements in row-major order.",
    words="`shape`, with the input's extent at the same place for null, and what remains for -1",
    rule=_reshape,
    formula=_reshaped,
    fields=(Field("shape", OPEN_EXTENTS, "The extents, batch included; null: the input's at the same place; one may be -1: what remains."),),
    keras="ops.reshape",
    torch="torch.reshape",
)
define(
    "flatten",
    FAMILY,
    "x with the axes from start_axis to end_axis as one, its elements in row-major order.",
    words="input, the extents from `start_axis` to `end_axis` replaced by their product",
    rule=_flatten,
    formula=_flattened,
    fields=(
        Field("start_axis", AXIS, "The first axis that is joined."),
        Field("end_axis", AXIS, "The last.", -1),
    ),
    torch="torch.flatten",
)
define(
    "transpose",
    FAMILY,
    "x with its axes in another order.",
    words="for each entry of `axes` the extent of that axis",
    rule=_transpose,
    formula=lambda call: call.input.transpose(transposed(call.config["axes"], call.input.shape)),
    fields=(Field("axes", AXES_OR_ALL, "The axes of the input in the order of the result; null: reversed.", None),),
    keras="ops.transpose",
    torch="torch.permute",
)
define(
    "squeeze",
    FAMILY,
    "x without axes of extent 1.",
    words="input without the axes",
    rule=_squeeze,
    formula=lambda call: np.squeeze(call.input, squeezed_axes(call.config["axes"], call.input.shape)),
    fields=(Field("axes", AXES_OR_ALL, "The axes; null: all of extent 1.", None),),
    keras="ops.squeeze",
    torch="torch.squeeze",
)
define(
    "expand_dims",
    FAMILY,
    "x with further axes of extent 1.",
    words="input, with 1 at each of the axes of the result",
    rule=_expand_dims,
    formula=lambda call: np.expand_dims(call.input, new_axes(call.config["axes"], call.input.ndim)),
    fields=(Field("axes", AXES, "Axes of the result."),),
    keras="ops.expand_dims",
    torch="torch.unsqueeze",
)
define(
    "broadcast_to",
    FAMILY,
    "x stretched to a shape: aligned at the end, extent 1 repeated.",
    words="`shape`, with the input's extent at the same place from the end for null",
    rule=_broadcast_to,
    formula=_broadcasted,
    fields=(Field("shape", Kind("array of extents or null", {**OPEN_EXTENTS.schema, "items": {**OPEN_EXTENTS.schema["items"], "minimum": 0}}), "The extents; null: the input's."),),
    keras="ops.broadcast_to",
    torch="torch.Tensor.expand",
)
define(
    "slice",
    FAMILY,
    "A part of x: for each axis in turn an index, which drops it, or [begin, end, step], null for what is not said and counted from the end when negative; `new` adds an axis, `rest` stands for all axes that are not named.",
    words="for each entry: nothing for an index, the number of elements from begin up to, without, end for a triple, 1 for `new`, the extents of whole axes for `rest`",
    rule=_slice,
    formula=_sliced,
    fields=(Field("entries", ENTRIES, "What is taken of each axis; whole axes follow."),),
    keras="ops.slice",
    torch="torch.Tensor.__getitem__",
)
define(
    "flip",
    FAMILY,
    "x with its elements in reverse order along the axes.",
    words="input",
    rule=_flip,
    formula=lambda call: np.flip(call.input, axes_of(call.config["axes"], call.input.shape)),
    fields=(Field("axes", AXES_OR_ALL, "The axes; null: all.", None),),
    keras="ops.flip",
    torch="torch.flip",
)
