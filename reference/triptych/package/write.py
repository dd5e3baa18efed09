"""Writes a package, as a folder or an archive: plans every byte, streams the tensors, commits by the save protocol."""

# ruff: noqa: PTH112, PTH118 - plain strings, each handed to the system as it is

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from triptych.errors import SaveError, UsageError, shorten
from triptych.model import Panels
from triptych.package import archive, atomic, manifest, names
from triptych.package.contents import Contents, Digests, Template, check_panels_fit, contents_of
from triptych.package.files import FileSystem
from triptych.package.streaming import Hashing, Output, Progress, Stream

Form = Literal["directory", "archive"]
SUFFIX = ".triptych"
"""A target with this suffix becomes an archive, where the caller does not say."""
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_FIXED_HEADER = archive.LOCAL.size


def write_package(
    panels: Panels,
    path: str | os.PathLike[str],
    *,
    form: Form | None = None,
    max_shard_bytes: int | None = None,
    architecture_spelling: Literal["json", "yaml"] = "json",
    progress: Progress | None = None,
    overwrite: bool = True,
    durable: bool = True,
    fs: FileSystem | None = None,
) -> None:
    """Write `panels` to `path`, whole or not at all; what stood there is replaced when the new package is complete and durable.

    Args:
        panels: The model. Each tensor is read once, when its turn comes.
        path: The target. A folder is replaced only if it is a package with no other files in it.
        form: Folder or archive; None: an archive if `path` ends with ``.triptych``.
        max_shard_bytes: Tensor data of one safetensors member, at most, where it has more than one tensor; None: all in one.
        architecture_spelling: Spelling of the architecture and training documents.
        progress: Called as bytes are written.
        overwrite: Whether what stands at `path` may be replaced.
        durable: Whether the package is to survive a power cut from the moment this function returns.
        fs: The file operations; for tests.

    Raises:
        InvalidModelError: The model breaks the specification; nothing was touched.
        UsageError: The target may not be replaced, or an option is impossible.
        SaveError: The file system refused; what stood at `path` is unchanged.
    """
    fs = fs or FileSystem()
    target = Path(os.fspath(path))
    chosen = form or ("archive" if target.name.endswith(SUFFIX) else "directory")
    if chosen not in ("directory", "archive") or architecture_spelling not in ("json", "yaml"):
        raise UsageError(f"expected the form directory or archive and the spelling json or yaml, got {shorten(form)} and {shorten(architecture_spelling)}")
    if max_shard_bytes is not None and max_shard_bytes < 1:
        raise UsageError(f"expected max_shard_bytes from 1, got {max_shard_bytes}")
    contents = contents_of(panels, architecture_spelling, max_shard_bytes)
    check_panels_fit(panels, contents)
    source = _Planned(contents, Template(panels, contents))
    Save(source, atomic.target_of(target), fs, progress, overwrite=overwrite, durable=durable).write(chosen)


class Source(Protocol):
    """Where the members of a package that is to be written come from."""

    def sizes(self) -> dict[str, int]:
        """Member name -> bytes, ``mimetype`` left out."""

    def member(self, name: str, stream: Stream, output: Output) -> int:
        """Append member `name`, and return its CRC-32; the manifest is asked for last."""


@dataclass(frozen=True, slots=True)
class _Planned:
    """The members of a model."""

    contents: Contents
    template: Template
    digests: Digests = field(default_factory=dict)
    """Of the members written so far."""

    def sizes(self) -> dict[str, int]:
        return self.contents.sizes() | {names.MANIFEST: self.template.size}

    def member(self, name: str, stream: Stream, output: Output) -> int:
        if name == names.MANIFEST:
            return stream.content(name, memoryview(self.template.filled(self.digests)), output)
        if name in self.contents.files:
            plan = self.contents.files[name]
            crc, of_tensors = stream.tensors(name, plan, output)
            self.digests[name] = {"": manifest.digest(plan.header), **of_tensors}
            return crc
        documents = self.contents.documents
        content = memoryview(documents[name]) if name in documents else self.contents.assets[name].read()
        self.digests[name] = manifest.digest(content)
        return stream.content(name, content, output)


@dataclass(frozen=True, slots=True)
class Save:
    """One save, of the members of `source`."""

    source: Source
    target: str
    fs: FileSystem
    progress: Progress | None
    _: KW_ONLY
    overwrite: bool
    durable: bool

    def write(self, form: Form) -> None:
        """Write this form; what stood at the target is replaced when the new package is complete and durable."""
        if form == "archive":
            self.archive()
        else:
            check_replaceable(self.target)
            self.folder()

    def archive(self) -> None:
        """Write the archive form."""
        sizes = self.source.sizes() | {names.MIMETYPE: len(names.MIMETYPE_CONTENT)}
        entries, start = archive.place(sizes.items())
        total = start + len(archive.tail(entries, start))
        fs = self.fs
        with atomic.replacing(self.target, fs, folder=False, size=total, overwrite=self.overwrite, durable=self.durable) as staged, Hashing() as hashing:
            stream = Stream(hashing, total, self.progress, checksums=True)
            mode = atomic.mode_of(self.target, fs)
            descriptor = fs.open(staged, _NEW_FILE, 0o666 if mode is None else mode)
            try:
                output = Output(descriptor, fs, durable=self.durable)
                output.allocate(total)
                for entry in entries:
                    output.write([memoryview(entry.local_header())])
                    entry.crc = self._member(entry.name, stream, output)
                    fs.pwrite_all(descriptor, entry.local_header()[:_FIXED_HEADER], entry.offset)
                output.write([memoryview(archive.tail(entries, start))])
                self._finish(descriptor, mode)
            finally:
                fs.close(descriptor)

    def folder(self) -> None:
        """Write the folder form."""
        sizes = self.source.sizes()
        total = sum(sizes.values())
        fs = self.fs
        with atomic.replacing(self.target, fs, folder=True, size=total, overwrite=self.overwrite, durable=self.durable) as staged, Hashing() as hashing:
            stream = Stream(hashing, total, self.progress, checksums=False)
            folder_mode = atomic.mode_of(self.target, fs)
            mode = None if folder_mode is None else atomic.mode_of(os.path.join(self.target, names.MANIFEST), fs)
            folders = _make_folders(staged, sizes, folder_mode, fs)
            for name in sorted(sizes, key=archive.member_order):
                descriptor = fs.open(os.path.join(staged, name), _NEW_FILE, 0o666 if mode is None else mode)
                try:
                    output = Output(descriptor, fs, durable=self.durable)
                    output.allocate(sizes[name])
                    self._member(name, stream, output)
                    self._finish(descriptor, mode)
                finally:
                    fs.close(descriptor)
            for folder in reversed(folders) if self.durable else ():
                atomic.sync_folder(folder, fs)

    def _member(self, name: str, stream: Stream, output: Output) -> int:
        """Append member `name`; its CRC-32."""
        if name == names.MIMETYPE:
            return stream.content(name, memoryview(names.MIMETYPE_CONTENT), output)
        return self.source.member(name, stream, output)

    def _finish(self, descriptor: int, mode: int | None) -> None:
        if mode is not None:
            self.fs.chmod(descriptor, mode)
        if self.durable:
            self.fs.fsync(descriptor)


def _make_folders(staged: str, members: Mapping[str, int], mode: int | None, fs: FileSystem) -> list[str]:
    """Make the package's folder and those of its members; outermost first."""
    inner = {"/".join(name.split("/")[:depth]) for name in members for depth in range(1, name.count("/") + 1)}
    folders = [staged, *(os.path.join(staged, name) for name in sorted(inner))]
    for folder in folders:
        fs.mkdir(folder)
        if mode is not None:
            descriptor = fs.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fs.chmod(descriptor, mode | stat.S_IRWXU)  # what its owner cannot write into she cannot sweep either
            finally:
                fs.close(descriptor)
    return folders


def check_replaceable(target: str) -> None:
    """Refuse to replace a folder that is no package, or that holds files which are no part of it.

    Raises:
        UsageError: It is such a folder.
        SaveError: It cannot be told, since its manifest cannot be read.
    """
    if not os.path.isdir(target):
        return
    found = {os.path.relpath(os.path.join(root, name), target) for root, _, files in os.walk(target) for name in files}
    if not found:
        return
    try:
        path = Path(target, names.MANIFEST)
        data = json.loads(path.read_bytes()) if stat.S_ISREG(path.lstat().st_mode) else {}
        members = set(data["members"]) if data["format"] == "triptych" else None
    except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError):
        members = None
    except OSError as error:
        raise SaveError(error.errno, f"expected to read {str(path)!r}, got: {error.strerror}; what stood there is unchanged") from error
    if members is None:
        raise UsageError(f"expected a package or nothing at {target!r}, got a folder with other files; it is not replaced")
    foreign = sorted(found - members - {names.MANIFEST, names.MIMETYPE})
    if foreign:
        raise UsageError(f"expected a package and nothing else at {target!r}, got {shorten(foreign[0])}, which would be lost; it is not replaced")
