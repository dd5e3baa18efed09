"""What targets share: how an input becomes a file or a folder, and how everything that panels hold is read."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fuzz import folders
from fuzz.target import Prepare
from triptych.model import Panels, Tensor

_MOST_BYTES = 1 << 20
"""Tensors that say they have more are not read: it would only cost time."""


def as_file(name: str) -> Prepare:
    """An input as the file `name`."""

    def prepare(data: bytes, folder: Path) -> Path:
        path = folder / name
        path.write_bytes(data)
        return path

    return prepare


def as_folder(entry: str = "") -> Prepare:
    """An input as a folder of files; the path of `entry` in it."""

    def prepare(data: bytes, folder: Path) -> Path:
        path = folder / "model"
        path.mkdir()
        folders.lay(folders.unpack(data), path)
        return path / entry if entry else path

    return prepare


def all_of(read: Callable[..., Panels], **options: Any) -> Callable[[Path], Panels]:
    """Reads panels, and every tensor that they hold."""

    def parse(path: Path) -> Panels:
        panels = read(path, **options)
        for holder in (panels.weights, panels.training.state if panels.training else None):
            for tensor in holder.tensors.values() if holder is not None else ():
                read_one(tensor)
        for tensor in panels.assets.values():
            read_one(tensor)
        return panels

    return parse


def read_one(tensor: Tensor) -> None:
    """The elements of one tensor, as bytes and as an array: it has as many as it says."""
    if tensor.nbytes > _MOST_BYTES:
        return
    found = tensor.read()
    if len(found) != tensor.nbytes:
        raise AssertionError(f"expected {tensor.nbytes} bytes, got {len(found)}")


def same(one: Any, other: Any) -> bool:
    """Whether two values of plain data are equal, numbers of one kind, NaN equal to itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) or (isinstance(one, float) and math.isnan(one) and math.isnan(other))
