"""A PyTorch file once its pickles are read: one value, and the storages that its tensors are views on."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.errors import shorten
from triptych.layouts.problems import invalid, truncated, unsupported
from triptych.layouts.torch_pickle import elements, refusals
from triptych.layouts.torch_pickle.constructors import storage_kind
from triptych.layouts.torch_pickle.values import Storage
from triptych.limits import Limits


@dataclass(slots=True)
class Parts:
    """The storages of a file."""

    limits: Limits
    storages: dict[str, Storage] = field(default_factory=dict)
    """Key -> the storage as it was named first."""
    content: dict[str, Callable[[], memoryview]] = field(default_factory=dict)
    """Key -> its bytes, verified where the file allows it."""

    def meet(self, storage: Storage, place: str) -> None:
        """Note a storage that the pickle names; it must be the same each time."""
        known = self.storages.setdefault(storage.key, storage)
        if (known.kind, known.elements) != (storage.kind, storage.elements):
            raise invalid(place, f"expected storage {shorten(storage.key)} to be the {known.elements:,} elements of before, got {storage.elements:,}")
        if len(self.storages) > self.limits.tensors:
            raise unsupported(place, f"expected at most {self.limits.tensors:,} storages, got more")

    @property
    def nbytes(self) -> int:
        """Bytes of all storages."""
        return sum(one.elements * elements.storage_bytes(one.kind) for one in self.storages.values())


@dataclass(frozen=True, slots=True)
class Opened:
    """What a file holds."""

    root: Any
    parts: Parts
    swapped: bool
    """Whether its elements are big-endian."""
    script: bool
    """Whether TorchScript wrote it: modules keep their tensors among their attributes."""
    constants: Any = ()
    """The tensors that TorchScript's code refers to."""


def storage_of(identifier: Any, place: str) -> Storage:
    """The storage that a persistent identifier describes."""
    if not isinstance(identifier, tuple) or len(identifier) < 5 or identifier[0] != "storage":
        raise invalid(place, f"expected a reference to a storage, got {refusals.brief(identifier)}")
    _, kind, key, _, count = identifier[:5]
    if not isinstance(key, str) or not isinstance(count, int) or isinstance(count, bool) or not 0 <= count < 2**60:
        raise invalid(place, f"expected the key of a storage and its length, got {refusals.brief(key)} and {refusals.brief(count)}")
    return Storage(key, storage_kind(kind, place), count)


def open_file(path: Path, limits: Limits) -> Opened:
    """What the PyTorch file at `path` holds, in whichever of its forms.

    Raises:
        InvalidModelError: It is damaged.
        UnsupportedError: It asks for more than data, or exceeds a limit.
    """
    from triptych.layouts.torch_pickle import legacy, zipped

    with path.open("rb") as file:
        if not file.seek(0, 2):
            raise truncated("", "expected a PyTorch file, got an empty one")
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    if bytes(data[:4]) == b"PK\x03\x04":
        return zipped.open_zip(data, limits)
    return legacy.open_tar(data, limits) if legacy.is_tar(bytes(data[:512])) else legacy.open_stream(data, limits)
