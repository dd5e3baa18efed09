"""The weights panel as data: named tensors whose bytes are read when somebody needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from triptych import dtypes

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A dense, row-major, little-endian array whose bytes are somewhere else until asked for."""

    dtype: str
    """A name of `triptych.dtypes`."""
    shape: tuple[int, ...]
    read: Callable[[], memoryview]
    """Its bytes: `nbytes` of them, contiguous, format "B"; a view where the source allows it. May verify a digest.

    Called once per use and not cached, so that a conversion holds one tensor at a time.
    """

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Number of bytes."""
        return dtypes.nbytes(self.dtype, self.size)

    def array(self) -> Array:
        """The elements as an array of `shape`; read-only when it is a view on a file.

        Raises:
            TypeError: The dtype is packed (fewer than 8 bits an element).
        """
        import numpy as np

        return np.ndarray(self.shape, dtypes.numpy_dtype(self.dtype), self.read())

    @classmethod
    def from_array(cls, array: Array) -> Tensor:
        """A tensor of the elements of `array`, which is not copied if it is C-contiguous and little-endian.

        Raises:
            TypeError: The array's dtype has no counterpart in the specification.
        """
        import numpy as np

        name = array.dtype.name
        if name not in dtypes.BY_NAME:
            raise TypeError(f"expected a dtype of the specification, got {name!r}")
        plain = np.asarray(array, dtype=dtypes.numpy_dtype(name), order="C")

        def read() -> memoryview:
            # A view as bytes first: a buffer of bfloat16 has no format that memoryview knows, and 0-d cannot be cast.
            return plain.reshape(-1).view(np.uint8).data

        return cls(name, tuple(plain.shape), read)


class Weights(Mapping[str, "Array"]):
    """Named arrays: ``weights["conv_1.kernel"]`` is the array, `tensor` its description without reading it."""

    __slots__ = ("_tensors",)

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = tensors

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Weights:
        """Weights of arrays in memory."""
        return cls({name: Tensor.from_array(array) for name, array in arrays.items()})

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """Name -> description; reads nothing."""
        return self._tensors

    def tensor(self, name: str) -> Tensor:
        """The description of tensor `name`: dtype and shape, and how to read it.

        Raises:
            KeyError: No tensor has this name.
        """
        return self._tensors[name]

    def __getitem__(self, name: str) -> Array:
        return self._tensors[name].array()

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __contains__(self, name: object) -> bool:
        return name in self._tensors

    def __repr__(self) -> str:
        return f"<Weights: {len(self)} tensors, {sum(t.nbytes for t in self._tensors.values()):,} bytes>"
