"""Writes panels as a distributed checkpoint of one process, which ``torch.distributed.checkpoint.load`` reads on any number of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.errors import UsageError
from triptych.layouts.layout import Outline, Stored
from triptych.layouts.stored_archive import Planned
from triptych.layouts.stored_folder import Piece, write_folder
from triptych.layouts.torch_distributed import metadata_writing, nesting
from triptych.layouts.torch_distributed.folder import METADATA, SUFFIX
from triptych.layouts.torch_distributed.metadata_writing import Part
from triptych.layouts.torch_pickle.assembly import Assembly
from triptych.layouts.torch_pickle.pickling import Leaf, Pickler
from triptych.layouts.torch_pickle.plain import joined
from triptych.layouts.torch_pickle.values import Ordered, Tagged
from triptych.layouts.torch_pickle.writer import Storages, leaves
from triptych.model import Panels
from triptych.package.files import FileSystem
from triptych.package.streaming import Output, Stream


def write(
    panels: Panels,
    path: Path,
    *,
    overwrite: bool = True,
    max_shard_bytes: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> tuple[str, ...]:
    """Write `panels` as a folder at `path`, whole or not at all; sentences that name what was not kept.

    A bare state dictionary; a training dictionary where there is a training panel, its optimizer's slots by the names of weights, as
    ``get_state_dict`` has them; or the value of the checkpoint or PyTorch file that they came from.

    Args:
        panels: The model; its weights and training are written.
        path: Where nothing stands, an empty folder, or such a checkpoint.
        overwrite: Whether an empty folder or a checkpoint may be replaced; a folder with other files in it never is.
        max_shard_bytes: Bytes of one file, at most; None: all in one.
        progress: Called as bytes are written.

    Raises:
        ConversionError: A tensor is of a dtype that PyTorch has not, or two entries have one name.
        UsageError: There are neither weights nor training, or the target may not be replaced.
        SaveError: The file system refused; what stood at `path` is unchanged.
    """
    files, notes = _divided(panels, max_shard_bytes)
    content: dict[str, Sequence[Piece]] = {**files.shards, METADATA: [_About(metadata_writing.dump(files.parts))]}
    write_folder(path, content, progress, overwrite=overwrite, ours=lambda name: name == METADATA or name.endswith(SUFFIX))
    return notes


def outline(panels: Panels, _: Path, *, max_shard_bytes: int | None = None) -> Outline:
    """What `write` would store, by the names of entries, and what it would leave."""
    files, notes = _divided(panels, max_shard_bytes)
    return Outline(files.stored, notes)


def _divided(panels: Panels, most: int | None) -> tuple[_Files, tuple[str, ...]]:
    """What goes into which file, and sentences that name what does not."""
    if panels.weights is None and panels.training is None:
        raise UsageError("expected a model with weights or training to write a distributed checkpoint, this one has neither")
    assembly = Assembly(panels, by_name=True)
    value = assembly.value()
    files = _Files(most)
    for keys, one in nesting.flattened(value if isinstance(value, dict) else {"value": value}):
        files.add(keys, one)
    return files, (*assembly.notes, *_lost(value, ""))


class _Files:
    """Gives each entry its part of a file."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self.shards: dict[str, list[Planned]] = {}
        """File -> the archives in it, one after the other."""
        self.parts: list[Part] = []
        self.stored: list[Stored] = []
        """The tensors by the keys that lead to them, and their files."""
        self._end = 0
        self._known: dict[str, tuple[Leaf, Part]] = {}

    def add(self, path: nesting.Path, value: Any) -> None:
        """Put `value` where the last one ends; a tensor that is another one is that one's part."""
        leaf = value.value["pairs"] if isinstance(value, Tagged) and value.kind == "complex_pairs" else value if isinstance(value, Leaf) else None
        dtype = None if leaf is None else leaf.tensor.dtype if leaf is value else value.value["dtype"].value
        shape = () if leaf is None else leaf.tensor.shape[: len(leaf.tensor.shape) - (leaf is not value)]
        if leaf is not None and (same := self._same(leaf)) is not None:
            part = Part(path, same.file, same.offset, same.length, dtype, shape)
            self.parts.append(part)
            self.stored.append(Stored(part.name, leaf.tensor, part.file))
            return
        storages = Storages()
        # A chunk is elements and nothing else: it asks for no gradient and is no parameter.
        planned = Planned(storages.archive(Pickler(storages.store).dump(Leaf(leaf.tensor, name=leaf.name) if leaf is value and leaf is not None else value)))
        part = self._placed(path, planned, dtype, shape)
        self.stored += [Stored(joined(below), one.tensor, part.file) for below, one in leaves(value, path)]
        if leaf is not None:
            self._known.setdefault(leaf.name, (leaf, part))

    def _same(self, leaf: Leaf) -> Part | None:
        first = self._known.get(leaf.same) if leaf.same is not None else None
        if first is None or (first[0].tensor.dtype, first[0].tensor.shape) != (leaf.tensor.dtype, leaf.tensor.shape):
            return None
        return first[1] if first[0].tensor.read() == leaf.tensor.read() else None

    def _placed(self, path: nesting.Path, planned: Planned, dtype: str | None, shape: tuple[int, ...]) -> Part:
        if not self.shards or (self._most is not None and self._end and self._end + planned.size > self._most):
            self.shards[f"__0_{len(self.shards)}{SUFFIX}"] = []
            self._end = 0
        file = next(reversed(self.shards))
        self.shards[file].append(planned)
        part = Part(path, file, self._end, planned.size, dtype, shape)
        self.parts.append(part)
        self._end += planned.size
        return part


@dataclass(frozen=True, slots=True)
class _About:
    """The metadata, written as they are."""

    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    def write(self, output: Output, stream: Stream, _: FileSystem) -> None:
        stream.content(METADATA, memoryview(self.content), output)


def _lost(value: Any, name: str) -> list[str]:
    """Sentences about what a checkpoint's division into entries has no place for."""
    if not isinstance(value, dict):
        return []
    found: list[str] = []
    where = name or "the state dictionary"
    if isinstance(value, Ordered) and value.attributes is not None:
        found.append(f"{where}: attributes of a dictionary, such as versions of modules, have no place in a distributed checkpoint")
    if not value and name:
        found.append(f"{where}: an empty dictionary has no place in a distributed checkpoint")
    if any(not isinstance(key, str) for key in value):
        found.append(f"{where}: keys that are no text become text in a distributed checkpoint")
    for key, item in value.items():
        # An optimizer's numbers are made numbers again, and its lack of a state is understood.
        if not (key == "state" and "param_groups" in value):
            found += _lost(item, f"{name}.{key}" if name else str(key))
    return found
