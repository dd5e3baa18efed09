"""Writes a model hub's folder: safetensors, sharded with an index where that is asked for, and the assets beside them."""

# ruff: noqa: PTH118 - plain strings, each handed to the system as it is

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from triptych.errors import UsageError, shorten
from triptych.layouts.hub import training
from triptych.layouts.layout import Outline, Stored
from triptych.model import Panels, Tensor
from triptych.package import atomic, manifest, names, shards
from triptych.package.files import FileSystem
from triptych.package.safetensors_file import Plan, plan
from triptych.package.streaming import Hashing, Output, Stream

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
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
    _write(atomic.target_of(path), plans, small, panels.assets, progress, overwrite=overwrite)
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


def _write(
    target: str,
    plans: Mapping[str, Plan],
    small: Mapping[str, bytes],
    assets: Mapping[str, Tensor],
    progress: Callable[[int, int, str], None] | None,
    *,
    overwrite: bool,
) -> None:
    fs = FileSystem()
    sizes = {name: one.size for name, one in plans.items()} | {name: len(one) for name, one in small.items()} | {name: one.nbytes for name, one in assets.items()}
    total = sum(sizes.values())
    with atomic.replacing(target, fs, folder=True, size=total, overwrite=overwrite) as staged, Hashing() as hashing:
        stream = Stream(hashing, total, progress, checksums=False)
        inner = {"/".join(name.split("/")[:depth]) for name in sizes for depth in range(1, name.count("/") + 1)}
        folders = [staged, *(os.path.join(staged, name) for name in sorted(inner))]
        for folder in folders:
            fs.mkdir(folder)
        for name, size in sizes.items():
            descriptor = fs.open(os.path.join(staged, name), _NEW_FILE)
            try:
                output = Output(descriptor, fs, durable=True)
                output.allocate(size)
                if name in plans:
                    stream.tensors(name, plans[name], output)
                else:
                    stream.content(name, memoryview(small[name]) if name in small else assets[name].read(), output)
                fs.fsync(descriptor)
            finally:
                fs.close(descriptor)
        for folder in reversed(folders):
            atomic.sync_folder(folder, fs)
