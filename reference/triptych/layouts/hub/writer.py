"""Writes a model hub's folder: safetensors, sharded with an index where that is asked for, and the assets beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from triptych.errors import UsageError, shorten
from triptych.layouts.hub import training
from triptych.layouts.layout import Outline, Stored
from triptych.layouts.stored_folder import Piece, write_folder
from triptych.model import Panels
from triptych.package import manifest, names, shards
from triptych.package.files import FileSystem
from triptych.package.safetensors_file import Plan, plan
from triptych.package.streaming import Output, Stream

_STEM = "model"
_FORMAT = {"format": "pt"}
"""What the libraries that load such folders ask for; nothing else in a file tells them how to read it."""


def write(
    panels: Panels,
    path: Path,
    *,
    overwrite: bool = True,
    max_shard_bytes: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> tuple[str, ...]:
    """Write `panels` as a new folder at `path`, whole or not at all; sentences that name what was not kept.

    Args:
        panels: The model; its weights and assets are written, and beside them its training.
        path: Where nothing stands, or an empty folder.
        overwrite: Whether an empty folder may be replaced; one with files in it never is.
        max_shard_bytes: Tensor data of one file, at most; None: all in one.
        progress: Called as bytes are written.

    Raises:
        UsageError: There are no weights, an asset has the name of another file, or files stand at `path`.
        SaveError: The file system refused; what stood at `path` is unchanged.
    """
    _check_free(path)
    plans, small = _planned(panels, max_shard_bytes)
    files: dict[str, list[Piece]] = {name: [_Weights(name, one)] for name, one in plans.items()}
    files |= {name: [_text(name, one)] for name, one in small.items()}
    files |= {name: [_Content(name, one.nbytes, one.read)] for name, one in panels.assets.items()}
    write_folder(path, files, progress, overwrite=overwrite, ours=lambda _: False, checksums=False)
    return _left_out(panels)


def _check_free(path: Path) -> None:
    if path.is_dir() and any(path.iterdir()):
        raise UsageError(f"expected nothing or an empty folder at {str(path)!r}, files are in it; it is not replaced")


def outline(panels: Panels, path: Path, *, max_shard_bytes: int | None = None) -> Outline:
    """What `write` would store, and what it would leave."""
    _check_free(path)
    plans, _small = _planned(panels, max_shard_bytes)
    return Outline([Stored(name, tensor, file) for file, one in plans.items() for name, tensor in one.tensors.items()], _left_out(panels))


def _planned(panels: Panels, max_shard_bytes: int | None) -> tuple[dict[str, Plan], dict[str, bytes]]:
    """The files of weights, and the small ones beside them."""
    from triptych.documents import dump_json

    if panels.weights is None:
        raise UsageError("expected a model with weights to write a hub folder, this one has none")
    parts = shards.split(panels.weights.tensors, _STEM, max_shard_bytes)
    metadata = {**_FORMAT, **panels.metadata}
    plans = {name: plan(part, metadata) for name, part in parts.items()}
    small = {f"{_STEM}{manifest.INDEX_SUFFIX}": dump_json(shards.index_data(parts)).encode()} if len(parts) > 1 else {}
    if panels.training is not None:
        small[training.DOCUMENT] = training.document_of(panels.training)
        state = training.state_of(panels.training)
        plans |= {} if state is None else {training.STATE: state}
    for name in panels.assets:
        fault = names.member_name_fault(name)
        if fault is not None or name in plans or name in small or name == names.MANIFEST:
            raise UsageError(f"{fault or 'expected an asset name that no other file has'}, got {shorten(name)}")
    return plans, small


def _left_out(panels: Panels) -> tuple[str, ...]:
    left = [("architecture", panels.architecture), ("license", panels.license)]
    return tuple(f"{name}: a hub folder holds weights and the files beside them" for name, panel in left if panel)


@dataclass(frozen=True, slots=True)
class _Weights:
    """A file of safetensors."""

    name: str
    plan: Plan

    @property
    def size(self) -> int:
        return self.plan.size

    def write(self, output: Output, stream: Stream, _: FileSystem) -> None:
        stream.tensors(self.name, self.plan, output)


@dataclass(frozen=True, slots=True)
class _Content:
    """A file beside the weights."""

    name: str
    size: int
    read: Callable[[], memoryview]

    def write(self, output: Output, stream: Stream, _: FileSystem) -> None:
        stream.content(self.name, self.read(), output)


def _text(name: str, data: bytes) -> _Content:
    return _Content(name, len(data), lambda: memoryview(data))
