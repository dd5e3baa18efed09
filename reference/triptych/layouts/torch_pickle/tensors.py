"""Turns what a file says of a tensor into one whose elements lie in order: a view where they already do, gathered where not."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from triptych import dtypes
from triptych.layouts.problems import invalid, unsupported
from triptych.layouts.torch_pickle import bounds, elements
from triptych.layouts.torch_pickle.opened import Opened
from triptych.layouts.torch_pickle.values import StoredTensor
from triptych.model import Tensor
from triptych.package.mappings import Copied


class Tensors:
    """Makes the tensors of one file, and keeps account of how much they are beside what the file stores."""

    def __init__(self, file: Opened) -> None:
        self._file = file
        self._most = bounds.AMPLIFICATION * file.parts.nbytes + bounds.AMPLIFICATION_FLOOR
        self._bytes = 0
        self._copied = Copied()
        self._count = 0

    def tensor(self, stored: StoredTensor) -> Tensor:
        """The tensor that `stored` describes; its elements are read later.

        Raises:
            InvalidModelError: It reaches outside its storage.
            UnsupportedError: Its dtype is not in the specification, or the file's tensors are far more than it stores.
        """
        limits = self._file.parts.limits
        place = stored.place
        name = elements.dtype_of(stored.dtype, place)
        item = dtypes.BY_NAME[name].item_bits // 8
        count = prod(stored.shape)
        if len(stored.shape) > limits.rank or prod(max(n, 1) for n in stored.shape) > limits.elements:
            raise unsupported(place, f"expected at most {limits.rank} axes and {limits.elements:,} elements, got the shape {stored.shape}")
        available = stored.storage.elements * elements.storage_bytes(stored.storage.kind)
        last = stored.offset + sum((n - 1) * s for n, s in zip(stored.shape, stored.strides, strict=True))
        if count and (last + 1) * item > available:
            raise invalid(place, f"expected a tensor inside the {available:,} bytes of its storage, got one that ends at {(last + 1) * item:,}")
        self._bytes += count * item
        self._count += 1
        if self._bytes > self._most or self._count > limits.tensors:
            raise unsupported(
                place,
                f"expected at most {limits.tensors:,} tensors of {self._most:,} bytes in all, of {self._file.parts.nbytes:,} stored ones; got more",
            )
        return Tensor(name, stored.shape, self._reader(stored, item, count))

    def _reader(self, stored: StoredTensor, item: int, count: int) -> Callable[[], memoryview]:
        if not count:
            return lambda: memoryview(b"")
        whole = self._file.parts.content.get(stored.storage.key)
        if whole is None:
            raise invalid(stored.place, "expected the storage of the tensor in the file, it is not there")
        begin = stored.storage.offset * elements.storage_bytes(stored.storage.kind) + stored.offset * item
        swapped = self._file.swapped and item > 1
        if in_rows(stored.shape, stored.strides) and not (swapped or stored.conjugate or stored.negative):
            return lambda: whole()[begin : begin + count * item]

        def gathered() -> memoryview:
            data = whole()
            found = _gathered(data, begin, stored, swapped=swapped)
            self._copied.note(data)
            return found

        return gathered


def row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of an array in rows, an empty axis counted as one, as PyTorch counts."""
    strides: list[int] = []
    step = 1
    for extent in reversed(shape):
        strides.append(step)
        step *= max(extent, 1)
    return tuple(reversed(strides))


def in_rows(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether elements of `shape` lie by rows, one after the other."""
    step = 1
    for extent, stride in zip(reversed(shape), reversed(strides), strict=True):
        if extent != 1:
            if stride != step:
                return False
            step *= extent
    return True


def _gathered(data: memoryview, begin: int, stored: StoredTensor, *, swapped: bool) -> memoryview:
    import numpy as np

    kind = dtypes.numpy_dtype(stored.dtype)
    item = kind.itemsize
    # Elements of dtypes that numpy lacks are moved as integers of their size.
    plain = kind if stored.conjugate or stored.negative or kind.kind == "c" else np.dtype(f"<u{item}")
    array = np.ndarray(stored.shape, plain.newbyteorder(">") if swapped else plain, data, begin, tuple(item * s for s in stored.strides))
    packed = np.array(array, plain, order="C")
    if stored.conjugate:
        packed = np.conj(packed)
    if stored.negative:
        packed = np.negative(packed)
    return memoryview(packed.reshape(-1).view(np.uint8).data)
