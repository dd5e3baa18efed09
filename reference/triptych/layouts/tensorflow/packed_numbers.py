"""The elements of a tensor that a Protocol Buffers message spells as packed numbers."""

from __future__ import annotations

from typing import Any

from triptych import dtypes
from triptych.layouts.problems import invalid, unsupported

_FIXED = {"float32": "float_val", "float64": "double_val", "complex64": "scomplex_val"}
"""Fields whose bytes are the elements."""
_VARINTS = {
    "int32": "int_val", "int16": "int_val", "int8": "int_val", "uint8": "int_val", "uint16": "int_val", "int64": "int64_val", "bool": "bool_val",
    "float16": "half_val", "bfloat16": "half_val", "uint32": "uint32_val", "uint64": "uint64_val",
}  # fmt: skip
"""Fields of integers of varying length: the elements, or what their bits are as an integer."""
_LONGEST = 10
"""Bytes of one integer."""
_CHUNK = 1 << 18


def elements(message: Any, dtype: str, count: int, place: str) -> memoryview:
    """The `count` elements of `dtype` that the ``PackedTensor`` `message` holds, little-endian.

    Raises:
        InvalidModelError: It holds another number of them, or numbers that the dtype has not.
        UnsupportedError: Such a message has no field for the dtype.
    """
    field = _FIXED.get(dtype) or _VARINTS.get(dtype)
    if field is None:
        raise unsupported(place, f"expected a dtype that such a file can hold, got {dtype}")
    data = memoryview(b"".join(getattr(message, field)))
    found = _integers(data, dtype, count, place) if dtype in _VARINTS else data
    if found.nbytes != dtypes.nbytes(dtype, count):
        raise invalid(place, f"expected {count:,} elements of {dtype}, got {found.nbytes:,} bytes of them")
    return found


def _integers(data: memoryview, dtype: str, count: int, place: str) -> memoryview:
    import numpy as np

    kind = dtypes.numpy_dtype(dtype)
    target = np.dtype("<u2") if dtype in ("float16", "bfloat16") else np.dtype("u1") if dtype == "bool" else kind
    source = np.frombuffer(data, np.uint8)
    last = source < 0x80
    if int(np.count_nonzero(last)) != count or (count and not last[-1]):
        raise invalid(place, f"expected {count:,} integers, got {int(np.count_nonzero(last)):,} that end")
    out = np.empty(count, target)
    done = at = 0
    while at < len(source):
        end = min(at + _CHUNK, len(source))
        ends = np.flatnonzero(last[at:end])
        if not len(ends):
            raise invalid(place, "expected integers of at most 64 bits")
        end = at + int(ends[-1]) + 1
        numbers = _decoded(source[at:end], ends, place)
        signed = numbers.view(np.int64)
        part = (numbers if target.kind == "u" and target.itemsize == 8 else signed).astype(target)
        if not np.array_equal(part.astype(np.uint64 if target.itemsize == 8 else np.int64), numbers if target.itemsize == 8 else signed) or (
            dtype == "bool" and part.max(initial=0) > 1
        ):
            raise invalid(place, f"expected integers that {dtype} has, got others")
        out[done : done + len(part)] = part
        done, at = done + len(part), end
    return memoryview(out.view(np.uint8).data)


def _decoded(source: Any, ends: Any, place: str) -> Any:
    """The integers whose last bytes are at `ends` of `source`."""
    import numpy as np

    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if int(lengths.max()) > _LONGEST:
        raise invalid(place, "expected integers of at most 64 bits")
    numbers = np.zeros(len(ends), np.uint64)
    for at in range(int(lengths.max())):
        longer = lengths > at
        numbers[longer] |= (source[starts[longer] + at] & 0x7F).astype(np.uint64) << np.uint64(7 * at)
    return numbers
