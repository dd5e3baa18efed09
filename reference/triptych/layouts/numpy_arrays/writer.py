"""Writes weights as an ``.npz`` archive or a folder of ``.npy`` files that ``numpy.load`` opens without pickles: the same bytes each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from triptych.errors import UsageError, shorten
from triptych.layouts.layout import Outline, Stored
from triptych.layouts.numpy_arrays.header import text_of
from triptych.layouts.numpy_arrays.reader import SUFFIX
from triptych.layouts.problems import inexpressible
from triptych.layouts.stored_archive import Member, write_archive
from triptych.layouts.stored_folder import write_folder
from triptych.model import Panels
from triptych.package import names
from triptych.package.files import FileSystem
from triptych.package.streaming import Output, Stream


def write(panels: Panels, path: Path, *, overwrite: bool = True, progress: Callable[[int, int, str], None] | None = None) -> tuple[str, ...]:
    """Write the weights of `panels` to `path`, whole or not at all; sentences that name what was not kept.

    Raises:
        ConversionError: An array is of a dtype that numpy has not, or its name cannot be one of the archive.
        UsageError: There are no weights, or the target may not be replaced.
        SaveError: The file system refused; what stood at `path` is unchanged.
    """
    write_archive(path, _members(panels), progress, overwrite=overwrite)
    return _left_out(panels)


def write_files(panels: Panels, path: Path, *, overwrite: bool = True, progress: Callable[[int, int, str], None] | None = None) -> tuple[str, ...]:
    """Write the weights of `panels` as a folder at `path`, a file for each; a slash in a name is a folder in it.

    Raises:
        ConversionError: An array is of a dtype that numpy has not, or there is none, or its name cannot be one of a file.
        UsageError: There are no weights, or there are files of others at `path`.
        SaveError: The file system refused; what stood at `path` is unchanged.
    """
    members = _files(panels)
    files = {name: [_File(name, member)] for name, member in members.items()}
    write_folder(path, files, progress, overwrite=overwrite, ours=lambda name: name.endswith(SUFFIX))
    return _left_out(panels)


def outline_of_files(panels: Panels, _: Path) -> Outline:
    """What `write_files` would store, and what it would leave."""
    stored = [Stored(name, member.tensor, name) for name, member in _files(panels).items() if member.tensor is not None]
    return Outline(stored, _left_out(panels))


@dataclass(frozen=True, slots=True)
class _File:
    """The head and the elements of one array."""

    name: str
    member: Member

    @property
    def size(self) -> int:
        return self.member.size

    def write(self, output: Output, stream: Stream, _: FileSystem) -> None:
        stream.pieces(self.name, self.member.pieces(self.name), output)


def _files(panels: Panels) -> dict[str, Member]:
    members = _members(panels)
    if not members:
        raise inexpressible("", "expected at least one array, an empty folder says nothing")
    for name in members:
        parts = name.split("/")
        if folder := next((one for depth in range(1, len(parts)) if (one := "/".join(parts[:depth])) in members), None):
            raise inexpressible(shorten(name), f"expected names of which none is a folder of another, {shorten(folder)} is one of this")
    return members


def outline(panels: Panels, _: Path) -> Outline:
    """What `write` would store, and what it would leave."""
    return Outline([Stored(name, member.tensor) for name, member in _members(panels).items() if member.tensor is not None], _left_out(panels))


def _members(panels: Panels) -> dict[str, Member]:
    if panels.weights is None:
        raise UsageError("expected a model with weights to write arrays, this one has none")
    members: dict[str, Member] = {}
    for name, tensor in panels.weights.tensors.items():
        member = f"{name}{SUFFIX}"
        if fault := names.member_name_fault(member):
            raise inexpressible(shorten(name), f"{fault}, which the file of an array is")
        members[member] = Member(text_of(tensor, name), tensor)
    return members


def _left_out(panels: Panels) -> tuple[str, ...]:
    left = [("architecture", panels.architecture), ("training", panels.training), ("assets", panels.assets), ("license", panels.license)]
    return tuple(f"{name}: arrays of numpy's are weights alone" for name, panel in left if panel)
