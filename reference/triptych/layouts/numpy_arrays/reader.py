"""Reads arrays of numpy's, of an ``.npz`` archive or of a folder of ``.npy`` files, as weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from triptych import dtypes
from triptych.layouts.numpy_arrays.header import Header, parse
from triptych.layouts.problems import unsupported
from triptych.layouts.zip_archive import Folder, Members, ZipArchive
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Panels, Tensor, Weights
from triptych.package.mappings import Copied

SUFFIX = ".npy"


def read(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Panels:
    """The arrays at `path` as weights, by their names without the suffix; elements are read when they are used.

    Raises:
        InvalidModelError: The archive or an array is damaged.
        UnsupportedError: An array holds no plain numbers, or a limit is exceeded.
    """
    # Each member is a tensor, and counted as one.
    members: Members = (Folder if path.is_dir() else ZipArchive)(path, replace(limits, members=limits.tensors))
    copied = Copied()
    found: dict[str, Tensor] = {}
    for name in members.names:
        if not name.endswith(SUFFIX):
            raise unsupported(name, "expected arrays and nothing else")
        view = members.view(name)
        header = parse(view, name, limits)
        found[name.removesuffix(SUFFIX)] = Tensor(header.dtype, header.shape, _reader(header, view[header.start :], members.check(name), copied))
    return Panels(weights=Weights(found))


def _reader(header: Header, data: memoryview, check: Callable[[], None], copied: Copied) -> Callable[[], memoryview]:
    in_order = not header.swapped and not (header.by_columns and len(header.shape) > 1)

    def read() -> memoryview:
        check()
        if in_order:
            return data
        found = _ordered(header, data)
        copied.note(data)
        return found

    return read


def _ordered(header: Header, data: memoryview) -> memoryview:
    import numpy as np

    plain = dtypes.numpy_dtype(header.dtype)
    stored = np.ndarray(header.shape, plain.newbyteorder(">") if header.swapped else plain, data, order="F" if header.by_columns else "C")
    packed = np.array(stored, plain, order="C")
    return memoryview(packed.reshape(-1).view(np.uint8).data)
