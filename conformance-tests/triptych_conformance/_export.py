"""Copies the suite for people who keep it beside their own code: a folder or an archive that runs by itself."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from triptych_conformance import _files
from triptych_conformance._cases import Suite

PACKAGE = Path(__file__).parent
FOLDERS = ("cases", "schemas", "adapters")
FILES = (".gitattributes", "README.md", "PROTOCOL.md", "manifest.json", "waived.toml")
ARCHIVES = (".tar.gz", ".tgz", ".zip")
MOMENT = (1980, 1, 1, 0, 0, 0)
"""When every file of an archive was changed, as a zip file says it: the same suite is the same bytes."""
MOMENT_SECONDS = 315532800
"""The same, as a tar file says it."""


class ExistsError(Exception):
    """Something is there already."""


def exported(source: Path) -> Iterator[tuple[str, Path]]:
    """Every file of an export of the suite in the folder `source`, by its name: the runner, then the cases and what explains them."""
    for path in sorted(PACKAGE.rglob("*.py")):
        inner = path.relative_to(PACKAGE)
        if inner.parts[0] != "_data":
            yield f"{PACKAGE.name}/{inner.as_posix()}", path
    for name in FILES:
        if (source / name).is_file():
            yield name, source / name
    for folder in FOLDERS:
        found = (path for path in (source / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        yield from sorted((path.relative_to(source).as_posix(), path) for path in found)


def export(target: Path, suite: Suite) -> int:
    """Writes `suite` to `target`: an archive where its name says so, a new folder otherwise; returns the number of files.

    Raises:
        ExistsError: `target` is there.
    """
    if target.exists():
        raise ExistsError(f"{target} exists already")
    files = list(exported(suite.folder))
    if not target.name.endswith(ARCHIVES):
        for name, path in files:
            copy = target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        named = [(f"triptych-conformance-{suite.version}/{name}", path.read_bytes()) for name, path in files]
        _files.replace(target, _zip(named) if target.name.endswith(".zip") else _tar(named))
    return len(files)


def _zip(files: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            info = zipfile.ZipInfo(name, MOMENT)
            info.create_system, info.external_attr, info.compress_type = 3, 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return buffer.getvalue()


def _tar(files: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", fileobj=buffer, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(data), MOMENT_SECONDS, 0o644
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
