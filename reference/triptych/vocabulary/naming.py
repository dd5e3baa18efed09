"""Names of extents: where in a graph an extent stands that an input gives a name.

Rules of shapes know numbers only. So shapes are worked out again with a number in the place of each name, one so peculiar that
it comes out only where the extent was handed on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from triptych.model import Architecture, NamedShape, Shape

_FACTOR = 720720
"""Has every factor up to 16, so that groups and reshapes divide it."""
_FIRST = 7919


def numbered(architecture: Architecture) -> tuple[Architecture, dict[int, str]]:
    """`architecture` with a number for each name of its inputs' extents; and the names by their numbers."""
    names = dict.fromkeys(name for one in architecture.inputs for name in one.names if name is not None)
    numbers = {name: _FACTOR * (_FIRST + 2 * index) for index, name in enumerate(names)}
    inputs = tuple(
        replace(one, shape=tuple(numbers[name] if name else extent for name, extent in zip(one.names, one.shape, strict=True)))
        if one.names
        else one
        for one in architecture.inputs
    )
    return replace(architecture, inputs=inputs), {number: name for name, number in numbers.items()}


def named(shape: Shape | None, again: Shape | None, names: Mapping[int, str]) -> NamedShape | None:
    """`shape`, with the names of extents that came out as numbers the second time."""
    if shape is None or again is None or len(shape) != len(again):
        return shape
    return tuple(
        names.get(number) if extent is None and number is not None else extent
        for extent, number in zip(shape, again, strict=True)
    )


def all_named(
    shapes: Sequence[Shape | None] | None, again: Sequence[Shape | None] | None, names: Mapping[int, str]
) -> tuple[NamedShape | None, ...] | None:
    """As `named`, for several values."""
    if shapes is None or again is None or len(shapes) != len(again):
        return None if shapes is None else tuple(shapes)
    return tuple(named(one, two, names) for one, two in zip(shapes, again, strict=True))
