"""Arithmetic on extents that several types share; an unknown extent (None) stays unknown."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from triptych.model import Json, NamedShape, Shape
from triptych.vocabulary.expressions import ShapeError

Extent = int | None
Padding = str | list[list[int]]


def spatial_axes(rank: int, data_format: str) -> range:
    """The axes between batch and channels of an input of `rank`."""
    return range(2, rank) if data_format == "channels_first" else range(1, rank - 1)


def channel_axis(data_format: str) -> int:
    """The axis that holds the channels."""
    return 1 if data_format == "channels_first" else -1


def with_spatial(shape: Shape, extents: Sequence[Extent], data_format: str, *, channels: Extent = None) -> Shape:
    """`shape` with other spatial extents, and other channels unless `channels` is None."""
    count = shape[channel_axis(data_format)] if channels is None else channels
    return (shape[0], count, *extents) if data_format == "channels_first" else (shape[0], *extents, count)


def filled(shape: Shape, data_format: str) -> Shape:
    """`shape`, which has an element along every spatial axis.

    Raises:
        ShapeError: It lacks one.
    """
    if any(shape[axis] == 0 for axis in spatial_axes(len(shape), data_format)):
        raise ShapeError(f"expected an element along each spatial axis, got {text(shape)}")
    return shape


def windows(extent: Extent, size: int, stride: int, padding: str | list[int], *, dilation: int = 1, ceil: bool = False) -> Extent:
    """How many windows of `size` fit along an axis.

    Raises:
        ShapeError: Not one does.
    """
    if extent is None:
        return None
    span = (size - 1) * dilation + 1
    if isinstance(padding, str) and padding != "valid":
        count = -(-extent // stride)
    else:
        begin, end = (0, 0) if isinstance(padding, str) else padding
        room = extent + begin + end - span
        count = room // stride + 1
        if ceil:
            # A last window may hang over the end, but none starts in the padding after the input.
            count = min(-(-room // stride) + 1, -(-(extent + begin) // stride))
    if count < 1:
        raise ShapeError(f"expected at least one window of {span} along each axis, got an extent of {extent}")
    return count


def axis_padding(padding: Json, axis: int) -> str | list[int]:
    """The padding of spatial axis `axis`: the rule's name, or its pair."""
    return padding if isinstance(padding, str) else padding[axis]


def product(extents: Sequence[Extent]) -> Extent:
    """The product; unknown if a factor is."""
    known = [extent for extent in extents if extent is not None]
    return prod(known) if len(known) == len(extents) else None


def same(left: Extent, right: Extent) -> bool:
    """Whether two extents may be equal: they are, or one is unknown."""
    return left is None or right is None or left == right


def compatible(left: Shape, right: Shape) -> bool:
    """Whether two shapes may be equal."""
    return len(left) == len(right) and all(map(same, left, right))


def merge(left: Shape, right: Shape) -> Shape:
    """Two compatible shapes as one, with each extent that either knows."""
    return tuple(a if a is not None else b for a, b in zip(left, right, strict=True))


def broadcast(left: Shape, right: Shape) -> Shape:
    """The common shape of element-wise arithmetic: batch with batch, the rest aligned at the end, 1 stretches.

    Raises:
        ShapeError: Two extents differ and neither is 1.
    """
    one, two = left[1:], right[1:]
    width = max(len(one), len(two))
    one, two = (1,) * (width - len(one)) + one, (1,) * (width - len(two)) + two
    if not same(left[0], right[0]):
        raise ShapeError(f"expected inputs of one batch extent, got {text(left)} and {text(right)}")
    joined: list[Extent] = [left[0] if left[0] is not None else right[0]]
    for a, b in zip(one, two, strict=True):
        if 1 not in {a, b} and not same(a, b):
            raise ShapeError(f"expected inputs of one shape, got {text(left)} and {text(right)}")
        joined.append(b if a == 1 else a if b == 1 or a is not None else b)
    return tuple(joined)


def axis_of(axis: int, shape: Shape) -> int:
    """`axis` counted from the front.

    Raises:
        ShapeError: The shape has no such axis.
    """
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(f"expected an input with an axis {axis}, got {text(shape)}")
    return axis % len(shape)


def text(shape: NamedShape | None) -> str:
    """`shape` as people write it: ``(None, 32, 32, 3)``."""
    return "unknown" if shape is None else "(" + ", ".join("None" if extent is None else str(extent) for extent in shape) + ")"
