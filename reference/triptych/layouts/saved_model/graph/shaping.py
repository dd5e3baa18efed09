"""Extents of values, and what gives values other shapes: reshaping, transposing, slicing, joining, padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from triptych.layouts.saved_model.graph.attributes import Type
from triptych.layouts.saved_model.graph.values import Extent, Operand, Value, innermost
from triptych.model import Shape
from triptych.vocabulary.arrays import np

INT32, INT64 = Type("int32"), Type("int64")


def shape_of(x: Value) -> Value:
    """The extents of `x` as a vector of int32."""
    return x.body.one("Shape", [x], "int32", (x.ndim,), T=Type(x.dtype), out_type=INT32)


def extent(x: Value, axis: int) -> Extent:
    """The extent of `x` along `axis`: a number if it is known."""
    known = x.shape[axis]
    return index(shape_of(x), 0, axis % x.ndim) if known is None else known


def extents(x: Value) -> list[Extent]:
    """All extents of `x`."""
    return [extent(x, axis) for axis in range(x.ndim)]


def known(extents_: Sequence[Extent]) -> Shape:
    """What is known of extents before the graph runs."""
    return tuple(one if isinstance(one, int) else None for one in extents_)


def vector(like: Value, items: Sequence[Extent]) -> Value:
    """Extents as a vector of int32, in the body of `like` or of an item inside it."""
    if all(isinstance(one, int) for one in items):
        return like.body.constant(np.asarray(items, np.int32).reshape(-1))
    body = innermost([like, *(one for one in items if isinstance(one, Value))])
    parts = [body.made(one, "int32") for one in items]
    return body.one("Pack", parts, "int32", (len(parts),), N=len(parts), T=INT32, axis=0)


def reshape(x: Value, target: Sequence[Extent]) -> Value:
    """`x` with the extents of `target`, of which one may be -1: what remains."""
    shape = tuple(None if not isinstance(one, int) or one == -1 else one for one in target)
    if shape == x.shape and None not in shape:
        return x
    open_axes = [axis for axis, one in enumerate(target) if not isinstance(one, int)]
    if len(open_axes) == 1 and -1 not in [one for one in target if isinstance(one, int)] and 0 not in shape:
        # One extent that is not known need not be computed.
        target = [-1 if axis in open_axes else one for axis, one in enumerate(target)]
    wanted = vector(x, target)
    body = innermost([x, wanted])
    return body.one("Reshape", [x, wanted], x.dtype, shape, T=Type(x.dtype), Tshape=INT32)


def transpose(x: Value, order: Sequence[int]) -> Value:
    """`x` with axis ``order[i]`` at place i."""
    if list(order) == list(range(x.ndim)):
        return x
    axes = x.body.constant(np.asarray(order, np.int32))
    return x.body.one("Transpose", [x, axes], x.dtype, tuple(x.shape[axis] for axis in order), T=Type(x.dtype), Tperm=INT32)


def move_axis(x: Value, axis: int, place: int) -> Value:
    """`x` with one axis at another place."""
    order = [one for one in range(x.ndim) if one != axis % x.ndim]
    order.insert(place % x.ndim, axis % x.ndim)
    return transpose(x, order)


def expand(x: Value, axis: int) -> Value:
    """`x` with a new axis of extent 1 at `axis` of the result."""
    place = axis % (x.ndim + 1)
    where = x.body.constant(np.asarray(place, np.int32))
    return x.body.one("ExpandDims", [x, where], x.dtype, (*x.shape[:place], 1, *x.shape[place:]), T=Type(x.dtype), Tdim=INT32)


def squeeze(x: Value, axes: Sequence[int]) -> Value:
    """`x` without `axes`, which have extent 1."""
    places = sorted(axis % x.ndim for axis in axes)
    shape = tuple(one for axis, one in enumerate(x.shape) if axis not in places)
    return x.body.one("Squeeze", [x], x.dtype, shape, T=Type(x.dtype), squeeze_dims=places)


def join(values: Sequence[Value], axis: int) -> Value:
    """`values` one after the other along `axis`."""
    if len(values) == 1:
        return values[0]
    body, place = innermost(values), axis % values[0].ndim
    lengths = [one.shape[place] for one in values]
    length = None if None in lengths else sum(one for one in lengths if one is not None)
    rest = [next((one.shape[at] for one in values if one.shape[at] is not None), None) for at in range(values[0].ndim)]
    shape = tuple(length if at == place else one for at, one in enumerate(rest))
    where = body.constant(np.asarray(place, np.int32))
    return body.one("ConcatV2", [*values, where], values[0].dtype, shape, N=len(values), T=Type(values[0].dtype), Tidx=INT32)


def stack(values: Sequence[Value], axis: int) -> Value:
    """`values`, all of one shape, along a new axis at `axis` of the result."""
    body, place = innermost(values), axis % (values[0].ndim + 1)
    shape = (*values[0].shape[:place], len(values), *values[0].shape[place:])
    return body.one("Pack", values, values[0].dtype, shape, N=len(values), T=Type(values[0].dtype), axis=place)


def split(x: Value, parts: int, axis: int) -> list[Value]:
    """`x` in so many equal parts along `axis`."""
    if parts == 1:
        return [x]
    place, whole = axis % x.ndim, x.shape[axis]
    shape = (*x.shape[:place], None if whole is None else whole // parts, *x.shape[place + 1 :])
    where = x.body.constant(np.asarray(place, np.int32))
    return x.body.node("Split", [where, x], [(x.dtype, shape)] * parts, num_split=parts, T=Type(x.dtype))


Cut = tuple[Extent | None, Extent | None, int]
"""Begin, end (None: from the first, to the last) and step."""


def cut(x: Value, cuts: Mapping[int, Cut]) -> Value:
    """The elements of `x` from begin up to end along some axes, all along the others. A begin or end below 0 counts from the end."""
    begins, ends, steps, shape = [], [], [], []
    open_begin = open_end = 0
    for axis in range(x.ndim):
        begin, end, step = cuts.get(axis, cuts.get(axis - x.ndim, (None, None, 1)))
        open_begin |= (begin is None) << axis
        open_end |= (end is None) << axis
        begins.append(0 if begin is None else begin)
        ends.append(0 if end is None else end)
        steps.append(step)
        shape.append(_length(x.shape[axis], begin, end, step))
    return _strided(x, begins, ends, steps, tuple(shape), begin_mask=open_begin, end_mask=open_end)


def _length(whole: int | None, begin: Extent | None, end: Extent | None, step: int) -> int | None:
    if begin is None and end is None and step == 1:
        return whole
    if whole is None or isinstance(begin, Value) or isinstance(end, Value):
        return None
    return len(range(whole)[slice(begin, end, step)])


def _strided(x: Value, begins: Sequence[Extent], ends: Sequence[Extent], steps: Sequence[int], shape: Shape, **masks: int) -> Value:
    first, last, by = (vector(x, one) for one in (begins, ends, steps))
    return innermost([x, first, last]).one("StridedSlice", [x, first, last, by], x.dtype, shape, T=Type(x.dtype), Index=INT32, **masks)


def index(x: Value, axis: int, at: Extent) -> Value:
    """The elements of `x` at one place along `axis`, without that axis; a place below 0 counts from the end."""
    place = axis % x.ndim
    others = sum(1 << one for one in range(x.ndim) if one != place)
    begins = [at if one == place else 0 for one in range(x.ndim)]
    ends = [(0 if at == -1 else at + 1) if one == place else 0 for one in range(x.ndim)]
    if at == -1:
        # To the last element there is no end to name.
        return _strided(x, begins, ends, [1] * x.ndim, (*x.shape[:place], *x.shape[place + 1 :]), begin_mask=others, end_mask=others | 1 << place, shrink_axis_mask=1 << place)
    return _strided(x, begins, ends, [1] * x.ndim, (*x.shape[:place], *x.shape[place + 1 :]), begin_mask=others, end_mask=others, shrink_axis_mask=1 << place)


def pad(x: Value, pairs: Mapping[int, tuple[Extent, Extent]], value: Operand = 0) -> Value:
    """`x` with so many elements of `value` before and after it along some axes."""
    counts = [pairs.get(axis, (0, 0)) for axis in range(x.ndim)]
    if all(one == (0, 0) for one in counts):
        return x
    amounts, shape = _amounts(x, counts)
    body = innermost([x, amounts])
    return body.one("PadV2", [x, amounts, body.made(value, x.dtype)], x.dtype, shape, T=Type(x.dtype), Tpaddings=INT32)


def mirror(x: Value, pairs: Mapping[int, tuple[Extent, Extent]], *, edge: bool) -> Value:
    """`x` with its elements mirrored around it, the outermost too where `edge` says so."""
    amounts, shape = _amounts(x, [pairs.get(axis, (0, 0)) for axis in range(x.ndim)])
    mode = "SYMMETRIC" if edge else "REFLECT"
    return innermost([x, amounts]).one("MirrorPad", [x, amounts], x.dtype, shape, T=Type(x.dtype), Tpaddings=INT32, mode=mode)


def _amounts(x: Value, counts: Sequence[tuple[Extent, Extent]]) -> tuple[Value, Shape]:
    shape = tuple(
        whole + before + after if whole is not None and isinstance(before, int) and isinstance(after, int) else None
        for whole, (before, after) in zip(x.shape, counts, strict=True)
    )
    return reshape(vector(x, [one for pair in counts for one in pair]), [len(counts), 2]), shape


def take(x: Value, places: Operand, axis: int) -> Value:
    """The elements of `x` at `places` (int32 or int64) along `axis`."""
    place = axis % x.ndim
    body = innermost([x, places] if isinstance(places, Value) else [x])
    which = body.made(places, "int32")
    where = body.constant(np.asarray(place, np.int32))
    shape = (*x.shape[:place], *which.shape, *x.shape[place + 1 :])
    return body.one("GatherV2", [x, which, where], x.dtype, shape, Tparams=Type(x.dtype), Tindices=Type(which.dtype), Taxis=INT32)


def tile(x: Value, times: Mapping[int, Extent]) -> Value:
    """`x` so many times along some axes."""
    counts = [times.get(axis, 1) for axis in range(x.ndim)]
    shape = tuple(None if whole is None or not isinstance(one, int) else whole * one for whole, one in zip(x.shape, counts, strict=True))
    by = vector(x, counts)
    return innermost([x, by]).one("Tile", [x, by], x.dtype, shape, T=Type(x.dtype), Tmultiples=INT32)


def reverse(x: Value, axes: Sequence[int]) -> Value:
    """`x` with the order along `axes` turned round."""
    which = x.body.constant(np.asarray([axis % x.ndim for axis in axes], np.int32))
    return x.body.one("ReverseV2", [x, which], x.dtype, x.shape, T=Type(x.dtype), Tidx=INT32)


def fill(like: Value, target: Sequence[Extent], value: Any, dtype: str) -> Value:
    """A value of the extents `target`, in the body of `like`, all of whose elements are `value`."""
    wanted = vector(like, target)
    body = wanted.body
    return body.one("Fill", [wanted, body.made(value, dtype)], dtype, known(target), T=Type(dtype), index_type=INT32)


def stretch(x: Value, target: Sequence[Extent]) -> Value:
    """`x` stretched to the extents `target`."""
    wanted = vector(x, target)
    return innermost([x, wanted]).one("BroadcastTo", [x, wanted], x.dtype, known(target), T=Type(x.dtype), Tidx=INT32)


def steps(like: Value, count: Extent) -> Value:
    """0, 1 … below `count`, as int32."""
    body = innermost([like, *([count] if isinstance(count, Value) else [])])
    given = [body.made(one, "int32") for one in (0, count, 1)]
    return body.one("Range", given, "int32", known([count]), Tidx=INT32)
