"""Looks at files that Python itself can read: safetensors, numpy's arrays, folders of them; nothing but the standard library."""

from __future__ import annotations

import ast
import hashlib
import json
import math
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Json = Any
MOST = 64
BITS = {
    "BOOL": ("bool", 1), "U8": ("uint8", 1), "I8": ("int8", 1), "F8_E5M2": ("float8_e5m2", 1), "F8_E4M3": ("float8_e4m3fn", 1), "F8_E8M0": ("float8_e8m0fnu", 1),
    "F8_E4M3FNUZ": ("float8_e4m3fnuz", 1), "F8_E5M2FNUZ": ("float8_e5m2fnuz", 1), "I16": ("int16", 2), "U16": ("uint16", 2), "F16": ("float16", 2), "BF16": ("bfloat16", 2), "I32": ("int32", 4),
    "U32": ("uint32", 4), "F32": ("float32", 4), "C64": ("complex64", 8), "F64": ("float64", 8), "I64": ("int64", 8), "U64": ("uint64", 8),
}
"""What safetensors calls a dtype -> its name and the bytes of an element."""
KINDS = {
    "b1": "bool", "u1": "uint8", "i1": "int8", "u2": "uint16", "i2": "int16", "f2": "float16", "u4": "uint32", "i4": "int32", "f4": "float32", "u8": "uint64", "i8": "int64", "f8": "float64",
    "c8": "complex64",
}
"""The same for numpy, which has the bytes in it."""


def readers(_: str) -> None:
    """Nothing is needed."""


def look(_: None, request: dict[str, Json]) -> dict[str, Json]:
    """The tensors of the file or folder, looking at it as ``as`` says."""
    return dict(LOOKS[request["as"]](Path(request["path"])))


def _tensor(dtype: str, shape: list[int], data: bytes, size: int) -> Json:
    assert len(data) == math.prod(shape) * size, f"{len(data)} bytes for {dtype}{shape}"
    facts: Json = {"dtype": dtype, "shape": shape}
    if math.prod(shape) > MOST:
        return {**facts, "sha256": hashlib.sha256(data).hexdigest()}
    part = size // 2 if dtype == "complex64" else size  # a real part, then an imaginary one
    words = [data[start : start + part][::-1].hex() for start in range(0, len(data), part)]
    return {**facts, "bits": ["".join(words[start : start + size // part]) for start in range(0, len(words), size // part)]}


def _safetensors(path: Path) -> Json:
    """The tensors of one file, whose bytes belong to one tensor each."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header: dict[str, Json] = {name: one for name, one in json.loads(data[8 : 8 + length]).items() if name != "__metadata__"}
    ranges = sorted(one["data_offsets"] for one in header.values())
    if [0, *(end for _, end in ranges)] != [*(start for start, _ in ranges), len(data) - 8 - length]:
        raise ValueError(f"the ranges {ranges} do not tile the file")
    found = {}
    for name, one in sorted(header.items()):
        start, end = (8 + length + offset for offset in one["data_offsets"])
        dtype, size = BITS[one["dtype"]]
        found[name] = _tensor(dtype, one["shape"], data[start:end], size)
    return {"tensors": found}


def _npz(path: Path) -> Json:
    """The arrays of an archive; every member ends in ``.npy``, and its checksum is right."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in sorted(archive.namelist())}
    return {"tensors": {name.removesuffix(".npy"): _npy(data) for name, data in members.items()}}


def _npy(data: bytes) -> Json:
    if data[:6] != b"\x93NUMPY":
        raise ValueError("no array of numpy")
    (length,) = struct.unpack("<H" if data[6] == 1 else "<I", data[8 : 10 if data[6] == 1 else 12])
    start = 10 if data[6] == 1 else 12
    header = ast.literal_eval(data[start : start + length].decode("latin-1").strip())
    found = re.fullmatch(r"[<|]([a-z][0-9])", header["descr"])
    if found is None or header["fortran_order"]:
        raise ValueError(f"not by rows, or not little-endian: {header}")
    return _tensor(KINDS[found[1]], list(header["shape"]), data[start + length :], int(found[1][1]))


def _hub(folder: Path) -> Json:
    """The tensors of every safetensors file in a folder, as its index lists them where it has one."""
    found: dict[str, Json] = {}
    for path in sorted(folder.glob("*.safetensors")):
        found |= _safetensors(path)["tensors"]
    index = folder / "model.safetensors.index.json"
    if index.is_file() and json.loads(index.read_bytes())["weight_map"].keys() != found.keys():
        raise ValueError("the index lists other tensors than there are")
    return {"tensors": dict(sorted(found.items()))}


LOOKS: dict[str, Callable[[Path], Json]] = {"safetensors": _safetensors, "npz": _npz, "hub": _hub}
