"""Writes panels as the archive that ``torch.load(weights_only=True, mmap=True)`` opens, one tensor in memory at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from triptych.errors import UsageError
from triptych.layouts.torch_pickle.assembly import Assembly
from triptych.layouts.torch_pickle.pickling import Leaf, Pickler
from triptych.model import Panels, Tensor
from triptych.package import archive, atomic
from triptych.package.files import FileSystem
from triptych.package.streaming import Hashing, Output, Stream

_ROOT = "archive"
_SMALL = {".format_version": b"1", ".storage_alignment": b"64", "byteorder": b"little", "version": b"3\n"}
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def write(panels: Panels, path: Path, *, overwrite: bool = True, progress: Callable[[int, int, str], None] | None = None) -> tuple[str, ...]:
    """Write `panels` to `path`, whole or not at all; sentences that name what was not kept.

    A bare state dictionary; a training dictionary where there is a training panel; or the value of the PyTorch file they came from.

    Raises:
        ConversionError: A tensor is of a dtype that PyTorch has not.
        UsageError: There are neither weights nor training, or the target may not be replaced.
        SaveError: The file system refused; what stood at `path` is unchanged.
    """
    if panels.weights is None and panels.training is None:
        raise UsageError("expected a model with weights or training to write a PyTorch file, this one has neither")
    assembly = Assembly(panels)
    storages = _Storages()
    pickle = Pickler(storages.store).dump(assembly.value())
    small = {**_SMALL, "data.pkl": pickle}
    _write(path, {f"{_ROOT}/{name}": content for name, content in small.items()}, storages.members, progress, overwrite=overwrite)
    return tuple(assembly.notes)


class _Storages:
    """Gives each tensor a storage of its own, and one to those that are the same."""

    def __init__(self) -> None:
        self.members: dict[str, Tensor] = {}
        """Name of a member -> the tensor that is its content."""
        self._keys: dict[str, tuple[str, Tensor]] = {}

    def store(self, leaf: Leaf) -> str:
        """The key of the storage of `leaf`."""
        tensor = leaf.tensor
        if leaf.same is not None and leaf.same in self._keys:
            key, first = self._keys[leaf.same]
            if (first.dtype, first.shape) == (tensor.dtype, tensor.shape) and first.read() == tensor.read():
                return key
        key = str(len(self.members))
        self.members[f"{_ROOT}/data/{key}"] = tensor
        self._keys.setdefault(leaf.name, (key, tensor))
        return key


def _write(
    path: Path, small: dict[str, bytes], tensors: dict[str, Tensor], progress: Callable[[int, int, str], None] | None, *, overwrite: bool
) -> None:
    fs = FileSystem()
    sizes = {name: len(content) for name, content in small.items()} | {name: tensor.nbytes for name, tensor in tensors.items()}
    entries, start = archive.place(sizes.items())
    total = start + len(archive.tail(entries, start))
    target = atomic.target_of(path)
    with atomic.replacing(target, fs, folder=False, size=total, overwrite=overwrite) as staged, Hashing() as hashing:
        stream = Stream(hashing, total, progress, checksums=True)
        mode = atomic.mode_of(target, fs)
        descriptor = fs.open(staged, _NEW_FILE, 0o666 if mode is None else mode)
        try:
            output = Output(descriptor, fs, durable=True)
            output.allocate(total)
            for entry in entries:
                output.write([memoryview(entry.local_header())])
                content = memoryview(small[entry.name]) if entry.name in small else tensors[entry.name].read()
                if len(content) != entry.size:
                    raise UsageError(f"expected {entry.size} bytes of {entry.name}, its source gave {len(content)}")
                entry.crc = stream.content(entry.name, content, output)
                fs.pwrite_all(descriptor, entry.local_header()[: archive.LOCAL.size], entry.offset)
            output.write([memoryview(archive.tail(entries, start))])
            if mode is not None:
                fs.chmod(descriptor, mode)
            fs.fsync(descriptor)
        finally:
            fs.close(descriptor)
