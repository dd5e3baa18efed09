"""What a checkpoint stores under one key, whichever format it is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

from triptych import dtypes
from triptych.layouts.problems import invalid, unsupported
from triptych.layouts.tensorflow import element_types
from triptych.layouts.tensorflow.partitions import Part, joined
from triptych.limits import Limits


class Stored(Protocol):
    """A tensor of elements or of strings that is read when somebody asks."""

    @property
    def dtype(self) -> str:
        """A name of `element_types`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its extents."""

    def read(self) -> memoryview:
        """Its elements, row-major and little-endian, their checksum compared."""

    def strings(self) -> tuple[bytes, ...]:
        """Its strings, row-major, their checksum compared."""


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A tensor whose parts are stored apart."""

    dtype: str
    shape: tuple[int, ...]
    parts: Sequence[Part]
    contents: Sequence[Stored]
    """Of the parts, in their order."""
    place: str

    def read(self) -> memoryview:
        """Its elements, copied together."""
        return joined(self.parts, (one.read() for one in self.contents), self.shape, dtypes.BY_NAME[self.dtype].item_bits // 8)

    def strings(self) -> tuple[bytes, ...]:
        """Nothing: TensorFlow joins no parts of strings, either."""
        raise unsupported(self.place, "expected a tensor of strings in one piece, got one in parts")


def dtype_of(number: int, place: str) -> str:
    """The name of TensorFlow's dtype `number`.

    Raises:
        UnsupportedError: TensorFlow has none, as far as is known here.
    """
    name = element_types.name_of(number)
    if name is None:
        raise unsupported(place, f"expected a dtype of TensorFlow up to 2.21, got number {number}")
    return name


def shape_of(message: Any, limits: Limits, place: str) -> tuple[int, ...]:
    """The extents that the ``Shape`` `message` says.

    Raises:
        InvalidModelError: They are none.
        UnsupportedError: They exceed a limit.
    """
    shape = tuple(one.size for one in message.dim)
    if message.unknown_rank or min(shape, default=0) < 0:
        raise invalid(place, f"expected the shape of stored elements, got {shape}")
    if len(shape) > limits.rank or prod(max(extent, 1) for extent in shape) > limits.elements:
        raise unsupported(place, f"expected at most {limits.rank} axes and {limits.elements:,} elements, got the shape {shape}")
    return shape


def key_of(key: bytes, limits: Limits, name: str) -> str:
    """The text that `key`, of the table called `name`, is.

    Raises:
        InvalidModelError: It is no UTF-8.
        UnsupportedError: It is too long.
    """
    if len(key) > limits.name_bytes:
        raise unsupported(name, f"expected keys of at most {limits.name_bytes:,} bytes, got {len(key):,}")
    try:
        return key.decode()
    except UnicodeDecodeError:
        raise invalid(name, f"expected keys of UTF-8, got {key!r}") from None
