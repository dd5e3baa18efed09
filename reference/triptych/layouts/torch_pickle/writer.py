"""Writes panels as the archive that ``torch.load(weights_only=True, mmap=True)`` opens, one tensor in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from triptych.errors import UsageError
from triptych.layouts.layout import Outline, Stored
from triptych.layouts.stored_archive import Member, write_archive
from triptych.layouts.torch_pickle.assembly import Assembly
from triptych.layouts.torch_pickle.pickling import Leaf, Pickler
from triptych.layouts.torch_pickle.plain import joined
from triptych.layouts.torch_pickle.values import Tagged
from triptych.model import Panels, Tensor

_ROOT = "archive"
_SMALL = {".format_version": b"1", ".storage_alignment": b"64", "byteorder": b"little", "version": b"3\n"}


def write(panels: Panels, path: Path, *, overwrite: bool = True, progress: Callable[[int, int, str], None] | None = None) -> tuple[str, ...]:
    """Write `panels` to `path`, whole or not at all; sentences that name what was not kept.

    A bare state dictionary; a training dictionary where there is a training panel; or the value of the PyTorch file they came from.

    Raises:
        ConversionError: A tensor is of a dtype that PyTorch has not.
        UsageError: There are neither weights nor training, or the target may not be replaced.
        SaveError: The file system refused; what stood at `path` is unchanged.
    """
    assembly = _assembled(panels)
    storages = Storages()
    pickle = Pickler(storages.store).dump(assembly.value())
    write_archive(path, storages.archive(pickle), progress, overwrite=overwrite)
    return tuple(assembly.notes)


def outline(panels: Panels, _: Path) -> Outline:
    """What `write` would store, by the keys that lead to it, and what it would leave."""
    assembly = _assembled(panels)
    value = assembly.value()
    Pickler(lambda _: "").dump(value)  # refuses what cannot be said
    stored = [Stored(joined(path), leaf.tensor) for path, leaf in leaves(value, ())]
    return Outline(stored, tuple(assembly.notes))


def leaves(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Leaf]]:
    """The tensors in `value`, which stands at `path`, each with its own path."""
    if isinstance(value, Leaf):
        yield path, value
    elif isinstance(value, Tagged):
        yield from leaves(value.value, path)
    elif isinstance(value, dict | list | tuple):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))


def _assembled(panels: Panels) -> Assembly:
    if panels.weights is None and panels.training is None:
        raise UsageError("expected a model with weights or training to write a PyTorch file, this one has neither")
    return Assembly(panels)


class Storages:
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

    def archive(self, pickle: bytes) -> dict[str, Member]:
        """The members of the archive of `pickle`, which refers to these storages."""
        small = {f"{_ROOT}/{name}": Member(content) for name, content in {**_SMALL, "data.pkl": pickle}.items()}
        return small | {name: Member(tensor=tensor) for name, tensor in self.members.items()}
