"""Arrays of numpy's, for people without a framework: ``.npz`` archives, and folders of ``.npy`` files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from triptych.layouts.layout import Layout, Outline
from triptych.model import Panels

_SUFFIX = ".npy"


def _is_archive(path: Path, head: bytes) -> bool:
    from triptych.layouts import zip_archive

    if not zip_archive.first_name(head).endswith(_SUFFIX):
        return False
    names = zip_archive.names_of(path)
    return names is None or all(name.endswith(_SUFFIX) for name in names)


def _is_folder(path: Path, head: bytes) -> bool:
    if head or not path.is_dir():
        return False
    found = False
    for one in path.rglob("*"):
        if not one.is_dir():
            if not one.name.endswith(_SUFFIX):
                return False
            found = True
    return found


def read(path: Path, **options: Any) -> Panels:
    """The arrays at `path`; see `reader.read`."""
    from triptych.layouts.numpy_arrays import reader

    return reader.read(path, **options)


def write(panels: Panels, path: Path, **options: Any) -> tuple[str, ...]:
    """Write the weights of `panels` as an archive at `path`; see `writer.write`."""
    from triptych.layouts.numpy_arrays import writer

    return writer.write(panels, path, **options)


def _outline(panels: Panels, path: Path) -> Outline:
    from triptych.layouts.numpy_arrays import writer

    return writer.outline(panels, path)


def write_files(panels: Panels, path: Path, **options: Any) -> tuple[str, ...]:
    """Write the weights of `panels` as a folder of files at `path`; see `writer.write_files`."""
    from triptych.layouts.numpy_arrays import writer

    return writer.write_files(panels, path, **options)


def _outline_of_files(panels: Panels, path: Path) -> Outline:
    from triptych.layouts.numpy_arrays import writer

    return writer.outline_of_files(panels, path)


ARCHIVE_LAYOUT = Layout(
    name="npz",
    title="numpy arrays",
    suffixes=(".npz",),
    recognises=_is_archive,
    read=read,
    write=write,
    outline=_outline,
    read_options=frozenset({"limits"}),
)
FOLDER_LAYOUT = Layout(
    name="npy",
    title="folder of numpy arrays",
    suffixes=(),
    recognises=_is_folder,
    read=read,
    write=write_files,
    outline=_outline_of_files,
    read_options=frozenset({"limits"}),
)
