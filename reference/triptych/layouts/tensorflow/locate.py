"""From a path that a person gives to the prefix of the checkpoint that is meant."""

from __future__ import annotations

import errno
import glob
import re
from pathlib import Path

from triptych.errors import shorten
from triptych.layouts.problems import invalid
from triptych.layouts.tensorflow import saved_slices, state_file
from triptych.layouts.tensorflow.bundle_index import SUFFIX

_MEMBER = re.compile(r"(.+)(?:\.index|\.meta|\.data-\d{5}-of-\d{5})")
"""Names of the files of a tensor bundle."""
_SHARD = re.compile(r"(.+)-\d{5}-of-\d{5}")
"""Names of the files of a V1 checkpoint in several."""


def locate(path: Path) -> Path:
    """The prefix of the checkpoint at `path`: the prefix itself, one of its files, or the folder that it is in.

    Of a folder it is the one that its state file names, or the only one.

    Raises:
        InvalidModelError: A folder holds several checkpoints, or not the one that its state file names.
        FileNotFoundError: There is none.
        OSError: The folder cannot be read.
    """
    found = prefix_of(path)
    if found is None and path.is_dir():
        found = _in_folder(path)
    if found is None and path.name == state_file.NAME and path.is_file():
        found = _in_folder(path.parent)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, "expected a TensorFlow checkpoint: a prefix, one of its files, or its folder", str(path))
    return found


def prefix_of(path: Path) -> Path | None:
    """The prefix that `path` is, or that one of whose files it is; None where neither."""
    # The files first: an index, and each file of a V1 checkpoint, look like a V1 checkpoint in one file.
    for pattern in (_MEMBER, _SHARD):
        named = pattern.fullmatch(path.name)
        if named and path.is_file() and _exists(path.parent / named[1]):
            return path.parent / named[1]
    return path if _exists(path) else None


def _exists(prefix: Path) -> bool:
    """Whether there is a checkpoint of this prefix."""
    index = prefix.parent / (prefix.name + SUFFIX)
    if index.is_file():
        # An index that is cut short, or stands for one that was never fetched, is known by the data beside it; reading says what is wrong.
        return saved_slices.is_table(index) or any(prefix.parent.glob(f"{glob.escape(prefix.name)}.data-*-of-*"))
    return bool(saved_slices.files_of(prefix))


def _in_folder(folder: Path) -> Path | None:
    said = state_file.latest(folder)
    if said is not None:
        if _exists(said):
            return said
        raise invalid(state_file.NAME, f"expected the checkpoint {shorten(said.name)} that the state file names, it is not there")
    files = [one for one in folder.iterdir() if one.name.endswith(SUFFIX) or saved_slices.is_table(one)]
    found = sorted({prefix for one in files if (prefix := prefix_of(one)) is not None})
    if len(found) > 1:
        names = ", ".join(shorten(one.name) for one in found[:8])
        raise invalid("", f"expected one checkpoint in the folder, or a state file that names one, got {len(found):,}: {names}")
    return found[0] if found else None
