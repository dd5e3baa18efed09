"""The package of this specification, as one layout among the others: a folder or an archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from triptych.layouts.layout import Layout, Outline, Stored
from triptych.model import Panels

_ARCHIVE_HEAD = b"mimetypeapplication/vnd.triptych+zip"
"""What stands in an archive from byte 30."""


def _recognises(path: Path, head: bytes) -> bool:
    if not head:
        return (path / "manifest.json").is_file()
    if head[30 : 30 + len(_ARCHIVE_HEAD)] == _ARCHIVE_HEAD:
        return True
    from triptych.layouts import zip_archive

    # An archive that somebody packed anew, or whose first bytes were damaged, is a package with faults and not something else.
    return head.startswith(zip_archive.LOCAL_SIGNATURE) and "manifest.json" in (zip_archive.names_of(path) or ())


def _read(path: Path, **options: Any) -> Panels:
    from triptych.package import read_package

    return read_package(path, **options)


def _write(panels: Panels, path: Path, *, spelling: Literal["json", "yaml"] = "json", **options: Any) -> tuple[str, ...]:
    from triptych.package import write_package

    write_package(panels, path, architecture_spelling=spelling, **options)
    return ()


def _outline(
    panels: Panels, path: Path, *, spelling: Literal["json", "yaml"] = "json", max_shard_bytes: int | None = None, form: str | None = None
) -> Outline:
    from triptych.package import atomic, write
    from triptych.package.contents import check_panels_fit, contents_of

    if form != "archive" and not path.name.endswith(write.SUFFIX):
        write.check_replaceable(atomic.target_of(path))

    contents = contents_of(panels, spelling, max_shard_bytes)
    check_panels_fit(panels, contents)
    return Outline([Stored(name, tensor, member) for member, plan in contents.files.items() for name, tensor in plan.tensors.items()])


LAYOUT = Layout(
    name="triptych",
    title="Triptych package",
    suffixes=(".triptych", ""),
    recognises=_recognises,
    read=_read,
    write=_write,
    outline=_outline,
    options=frozenset({"spelling", "max_shard_bytes", "form"}),
    read_options=frozenset({"limits", "verify"}),
)
