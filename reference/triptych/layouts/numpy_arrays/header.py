"""The head of an ``.npy`` file: dtype, order and shape, read as text that is matched and never evaluated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod

from triptych import dtypes
from triptych.errors import shorten
from triptych.layouts.problems import inexpressible, invalid, truncated, unsupported
from triptych.limits import Limits
from triptych.model import Tensor

MAGIC = b"\x93NUMPY"
_HEADER_BYTES = 64 << 10
_ALIGNMENT = 64
_CODES = {
    "b1": "bool", "u1": "uint8", "u2": "uint16", "u4": "uint32", "u8": "uint64", "i1": "int8", "i2": "int16", "i4": "int32",
    "i8": "int64", "f2": "float16", "f4": "float32", "f8": "float64", "c8": "complex64",
}  # fmt: skip
"""numpy's codes without the byte order -> the specification's dtypes."""
_EXTENT = "(?:0|[1-9][0-9]{0,19})L? *"
_DESCR = re.compile(r"'descr' *: *'([<>|=])([A-Za-z][0-9]*)'")
_ORDER = re.compile(r"'fortran_order' *: *(True|False)")
_SHAPE = re.compile(rf"'shape' *: *\( *((?:(?:{_EXTENT}, *)+(?:{_EXTENT})?)?)\)")
_MEMBER = f"(?:{_DESCR.pattern}|{_ORDER.pattern}|{_SHAPE.pattern})"
_WHOLE = re.compile(rf" *\{{ *{_MEMBER} *, *{_MEMBER} *, *{_MEMBER} *,? *\}}[ \n]*")
"""Three members and nothing else: of two that have one name, numpy would take the other one."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the head of a file says."""

    dtype: str
    swapped: bool
    """Whether elements are big-endian."""
    by_columns: bool
    """Whether the first index runs fastest."""
    shape: tuple[int, ...]
    start: int
    """Where the elements begin."""


def parse(data: memoryview, place: str, limits: Limits) -> Header:
    """The head of the ``.npy`` file `data`, whose elements must be all of the rest.

    Raises:
        InvalidModelError: It is damaged or cut short.
        UnsupportedError: Its elements are no numbers, or a limit is exceeded.
    """
    if bytes(data[:6]) != MAGIC or len(data) < 12:
        make = invalid if len(data) >= 12 else truncated
        raise make(place, f"expected an array file of numpy's, got {shorten(bytes(data[:6]))}")
    wide = data[6] > 1
    if data[6] not in (1, 2, 3) or data[7]:
        raise unsupported(place, f"expected version 1.0, 2.0 or 3.0 of the array file, got {data[6]}.{data[7]}")
    start = (12 if wide else 10) + int.from_bytes(data[8 : 12 if wide else 10], "little")
    if start > len(data) or start > _HEADER_BYTES:
        raise truncated(place, f"expected a header of at most {min(_HEADER_BYTES, len(data)):,} bytes, it declares {start:,}")
    text = bytes(data[12 if wide else 10 : start]).decode("latin-1")
    descr, order, shape = _DESCR.search(text), _ORDER.search(text), _SHAPE.search(text)
    if descr is None or order is None or shape is None or _WHOLE.fullmatch(text) is None:
        raise unsupported(place, f"expected an array of plain numbers, got {shorten(text.strip())}")
    if descr[2][0] == "O":
        raise unsupported(place, "expected an array of plain numbers, got pickled objects, which would run code when they are loaded")
    if descr[2] not in _CODES:
        raise unsupported(place, f"expected an array of a dtype of the specification, got {shorten(descr[1] + descr[2])}")
    extents = tuple(int(part.rstrip("L")) for part in shape[1].replace(" ", "").split(",") if part)
    if len(extents) > limits.rank or prod(max(n, 1) for n in extents) > limits.elements:
        raise unsupported(place, f"expected at most {limits.rank} axes and {limits.elements:,} elements, got the shape {extents}")
    header = Header(_CODES[descr[2]], descr[1] == ">", order[1] == "True", extents, start)
    size = dtypes.nbytes(header.dtype, prod(extents))
    if len(data) - start != size:
        make = truncated if len(data) - start < size else invalid
        raise make(place, f"expected {size:,} bytes of elements, got {len(data) - start:,}")
    return header


def text_of(tensor: Tensor, name: str) -> bytes:
    """The head of a file of `tensor`, as numpy writes it.

    Raises:
        ConversionError: numpy has no such dtype.
    """
    codes = {dtype: code for code, dtype in _CODES.items()}
    if tensor.dtype not in codes:
        raise inexpressible(name, f"expected a dtype that numpy has by itself, got {tensor.dtype}")
    code = codes[tensor.dtype]
    shape = ", ".join(map(str, tensor.shape)) + ("," if len(tensor.shape) == 1 else "")
    text = f"{{'descr': '{'|' if code[1:] == '1' else '<'}{code}', 'fortran_order': False, 'shape': ({shape}), }}"
    padded = text + " " * (-(10 + len(text) + 1) % _ALIGNMENT) + "\n"
    return MAGIC + b"\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode("ascii")
