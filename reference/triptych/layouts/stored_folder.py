"""Writes a folder of files through the save protocol: all of it or nothing, one tensor in memory at a time."""

# ruff: noqa: PTH118 - plain strings, each handed to the system as it is

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from triptych.errors import UsageError, shorten
from triptych.package import atomic
from triptych.package.files import FileSystem
from triptych.package.streaming import Hashing, Output, Stream

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


class Piece(Protocol):
    """A run of bytes of a file, which is counted before it is written."""

    @property
    def size(self) -> int:
        """Its bytes."""

    def write(self, output: Output, stream: Stream, fs: FileSystem) -> None:
        """Append it to `output`."""


def write_folder(
    path: Path,
    files: Mapping[str, Sequence[Piece]],
    progress: Callable[[int, int, str], None] | None,
    *,
    overwrite: bool,
    ours: Callable[[str], bool],
    checksums: bool = True,
) -> None:
    """Write `files`, relative names with "/", as the folder `path`.

    Args:
        path: Where nothing stands, an empty folder, or one whose files are all of this layout.
        files: Name -> what is in it.
        progress: Called as bytes are written.
        overwrite: Whether such a folder may be replaced.
        ours: Whether a file of this name is one of this layout; a folder with others is never replaced.
        checksums: Whether a piece needs the CRC-32 of what it appends.

    Raises:
        UsageError: The target may not be replaced, or a tensor's source does not give what it says.
        SaveError: The file system refused; what stood at `path` is unchanged.
    """
    other = next((str(one.relative_to(path)) for one in path.rglob("*") if not one.is_dir() and not ours(one.name)), None) if path.is_dir() else None
    if other is not None:
        raise UsageError(f"expected nothing, an empty folder or one of this layout at {str(path)!r}, {shorten(other)} is in it; it is not replaced")
    fs = FileSystem()
    sizes = {name: sum(piece.size for piece in pieces) for name, pieces in files.items()}
    total = sum(sizes.values())
    with atomic.replacing(atomic.target_of(path), fs, folder=True, size=total, overwrite=overwrite) as staged, Hashing() as hashing:
        stream = Stream(hashing, total, progress, checksums=checksums)
        inner = {"/".join(name.split("/")[:depth]) for name in files for depth in range(1, name.count("/") + 1)}
        folders = [staged, *(os.path.join(staged, name) for name in sorted(inner))]
        for folder in folders:
            fs.mkdir(folder)
        for name, pieces in files.items():
            descriptor = fs.open(os.path.join(staged, name), _NEW_FILE)
            try:
                output = Output(descriptor, fs, durable=True)
                output.allocate(sizes[name])
                for piece in pieces:
                    piece.write(output, stream, fs)
                fs.fsync(descriptor)
            finally:
                fs.close(descriptor)
        for folder in reversed(folders):
            atomic.sync_folder(folder, fs)
