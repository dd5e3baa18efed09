"""The weights of a TensorFlow.js model: a manifest that names files beside it, in which the weights lie one after the other."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from pathlib import Path
from typing import Any

from triptych import dtypes
from triptych.errors import shorten
from triptych.layouts.problems import invalid, truncated, unsupported
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Json, Tensor

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
DTYPES = {name: name for name in ("float32", "int32", "bool", "complex64", "float16", "uint8", "uint16")}
"""TensorFlow.js' names of dtypes -> ours, of one width in both."""


def stored_tensors(manifest: Json, path: Path) -> tuple[dict[str, Tensor] | None, list[str]]:
    """Each stored tensor by name, in order, and what cannot be one; None if no file of weights is there."""
    if manifest is None:
        return None, []
    place = f"{path.name}#/weightsManifest"
    groups = manifest if isinstance(manifest, list) else [manifest]
    if not all(isinstance(g, dict) and isinstance(g.get("paths"), list) and isinstance(g.get("weights"), list) for g in groups):
        raise invalid(place, "expected groups of paths and weights")
    files = [[_file(name, path, place) for name in group["paths"]] for group in groups]
    if not any(file.exists() for group in files for file in group):
        return None, []
    for file in (file for group in files for file in group if not file.is_file()):
        raise truncated(place, f"expected the file {shorten(file.name)} beside {path.name}, found none")
    found: dict[str, Tensor] = {}
    left_out: list[str] = []
    for group, listed in zip(groups, files, strict=True):
        for name, tensor in _tensors(group["weights"], _Shards.open(listed), place):
            if name in found or name in left_out:
                raise invalid(place, f"expected each weight once, got {shorten(name)} twice")
            if tensor is None:
                left_out.append(name)
            else:
                found[name] = tensor
    return found, left_out


def _file(name: Json, path: Path, place: str) -> Path:
    if not isinstance(name, str) or not _FILE_NAME.fullmatch(name):
        raise unsupported(place, f"expected the name of a file beside {path.name}, got {shorten(name)}")
    file = path.parent / name
    if file.is_symlink() and not path.is_symlink():
        raise unsupported(place, f"expected a file beside {path.name}, got the link {shorten(name)}")
    return file


@dataclass(frozen=True, slots=True)
class _Shards:
    """Files that are one run of bytes together."""

    parts: Sequence[memoryview]
    ends: Sequence[int]

    @classmethod
    def open(cls, files: Sequence[Path]) -> _Shards:
        parts = []
        for file in files:
            with file.open("rb") as opened:
                empty = not opened.seek(0, 2)
                parts.append(memoryview(b"" if empty else mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)))
        return cls(parts, list(accumulate(map(len, parts))))

    @property
    def size(self) -> int:
        return self.ends[-1] if self.ends else 0

    def read(self, start: int, end: int) -> memoryview:
        """The bytes from `start` to `end`, copied only where they lie in several files."""
        found = []
        for part, stop in zip(self.parts, self.ends, strict=True):
            first = stop - len(part)
            if first < end and start < stop:
                found.append(part[max(start - first, 0) : end - first])
        return found[0] if len(found) == 1 else memoryview(b"".join(found))


def _tensors(entries: Sequence[Json], shards: _Shards, place: str) -> Iterator[tuple[str, Tensor | None]]:
    """Each weight's name and tensor, in the order in which they lie; None for one of strings, which is no tensor of ours."""
    start = 0
    for entry in entries:
        weight = _weight(entry, place)
        if weight.dtype == "string":
            end = _end_of_strings(shards, start, prod(weight.shape), place)
        else:
            end = start + dtypes.nbytes(DTYPES[weight.packing.get("dtype", weight.dtype)], prod(weight.shape))
        if end > shards.size:
            raise truncated(place, f"expected {end} bytes of weights up to {shorten(weight.name)}, the files hold {shards.size}")
        yield weight.name, None if weight.dtype == "string" else _tensor(weight, shards, start, end)
        start = end


@dataclass(frozen=True, slots=True)
class _Weight:
    """One entry of the manifest."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    packing: Mapping[str, Any]
    """How its elements were made fewer bits; empty where they were not."""


def _weight(entry: Json, place: str) -> _Weight:
    said = entry if isinstance(entry, dict) else {}
    name, shape, dtype, packing = said.get("name"), said.get("shape"), said.get("dtype"), said.get("quantization", {})
    if not isinstance(name, str) or not name or not _is_shape(shape) or not isinstance(dtype, str) or not isinstance(packing, dict):
        raise invalid(place, f"expected a weight with name, shape and dtype, got {shorten(entry)}")
    if dtype not in DTYPES and dtype != "string":
        raise unsupported(place, f"expected a dtype of TensorFlow.js for {shorten(name)}, got {shorten(dtype)}")
    numbers = [packing.get(key) for key in ("scale", "min")]
    if packing and (
        dtype not in ("float32", "int32")
        or packing.get("dtype") not in ("uint8", "uint16", "float16")
        or not (packing["dtype"] == "float16" or all(type(n) in (int, float) for n in numbers))
    ):
        raise unsupported(place, f"expected a quantization of TensorFlow.js for {shorten(name)}, got {shorten(packing)}")
    return _Weight(name, tuple(shape or ()), dtype, packing)


def _is_shape(value: Any) -> bool:
    if not isinstance(value, list) or len(value) > DEFAULT_LIMITS.rank:
        return False
    return all(type(n) is int and 0 <= n <= DEFAULT_LIMITS.dimension for n in value) and prod(value) <= DEFAULT_LIMITS.elements


def _end_of_strings(shards: _Shards, start: int, count: int, place: str) -> int:
    """Where `count` strings end that start at `start`, each with its length in four bytes before it."""
    for _ in range(count):
        head = shards.read(start, min(start + 4, shards.size))
        if len(head) < 4:
            raise truncated(place, f"expected {count} strings, the files end before")
        start += 4 + int.from_bytes(head, "little")
    return start


def _tensor(weight: _Weight, shards: _Shards, start: int, end: int) -> Tensor:
    dtype = DTYPES[weight.dtype]
    if not weight.packing:
        return Tensor(dtype, weight.shape, lambda: shards.read(start, end))

    def read() -> memoryview:
        import numpy as np

        stored = np.frombuffer(shards.read(start, end), dtypes.numpy_dtype(weight.packing["dtype"]))
        # In JavaScript's numbers, which are binary64, rounded once.
        values = stored.astype(np.float64)
        if weight.packing["dtype"] != "float16":
            values = values * weight.packing["scale"] + weight.packing["min"]
        whole = np.floor(values + 0.5) if dtype == "int32" else values
        return Tensor.from_array(whole.astype(dtypes.numpy_dtype(dtype))).read()

    return Tensor(dtype, weight.shape, read)
