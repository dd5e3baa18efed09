"""Writes panels as Keras 3's own files, with the members, groups, names and order that Keras itself writes; the same model gives the same bytes."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych.errors import UsageError
from triptych.layouts.hdf5.writing import Copier, hdf5_file
from triptych.layouts.keras_v3.contents import Contents, archive_contents, weights_contents
from triptych.layouts.keras_v3.groups import VARS
from triptych.layouts.keras_v3.reader import CONFIG, METADATA, WEIGHTS
from triptych.layouts.keras_v3.shards import SUFFIX, Shard, index_of, split
from triptych.model import Panels
from triptych.package.atomic import replace_file
from triptych.package.files import FileSystem

if TYPE_CHECKING:
    import h5py

Progress = Callable[[int, int, str], None]
SHARD_BYTES = 5 << 30
"""Variables in one shard if nobody says how many; Keras' own default."""


def write_archive(
    panels: Panels,
    path: str | os.PathLike[str],
    *,
    dialect: str | None = None,
    weights_only: bool = False,
    progress: Progress | None = None,
    overwrite: bool = True,
    fs: FileSystem | None = None,
) -> tuple[str, ...]:
    """Write `panels` as a `.keras` archive at `path`, whole or not at all.

    Args:
        panels: What to write.
        path: Where to; a file that stands there is replaced when the new one is complete.
        dialect: Whose configuration: ``keras3``, or ``keras2`` for a model that was read from an archive of tf-keras; None: the archive's
            that it was read from, else ``keras3``.
        weights_only: Refused: an archive of weights alone is none.
        progress: Called with bytes done, bytes in all and what is being written.
        overwrite: Whether what stands there may be replaced.
        fs: The file operations of the save.

    Returns:
        Sentences that name what the archive does not hold.

    Raises:
        ConversionError: Keras has no place for something that cannot be left out.
        SaveError: The file system refused; what stood at `path` still does.
        UsageError: The dialect is none that archives have, or only the weights were asked for.
    """
    if weights_only:
        raise UsageError("expected weights alone to go to a file of them, name.weights.h5; an archive begins with an architecture")
    contents = archive_contents(panels, dialect)
    copier = _copier(contents, progress)
    with replace_file(path, fs, overwrite=overwrite) as staged:
        beside = os.path.join(os.path.dirname(staged), "weights")  # noqa: PTH118, PTH120 - the save's own private folder
        with hdf5_file(beside) as file:
            _write_groups(file, contents, Shard({path: dict(group.tensors) for path, group in contents.groups.items()}), copier)
        with zipfile.ZipFile(staged, "w") as archive:
            for name, document in ((METADATA, contents.metadata), (CONFIG, contents.config)):
                if document:
                    archive.writestr(zipfile.ZipInfo(name), json.dumps(document))
            with open(beside, "rb") as source, _member(archive, WEIGHTS, os.path.getsize(beside)) as target:  # noqa: PTH123, PTH202 - as above
                shutil.copyfileobj(source, target, 1 << 20)
            for name, asset in contents.assets.items():
                with _member(archive, name, asset.nbytes) as target:
                    target.write(asset.read())
    return tuple(contents.notes)


def write_weights(
    panels: Panels,
    path: str | os.PathLike[str],
    *,
    dialect: str | None = None,
    weights_only: bool = False,
    max_shard_bytes: int | None = None,
    progress: Progress | None = None,
    overwrite: bool = True,
    fs: FileSystem | None = None,
) -> tuple[str, ...]:
    """Write the weights of `panels` by object path at `path`, and the optimizer's variables if they are there, as Keras' ``save_weights`` does.

    Args:
        panels: What to write; with an architecture, or weights that were read from such a file.
        path: ``name.weights.h5`` for one file, ``name.weights.json`` for an index with shards beside it. All replace what stands there,
            the index last.
        dialect: Whose rules: ``keras2`` or ``keras3``; None: the source's, else ``keras3``.
        weights_only: Whether the caller knows that the other panels stay behind, so that nothing says it.
        max_shard_bytes: Variables in one shard.
        progress: Called with bytes done, bytes in all and what is being written.
        overwrite: Whether what stands there may be replaced.
        fs: The file operations of the save.

    Returns:
        Sentences that name what the file does not hold.

    Raises:
        ConversionError: Keras has no place for something that cannot be left out.
        SaveError: The file system refused.
        UsageError: Shards were asked for in a single file.
    """
    contents = weights_contents(panels, dialect, alone=weights_only)
    target = Path(path)
    copier = _copier(contents, progress)
    if target.name.endswith(SUFFIX):
        _write_shards(contents, target, max_shard_bytes or SHARD_BYTES, copier, fs, overwrite=overwrite)
    elif max_shard_bytes is not None:
        raise UsageError(f"expected the name of an index, name{SUFFIX}, for weights in shards, got {target.name!r}")
    else:
        with replace_file(path, fs, overwrite=overwrite) as staged, hdf5_file(staged) as file:
            _write_groups(file, contents, Shard({path: dict(group.tensors) for path, group in contents.groups.items()}), copier)
    return tuple(contents.notes)


def _write_shards(
    contents: Contents, target: Path, most: int, copier: Copier, fs: FileSystem | None, *, overwrite: bool
) -> None:
    shards = list(split({path: group.tensors for path, group in contents.groups.items()}, most))
    stem = target.name.removesuffix(SUFFIX)
    names = [f"{stem}_{number:05}.weights.h5" for number in range(len(shards))]
    with ExitStack() as stack:
        # What is entered first is committed last: an index never names a file that is not there.
        index = stack.enter_context(replace_file(target, fs, overwrite=overwrite))
        for shard, name in zip(shards, names, strict=True):
            staged = stack.enter_context(replace_file(target.with_name(name), fs, overwrite=overwrite))
            with hdf5_file(staged) as file:
                _write_groups(file, contents, shard, copier)
        Path(index).write_bytes(index_of(shards, names))


@contextmanager
def _member(archive: zipfile.ZipFile, name: str, size: int) -> Iterator[Any]:
    """A stored member to be written, with the date that ZIP begins at."""
    with archive.open(zipfile.ZipInfo(name), "w", force_zip64=size > zipfile.ZIP64_LIMIT) as target:
        yield target


def _copier(contents: Contents, progress: Progress | None) -> Copier:
    total = sum(tensor.nbytes for group in contents.groups.values() for tensor in group.tensors.values())
    return Copier(total, progress, says_bfloat16=contents.says_bfloat16)


def _write_groups(file: h5py.File, contents: Contents, shard: Shard, copier: Copier) -> None:
    for path, tensors in shard.groups.items():
        group = file.require_group(f"{path}/{VARS}" if path else VARS)
        name = contents.groups[path].name
        if contents.named and name is not None:
            group.attrs["name"] = name
        for key, tensor in tensors.items():
            copier.copy(group, key, tensor)


__all__ = ["SHARD_BYTES", "write_archive", "write_weights"]
