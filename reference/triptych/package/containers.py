"""What holds the members, opened for reading: a folder or an archive. Everything is read through what was opened once."""

from __future__ import annotations

import errno
import mmap
import os
import stat
from collections.abc import Mapping
from typing import Protocol

from triptych.errors import Findings, UnsupportedError, naming, shorten
from triptych.limits import Limits
from triptych.package import archive, names

READ_BYTES = 65536
"""Up to this size a document or asset in a folder is read instead of mapped: each mapping holds a descriptor."""


class Container(Protocol):
    """Members by name."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Member name -> bytes, in the container's order."""

    def content(self, name: str) -> memoryview:
        """The bytes of member `name`: a view on the file, mapped into memory."""

    def checksum_fault(self, name: str) -> str | None:
        """Why the container's own checksum of `name` is broken; None when it holds or there is none."""


def open_container(path: str, findings: Findings, limits: Limits) -> Container:
    """The folder or archive at `path`, told apart by what it is, not by its name; names and framing checked.

    Raises:
        InvalidModelError: It is neither, or broken beyond reading; lesser problems are added to `findings`.
        UnsupportedError: It has more members than the limit.
        OSError: It cannot be read.
    """
    with naming(path):
        container = _opened(path, findings, limits)
    _check_names(container, findings)
    if names.MIMETYPE in container.sizes:
        content = container.content(names.MIMETYPE)
        if content != names.MIMETYPE_CONTENT:
            findings.add("PKG-016", names.MIMETYPE, f"expected {names.MIMETYPE_CONTENT.decode()!r}, got {shorten(bytes(content[:64]))}")
    return container


def _opened(path: str, findings: Findings, limits: Limits) -> Container:
    # O_NONBLOCK: a pipe in the place of a package is refused below instead of waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        facts = os.fstat(descriptor)
        if stat.S_ISDIR(facts.st_mode):
            return Folder(path, descriptor, findings, limits)
        if stat.S_ISREG(facts.st_mode):
            return Archive(_map(descriptor, facts.st_size), findings, limits)
        findings.fatal("PKG-017", None, "expected a folder or a regular file, got something else")
    finally:
        os.close(descriptor)


def _check_names(container: Container, findings: Findings) -> None:
    for name in container.sizes:
        fault = names.member_name_fault(name)
        if fault is not None:
            # A place is text for people and reports: the name goes there escaped.
            findings.add("PKG-002", None if names.is_undecodable(name) else names.spelled(name), f"{fault}, got {shorten(name)}")
    for name, other in names.clashes(container.sizes):
        findings.add("PKG-003", names.spelled(name), f"expected names that every file system keeps apart, got {shorten(name)} beside {shorten(other)}")


def _map(descriptor: int, size: int) -> memoryview:
    """The content of an open file, mapped; stays readable when the file is replaced, renamed or removed."""
    if size == 0:
        return memoryview(b"")
    return memoryview(mmap.mmap(descriptor, size, access=mmap.ACCESS_READ))


def _read(descriptor: int, size: int) -> memoryview:
    parts: list[bytes] = []
    while size > 0 and (part := os.read(descriptor, size)):
        parts.append(part)
        size -= len(part)
    return memoryview(b"".join(parts))


class Archive:
    """The members of an archive, read in place."""

    def __init__(self, data: memoryview, findings: Findings, limits: Limits) -> None:
        self._data = data
        self._entries: dict[str, archive.Entry] = {}
        if bytes(data[:4]) != archive.LOCAL_SIGNATURE.to_bytes(4, "little") and not _mentions_zip(data):
            findings.fatal("PKG-017", None, f"expected a package: a folder, or a file that starts with a ZIP header, got {shorten(bytes(data[:16]))}")
        entries = archive.read_entries(data, findings, limits)
        for entry in entries:
            if entry.name in self._entries:
                findings.add("PKG-003", names.spelled(entry.name), f"expected each member name once, got {shorten(entry.name)} again")
            self._entries[entry.name] = entry
        self.sizes: dict[str, int] = {entry.name: entry.size for entry in entries}

    def content(self, name: str) -> memoryview:
        """The bytes of member `name`: a view on the mapped archive."""
        entry = self._entries[name]
        return self._data[entry.start : entry.start + entry.size]

    def checksum_fault(self, name: str) -> str | None:
        """Why the CRC-32 of `name` is broken; None when it holds."""
        return archive.crc_fault(self._entries[name], self.content(name))


def _mentions_zip(data: memoryview) -> bool:
    """Whether a ZIP file with something before it may be meant; the framing is what is wrong with it then."""
    return archive.END_SIGNATURE.to_bytes(4, "little") in bytes(data[-archive.END.size :])


class Folder:
    """The members of a folder, found through its descriptor: neither a rename of the folder nor a link inside it leads elsewhere."""

    def __init__(self, path: str, descriptor: int, findings: Findings, limits: Limits) -> None:
        self._path = path
        self.sizes: dict[str, int] = {}
        self._views: dict[str, memoryview] = {}
        self._walk(descriptor, "", findings, limits)
        self.sizes = dict(sorted(self.sizes.items(), key=lambda item: archive.member_order(_encodable(item[0]))))

    def _walk(self, descriptor: int, prefix: str, findings: Findings, limits: Limits) -> None:
        for name in sorted(os.listdir(descriptor)):
            if len(self.sizes) >= limits.members:
                findings.fatal("SEC-016", None, f"expected at most {limits.members} members, got more", error=UnsupportedError)
            path = prefix + name
            if prefix.count("/") >= names.SEGMENTS:
                findings.fatal("PKG-002", None, f"expected at most {names.SEGMENTS} segments, got {shorten(path)}")
            member = self._open(descriptor, name, path, findings)
            if member is None:
                continue
            try:
                facts = os.fstat(member)
                if stat.S_ISDIR(facts.st_mode):
                    self._walk(member, f"{path}/", findings, limits)
                elif stat.S_ISREG(facts.st_mode):
                    self.sizes[path] = facts.st_size
                    small = facts.st_size <= READ_BYTES and not name.endswith(".safetensors")
                    self._views[path] = _read(member, facts.st_size) if small else _map(member, facts.st_size)
                else:
                    findings.add("PKG-004", names.spelled(path), "expected a regular file, got a special one")
            finally:
                os.close(member)

    def _open(self, descriptor: int, name: str, path: str, findings: Findings) -> int | None:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (os.O_NOFOLLOW if findings.enforces("PKG-004") else 0)
        try:
            return os.open(name, flags, dir_fd=descriptor)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO, errno.EMLINK):
                findings.add("PKG-004", names.spelled(path), f"expected a regular file, got a {'symbolic link' if error.errno != errno.ENXIO else 'special one'}")
                return None
            error.filename = f"{self._path}/{path}"  # the system saw the last part alone
            raise

    def content(self, name: str) -> memoryview:
        """The bytes of member `name`: a view on the mapped file."""
        return self._views[name]

    def checksum_fault(self, name: str) -> str | None:  # noqa: ARG002 - a folder has no checksums of its own
        """Always None: the manifest's digests are all there is."""
        return None


def _encodable(name: str) -> str:
    """`name`, or a stand-in to sort by where it holds bytes that are not UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode()
