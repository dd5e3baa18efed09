"""Writes weights as an ``.npz`` archive that ``numpy.load`` opens without pickles: stored members, the same bytes each time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from triptych.errors import UsageError, shorten
from triptych.layouts.layout import Outline, Stored
from triptych.layouts.numpy_arrays.header import text_of
from triptych.layouts.numpy_arrays.reader import SUFFIX
from triptych.layouts.problems import inexpressible
from triptych.layouts.stored_archive import Member, write_archive
from triptych.model import Panels
from triptych.package import names


def write(panels: Panels, path: Path, *, overwrite: bool = True, progress: Callable[[int, int, str], None] | None = None) -> tuple[str, ...]:
    """Write the weights of `panels` to `path`, whole or not at all; sentences that name what was not kept.

    Raises:
        ConversionError: An array is of a dtype that numpy has not, or its name cannot be one of the archive.
        UsageError: There are no weights, or the target may not be replaced.
        SaveError: The file system refused; what stood at `path` is unchanged.
    """
    write_archive(path, _members(panels), progress, overwrite=overwrite)
    return _left_out(panels)


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
