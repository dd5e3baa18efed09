"""Tensors that are stored in parts, as TensorFlow's partitioned variables are: the keys of the parts, and joining them.

The parts must fill the tensor: each element in exactly one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from triptych.layouts.problems import invalid, unsupported
from triptych.package.mappings import Copied

COMPARISONS = 5_000_000
"""Pairs of parts that may be compared in one checkpoint: those of a tensor cut along one axis are compared once each."""


@dataclass(frozen=True, slots=True)
class Part:
    """A box of a tensor: where it begins and how far it reaches, along each axis."""

    starts: tuple[int, ...]
    extents: tuple[int, ...]
    key: bytes
    """Under which a table has it."""

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.extents)


@dataclass(slots=True)
class Effort:
    """How many pairs of parts may still be compared."""

    left: int = COMPARISONS

    def spend(self, place: str) -> None:
        """Compare one pair."""
        self.left -= 1
        if self.left < 0:
            raise unsupported(place, f"expected tensors in parts whose fit takes at most {COMPARISONS:,} comparisons, they take more")


def part_of(message: Any, name: str, shape: tuple[int, ...], place: str) -> Part:
    """The part of tensor `name` that the ``Slice`` `message` describes.

    Raises:
        InvalidModelError: It reaches outside the tensor.
    """
    if len(message.extent) != len(shape):
        raise invalid(place, f"expected a part with {len(shape)} axes, got {len(message.extent)}")
    starts, extents, said = [], [], []
    for one, whole in zip(message.extent, shape, strict=True):
        full = one.WhichOneof("value") is None
        start, length = (0, whole) if full else (one.start, one.length)
        if (full and one.start) or start < 0 or length < 0 or start + length > whole:
            raise invalid(place, f"expected a part inside the shape {shape}, got {length:,} from {start:,}")
        starts.append(start)
        extents.append(length)
        said += [start, -1 if full else length]
    return Part(tuple(starts), tuple(extents), key_of(name, len(shape), said))


def key_of(name: str, rank: int, numbers: Sequence[int]) -> bytes:
    """The key of a part of tensor `name`, whose starts and lengths are `numbers`, in turn; -1 is the length of a whole axis.

    An "ordered code" of Google's: it sorts as its parts do.
    """
    # UTF-8 has no byte ff, the other one that would need an escape.
    text = name.encode().replace(b"\0", b"\0\xff")
    return b"\0" + text + b"\0\1" + (bytes([1, rank]) if rank else b"\0") + b"".join(map(_signed, numbers))


def _signed(number: int) -> bytes:
    """`number`, first as many ones as there are bytes, then its sign and value; what is below zero has every bit turned."""
    width = (number if number >= 0 else ~number).bit_length() // 7 + 1
    ones = ((1 << width) - 1) << (7 * width)
    return (number & (1 << 8 * width) - 1 ^ ones).to_bytes(width, "big")


def check_fill(parts: Sequence[Part], shape: tuple[int, ...], place: str, effort: Effort) -> None:
    """Check that each element of a tensor of `shape` is in exactly one of `parts`.

    Raises:
        InvalidModelError: One is in none or in several.
        UnsupportedError: It would take too long to tell.
    """
    held = sum(part.size for part in parts)
    if held != prod(shape):
        raise invalid(place, f"expected parts that fill the shape {shape}, of {prod(shape):,} elements, got {held:,}")
    solid = [part for part in parts if part.size]
    if len(solid) < 2:
        return
    # Along the axis that is cut most, the fewest parts stand beside each other.
    axis = max(range(len(shape)), key=lambda one: len({part.starts[one] for part in solid}))
    open_: list[Part] = []
    for part in sorted(solid, key=lambda one: one.starts[axis]):
        begin = part.starts[axis]
        open_ = [other for other in open_ if other.starts[axis] + other.extents[axis] > begin]
        for other in open_:
            effort.spend(place)
            if _overlap(part, other):
                raise invalid(place, f"expected parts that do not overlap, got those at {other.starts} and {part.starts}")
        open_.append(part)


def _overlap(part: Part, other: Part) -> bool:
    sides = zip(part.starts, part.extents, other.starts, other.extents, strict=True)
    return all(a < b + other_extent and b < a + extent for a, extent, b, other_extent in sides)


def joined(parts: Sequence[Part], contents: Iterable[memoryview], shape: tuple[int, ...], item_bytes: int) -> memoryview:
    """The elements of a tensor of `shape`, of `item_bytes` bytes each, whose `parts` hold `contents`."""
    import numpy as np

    item = np.dtype((np.void, item_bytes))
    whole = np.empty(shape, item)
    copied = Copied()
    for part, content in zip(parts, contents, strict=True):
        place = tuple(slice(start, start + extent) for start, extent in zip(part.starts, part.extents, strict=True))
        whole[place] = np.ndarray(part.extents, item, content)
        copied.note(content)
    return memoryview(whole.reshape(-1).view(np.uint8).data)
