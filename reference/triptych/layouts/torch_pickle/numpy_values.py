"""numpy's numbers and arrays, as training dictionaries hold them: numbers become plain numbers, arrays lists of their bytes and shape."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from triptych.layouts.problems import invalid, unsupported
from triptych.layouts.torch_pickle import refusals
from triptych.layouts.torch_pickle.machine import Constructor

_KINDS = {
    "f2": "float16", "f4": "float32", "f8": "float64", "i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64",
    "u1": "uint8", "u2": "uint16", "u4": "uint32", "u8": "uint64", "b1": "bool", "c8": "complex64",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class NumpyType:
    """A dtype of numpy's; `swapped` once the file says big-endian."""

    name: str
    swapped: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class NumpyArray:
    """An array whose bytes stand in the pickle; until its state comes, the empty one that numpy makes."""

    name: str = "int8"
    shape: tuple[int, ...] = (0,)
    data: bytes = b""
    """Little-endian, row-major."""


def _type(arguments: tuple[Any, ...], place: str) -> NumpyType:
    code = arguments[0] if arguments and isinstance(arguments[0], str) else ""
    if code not in _KINDS:
        raise unsupported(place, f"expected a numpy dtype of numbers, got {refusals.brief(arguments[0] if arguments else None)}")
    return NumpyType(_KINDS[code])


def _scalar(arguments: tuple[Any, ...], place: str) -> Any:
    import numpy as np

    if len(arguments) != 2 or not isinstance(arguments[0], NumpyType) or not isinstance(arguments[1], bytes | str):
        raise invalid(place, "expected a numpy number of a dtype and its bytes")
    kind, raw = arguments
    data = raw if isinstance(raw, bytes) else raw.encode("latin-1", "replace")
    plain = np.dtype(kind.name).newbyteorder(">" if kind.swapped else "<")
    if len(data) != plain.itemsize or kind.name == "complex64":
        raise invalid(place, f"expected {plain.itemsize} bytes of a real number, got {len(data)}")
    return np.frombuffer(data, plain)[0].item()


def _array(arguments: tuple[Any, ...], place: str) -> NumpyArray:
    if not arguments or str(arguments[0]) not in ("numpy.ndarray", "numpy.core.multiarray.ndarray"):
        raise unsupported(place, f"expected a numpy array, got {refusals.brief(arguments[0] if arguments else None)}")
    if arguments[1:] not in (((0,), b"b"), ((0,), "b")):
        raise invalid(place, "expected a numpy array without elements until its state comes, as numpy writes it")
    return NumpyArray()


def build_numpy(target: Any, state: Any, place: str) -> Any:
    """`target`, a dtype or an array of numpy's, with its state.

    Raises:
        UnsupportedError: It is neither, or not of plain numbers.
    """
    if isinstance(target, NumpyType) and isinstance(state, tuple) and len(state) >= 8 and state[1] in ("<", ">", "|", "="):
        return NumpyType(target.name, swapped=state[1] == ">")
    if isinstance(target, NumpyArray) and isinstance(state, tuple) and len(state) == 5:
        return _filled(state, place)
    raise unsupported(place, f"expected data, got a state for {refusals.brief(target)}")


def _filled(state: tuple[Any, ...], place: str) -> NumpyArray:
    import numpy as np

    _, shape, kind, by_columns, raw = state
    data = raw.encode("latin-1", "replace") if isinstance(raw, str) else raw
    good = isinstance(shape, tuple) and len(shape) <= 32 and all(isinstance(n, int) and 0 <= n < 2**48 for n in shape)
    if not good or not isinstance(kind, NumpyType) or not isinstance(data, bytes):
        raise unsupported(place, "expected a numpy array of a shape, a dtype of numbers and bytes")
    plain = np.dtype(kind.name).newbyteorder(">" if kind.swapped else "<")
    if len(data) != prod(shape) * plain.itemsize:
        raise invalid(place, f"expected {prod(shape) * plain.itemsize:,} bytes of a numpy array, got {len(data):,}")
    array = np.frombuffer(data, plain).reshape(shape, order="F" if by_columns else "C")
    return NumpyArray(kind.name, shape, array.astype(plain.newbyteorder("<")).tobytes())


NUMPY: dict[str, Constructor] = {
    "numpy.dtype": _type,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.core.multiarray._reconstruct": _array,
    "numpy._core.multiarray._reconstruct": _array,
}
