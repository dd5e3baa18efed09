"""A ZIP archive that nobody vouches for, and the same members unzipped in a folder: names are keys, never paths to write to.

A stored member is a view on the mapped file; a compressed one is unpacked into a file without a name when somebody asks for it. Members
that are read whole have their checksum compared; those that are mapped, when their first tensor is read.
"""

from __future__ import annotations

import mmap
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from triptych.errors import TriptychError, shorten
from triptych.layouts.problems import invalid, truncated, unsupported
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.package.mappings import give_back, mapping_of

LOCAL_SIGNATURE = b"PK\x03\x04"
_EXPANSION = 100
"""Bytes that one compressed byte may become in a member of more than `_FLOOR` bytes; weights do not shrink to less."""
_FLOOR = 256 << 20
_DEFLATE_MOST = 1100
"""The same in smaller members; deflate cannot do more than 1032."""
_LOCAL_HEADER = 30
_ENCRYPTED = 0x61
"""Flags of a member that is encrypted, in one way or another, or a patch."""
_CHUNK = 1 << 20
_CHECKED = 16 << 20
"""Bytes of a member that are in memory while its checksum is computed."""


class Members(Protocol):
    """What an archive or a folder holds."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of all members, in order."""

    def read(self, name: str, limit: int) -> bytes:
        """The bytes of one member that has at most `limit`."""

    def view(self, name: str) -> memoryview:
        """The bytes of one member, mapped where they lie."""

    def check(self, name: str) -> Callable[[], None]:
        """Called before bytes of the member's view are believed: raises where they are not what was written."""


def names_of(path: Path) -> tuple[str, ...] | None:
    """The names in the directory of the archive at `path`; None where it has none that can be read."""
    try:
        with path.open("rb") as file, _zip_errors(), zipfile.ZipFile(file) as archive:
            return tuple(info.filename for info in archive.infolist()[: DEFAULT_LIMITS.members])
    except TriptychError:
        return None


def first_name(head: bytes) -> str:
    """The name of the member that an archive starts with; empty if `head` is no archive's."""
    if head[:4] != LOCAL_SIGNATURE:
        return ""
    length = int.from_bytes(head[26:28], "little")
    return head[_LOCAL_HEADER : _LOCAL_HEADER + length].decode(errors="replace")


class ZipArchive:
    """The members of one archive; its file stays mapped as long as a view of it is in use."""

    def __init__(self, path: Path, limits: Limits) -> None:
        with path.open("rb") as file:
            self._size = file.seek(0, 2)
            if not self._size:
                raise truncated("", "expected an archive, got an empty file")
            self._map = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        self._path = path
        with _zip_errors():
            self._infos = self._listed(limits)

    def _listed(self, limits: Limits) -> dict[str, zipfile.ZipInfo]:
        found: dict[str, zipfile.ZipInfo] = {}
        with self._path.open("rb") as file, zipfile.ZipFile(file) as archive:
            listed = [info for info in archive.infolist() if not info.filename.endswith("/")]
        if len(listed) > limits.members:
            raise unsupported("", f"expected at most {limits.members:,} members, got {len(listed):,}")
        for info in listed:
            self._check_one(info)
            if info.filename in found:
                raise invalid(info.filename, "expected each member once, got it twice")
            found[info.filename] = info
        end = 0
        for info in sorted(listed, key=lambda one: one.header_offset):
            if info.header_offset < end:
                raise invalid(info.filename, "expected members one after the other, got one that overlaps another")
            end = self._start(info) + info.compress_size
            if end > self._size:
                raise truncated(info.filename, f"expected {info.compress_size:,} bytes, the file ends before them")
        return found

    def _check_one(self, info: zipfile.ZipInfo) -> None:
        name = info.filename
        parts = name.replace("\\", "/").split("/")
        if info.orig_filename != name or not name.isprintable() or ".." in parts or parts[0] == "" or ":" in parts[0]:
            raise invalid(shorten(info.orig_filename), "expected the name of a member inside the archive")
        if info.flag_bits & _ENCRYPTED:
            raise unsupported(name, "expected members that are not encrypted, and no patches of others")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise unsupported(name, f"expected members stored or deflated, got method {info.compress_type}")
        if info.compress_type == zipfile.ZIP_STORED and info.compress_size != info.file_size:
            raise invalid(name, f"expected a stored member of {info.compress_size:,} bytes, it says {info.file_size:,}")
        most = (_EXPANSION if info.file_size > _FLOOR else _DEFLATE_MOST) * max(info.compress_size, 1)
        if info.file_size > most:
            raise unsupported(name, f"expected at most {most:,} bytes of {info.compress_size:,} stored ones, it declares {info.file_size:,}")

    def _start(self, info: zipfile.ZipInfo) -> int:
        """Where the data of a member begins, by its local header, which must say the same name."""
        header = bytes(self._map[info.header_offset : info.header_offset + _LOCAL_HEADER])
        if len(header) < _LOCAL_HEADER:
            raise truncated(info.filename, "expected a header, the file ends before it")
        length, extra = int.from_bytes(header[26:28], "little"), int.from_bytes(header[28:30], "little")
        start = info.header_offset + _LOCAL_HEADER
        encoding = "utf-8" if info.flag_bits & 0x800 else "cp437"
        if header[:4] != LOCAL_SIGNATURE or bytes(self._map[start : start + length]) != info.orig_filename.encode(encoding):
            raise invalid(info.filename, "expected the header of this member, got something else")
        return start + length + extra

    @property
    def names(self) -> tuple[str, ...]:
        """Of all members, in the order of the directory."""
        return tuple(self._infos)

    def read(self, name: str, limit: int) -> bytes:
        """The bytes of one member, its checksum compared.

        Raises:
            UnsupportedError: It has more than `limit`.
            InvalidModelError: Its bytes are not what was written.
        """
        info = self._infos[name]
        if info.file_size > limit:
            raise unsupported(name, f"expected at most {limit:,} bytes, got {info.file_size:,}")
        with self._path.open("rb") as file, _zip_errors(name), zipfile.ZipFile(file) as archive:
            return archive.read(info)

    def view(self, name: str) -> memoryview:
        """The bytes of one member: a view on the archive, or on what it was unpacked to."""
        info = self._infos[name]
        if info.compress_type == zipfile.ZIP_STORED:
            start = self._start(info)
            return self._map[start : start + info.file_size]
        with self._path.open("rb") as file, _zip_errors(name), zipfile.ZipFile(file) as archive, archive.open(info) as packed:
            return _unpacked(packed, info.file_size)

    def check(self, name: str) -> Callable[[], None]:
        """Compares the checksum of a stored member once; what was unpacked has been compared."""
        info = self._infos[name]
        pending = [info] if info.compress_type == zipfile.ZIP_STORED else []

        def compare() -> None:
            if pending:
                found = 0
                data = self.view(name)
                mapping = mapping_of(data)
                for at in range(0, len(data), _CHECKED):
                    if at:
                        give_back(mapping)
                    found = zlib.crc32(data[at : at + _CHECKED], found)
                if found != info.CRC:
                    raise invalid(name, f"expected bytes with the checksum {info.CRC:08x}, got {found:08x}: the file was damaged")
                pending.clear()

        return compare


def _unpacked(packed: IO[bytes], size: int) -> memoryview:
    """What `packed` yields, in a file without a name, mapped."""
    with tempfile.TemporaryFile() as file:
        done = 0
        while part := packed.read(_CHUNK):
            done += file.write(part)
        file.flush()
        if done != size:
            raise truncated("", f"expected {size:,} bytes, got {done:,}")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) if size else memoryview(b"")


class Folder:
    """The members of a folder with the names that the archive would have them under; links are none of them."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path = path
        self._found: dict[str, Path] = {}
        pending = [("", path)]
        while pending:
            prefix, folder = pending.pop()
            for one in sorted(folder.iterdir()):
                if one.is_symlink():
                    continue
                if one.is_dir():
                    pending.append((f"{prefix}{one.name}/", one))
                elif one.is_file():
                    self._found[f"{prefix}{one.name}"] = one
                if len(self._found) + len(pending) > limits.members:
                    raise unsupported("", f"expected at most {limits.members:,} members, got more")

    @property
    def names(self) -> tuple[str, ...]:
        """Of all files, those of the folder itself first."""
        return tuple(self._found)

    def read(self, name: str, limit: int) -> bytes:
        """The bytes of one file.

        Raises:
            UnsupportedError: It has more than `limit`.
        """
        with self._found[name].open("rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise unsupported(name, f"expected at most {limit:,} bytes, got more")
        return data

    def view(self, name: str) -> memoryview:
        """The bytes of one file, mapped."""
        with self._found[name].open("rb") as file:
            if not file.seek(0, 2):
                return memoryview(b"")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def check(self, name: str) -> Callable[[], None]:  # noqa: ARG002 - an archive's has to know
        """Compares nothing: a folder has no checksums."""
        return lambda: None


@contextmanager
def _zip_errors(name: str = "") -> Iterator[None]:
    """Turns what zipfile raises on bad bytes into an error of ours."""
    try:
        yield
    except TriptychError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, UnicodeError, OverflowError) as error:
        text = str(error)
        ends = isinstance(error, EOFError) or text == "File is not a zip file"
        raise (truncated if ends else invalid)(name, f"expected a sound ZIP archive, got {shorten(text, 300)}") from error


__all__ = ["Folder", "Members", "ZipArchive", "first_name", "names_of"]
