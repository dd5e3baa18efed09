"""Writes panels as Keras 3's own files, with the members, groups, names and order that Keras itself writes; the same model gives the same bytes."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych.errors import UsageError
from triptych.layouts.hdf5.writing import Copier, hdf5_file, stored_at
from triptych.layouts.keras_v3.contents import Contents, archive_contents, weights_contents
from triptych.layouts.keras_v3.groups import VARS
from triptych.layouts.keras_v3.reader import CONFIG, METADATA, WEIGHTS
from triptych.layouts.keras_v3.shards import SUFFIX, Shard, index_of, shards_beside, split
from triptych.layouts.layout import Outline, Stored
from triptych.model import Panels
from triptych.package.atomic import fill_file, replace_file, sync_file
from triptych.package.file_group import replacing_group
from triptych.package.files import FileSystem
from triptych.package.staged_file import StagedFile

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
    contents = _contents(panels, dialect, weights_only=weights_only)
    copier = _copier(contents, progress)
    whole = _whole(contents)
    fs = fs or FileSystem()
    size = 2 * whole.nbytes + sum(asset.nbytes for asset in contents.assets.values())  # the weights lie beside the archive until they are in it
    with replace_file(path, fs, size=size, overwrite=overwrite) as staged:
        beside = os.path.join(os.path.dirname(staged), "weights")  # noqa: PTH118, PTH120 - the save's own private folder
        with hdf5_file(beside, fs) as file:
            _write_groups(file, contents, whole, copier)
        with StagedFile(staged, fs) as output, zipfile.ZipFile(output, "w") as archive:
            for name, document in ((METADATA, contents.metadata), (CONFIG, contents.config)):
                if document:
                    archive.writestr(zipfile.ZipInfo(name), json.dumps(document))
            with open(beside, "rb") as source, _member(archive, WEIGHTS, os.path.getsize(beside)) as target:  # noqa: PTH123, PTH202 - as above
                shutil.copyfileobj(source, target, 1 << 20)
            for name, asset in contents.assets.items():
                with _member(archive, name, asset.nbytes) as target:
                    target.write(asset.read())
    return tuple(contents.notes)


def outline_archive(panels: Panels, *, dialect: str | None = None, weights_only: bool = False) -> Outline:
    """What `write_archive` would store, and what it would leave."""
    contents = _contents(panels, dialect, weights_only=weights_only)
    return Outline(list(_stored(_whole(contents), WEIGHTS)), tuple(contents.notes))


def _contents(panels: Panels, dialect: str | None, *, weights_only: bool) -> Contents:
    if weights_only:
        raise UsageError("expected weights alone to go to a file of them, name.weights.h5; an archive begins with an architecture")
    return archive_contents(panels, dialect)


def outline_weights(
    panels: Panels, path: Path, *, dialect: str | None = None, weights_only: bool = False, max_shard_bytes: int | None = None
) -> Outline:
    """What `write_weights` would store, and what it would leave."""
    contents = weights_contents(panels, dialect, alone=weights_only)
    shards = _shards(contents, path.name, max_shard_bytes)
    return Outline([one for name, shard in shards.items() for one in _stored(shard, name)], tuple(contents.notes))


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
        path: ``name.weights.h5`` for one file, ``name.weights.json`` for an index with shards beside it, which replace those of the index that
            stands there together.
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
    shards = _shards(contents, target.name, max_shard_bytes)
    fs = fs or FileSystem()
    size = sum(shard.nbytes for shard in shards.values())
    if "" in shards:
        with replace_file(target, fs, size=size, overwrite=overwrite) as staged, hdf5_file(staged, fs) as file:
            _write_groups(file, contents, shards[""], copier)
        return tuple(contents.notes)
    old = shards_beside(target)
    with replacing_group(target, lambda name: name in shards or name in old, fs, size=size, overwrite=overwrite) as folder:
        for name, shard in shards.items():
            path_of_shard = os.path.join(folder, name)  # noqa: PTH118 - the save's own private folder
            with hdf5_file(path_of_shard, fs) as file:
                _write_groups(file, contents, shard, copier)
            sync_file(path_of_shard, fs)
        index = os.path.join(folder, target.name)  # noqa: PTH118 - as above
        fill_file(index, index_of(list(shards.values()), list(shards)), fs)
        sync_file(index, fs)
    return tuple(contents.notes)


def _shards(contents: Contents, name: str, most: int | None) -> dict[str, Shard]:
    """File beside the index called `name` -> what goes into it; all goes into the file itself, as "", if it is no index."""
    if name.endswith(SUFFIX):
        stem = name.removesuffix(SUFFIX)
        found = split({path: group.tensors for path, group in contents.groups.items()}, most or SHARD_BYTES)
        return {f"{stem}_{number:05}.weights.h5": shard for number, shard in enumerate(found)}
    if most is not None:
        raise UsageError(f"expected the name of an index, name{SUFFIX}, for weights in shards, got {name!r}")
    return {"": _whole(contents)}


def _whole(contents: Contents) -> Shard:
    groups = {path: dict(group.tensors) for path, group in contents.groups.items()}
    return Shard(groups, sum(tensor.nbytes for tensors in groups.values() for tensor in tensors.values()))


def _stored(shard: Shard, member: str) -> Iterator[Stored]:
    for path, tensors in shard.groups.items():
        for key, tensor in tensors.items():
            yield replace(stored_at(f"{path}/{VARS}/{key}".lstrip("/"), tensor), member=member)


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
