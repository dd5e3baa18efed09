"""Joins the chunks of a tensor: each a box, and all of them together the whole, no element twice and none missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product

from triptych.errors import shorten
from triptych.layouts.problems import invalid, unsupported
from triptych.package.mappings import Copied

_AXES = 8
"""Axes along which a tensor may be divided; meshes of processes have up to four."""
Box = tuple[tuple[int, ...], tuple[int, ...]]
"""Offsets and sizes."""


def check_tiling(name: str, shape: tuple[int, ...], boxes: Sequence[Box], place: str) -> None:
    """Check that `boxes`, none of them empty, are `shape` without gap or overlap; takes time for the boxes and none for the elements.

    Raises:
        InvalidModelError: They are not.
        UnsupportedError: They divide it along more axes than this is willing to look at.
    """
    for offsets, sizes in boxes:
        if any(offset + size > extent for offset, size, extent in zip(offsets, sizes, shape, strict=True)):
            raise invalid(place, f"expected chunks inside the shape {shape} of {shorten(name)}, got {sizes} at {offsets}")
    divided = [axis for axis, extent in enumerate(shape) if any(sizes[axis] != extent for _, sizes in boxes)]
    if len(divided) > _AXES:
        raise unsupported(place, f"expected {shorten(name)} divided along at most {_AXES} axes, got {len(divided)}")
    # The corners of a box, counted with the sign of their parity, say how the box differs from nothing. Those of the boxes cancel where
    # two touch; what is left is the corners of the whole exactly if every element is in one box.
    found: Counter[tuple[int, ...]] = Counter()
    for offsets, sizes in boxes:
        for ends in product((0, 1), repeat=len(divided)):
            found[tuple(offsets[axis] + end * sizes[axis] for axis, end in zip(divided, ends, strict=True))] += (-1) ** sum(ends)
    whole = {tuple(end * shape[axis] for axis, end in zip(divided, ends, strict=True)): (-1) ** sum(ends) for ends in product((0, 1), repeat=len(divided))}
    if {corner: sign for corner, sign in found.items() if sign} != (whole if all(shape) else {}):
        raise invalid(place, f"expected chunks that fill the shape {shape} of {shorten(name)} without gap or overlap, got {len(boxes):,} that do not")


def joined(shape: tuple[int, ...], item: int, boxes: Sequence[Box], read: Callable[[int], memoryview]) -> memoryview:
    """The bytes of the whole, row-major, of elements of `item` bytes; `read` gives those of a box, and is called for one after the other."""
    import numpy as np

    kind = np.dtype(f"V{item}")
    whole = np.empty(shape, kind)
    copied = Copied()
    for index, (offsets, sizes) in enumerate(boxes):
        target = tuple(slice(offset, offset + size) for offset, size in zip(offsets, sizes, strict=True))
        part = read(index)
        whole[target] = np.ndarray(sizes, kind, part)
        copied.note(part)
    return memoryview(whole.reshape(-1).view(np.uint8).data)
