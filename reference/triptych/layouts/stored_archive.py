"""Writes a ZIP archive of stored, aligned members through the save protocol: the same bytes each time, one tensor in memory at a time."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from triptych.errors import UsageError
from triptych.model import Tensor
from triptych.package import archive, atomic
from triptych.package.files import FileSystem
from triptych.package.streaming import Hashing, Output, Stream

_SMALL_BYTES = 64 << 10
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Member:
    """What a member holds: some bytes, then the elements of a tensor."""

    head: bytes = b""
    tensor: Tensor | None = None

    @property
    def size(self) -> int:
        """Its bytes in all."""
        return len(self.head) + (self.tensor.nbytes if self.tensor is not None else 0)

    def pieces(self, name: str) -> list[memoryview]:
        """Its bytes, read now, of the member `name`.

        Raises:
            UsageError: The tensor's source does not give what it says.
        """
        found = [memoryview(self.head), *([self.tensor.read()] if self.tensor is not None else [])]
        if sum(map(len, found)) != self.size:
            raise UsageError(f"expected {self.size} bytes of {name}, its source gave {sum(map(len, found))}")
        return found


def write_archive(
    path: Path, members: Mapping[str, Member], progress: Callable[[int, int, str], None] | None, *, overwrite: bool
) -> None:
    """Write `members` to `path`, whole or not at all.

    Raises:
        UsageError: The target may not be replaced, or a tensor's source does not give what it says.
        SaveError: The file system refused; what stood at `path` is unchanged.
    """
    fs = FileSystem()
    target = atomic.target_of(path)
    planned = Planned(members)
    with atomic.replacing(target, fs, folder=False, size=planned.size, overwrite=overwrite) as staged, Hashing() as hashing:
        stream = Stream(hashing, planned.size, progress, checksums=True)
        mode = atomic.mode_of(target, fs)
        descriptor = fs.open(staged, _NEW_FILE, 0o666 if mode is None else mode)
        try:
            output = Output(descriptor, fs, durable=True)
            output.allocate(planned.size)
            planned.write(output, stream, fs)
            if mode is not None:
                fs.chmod(descriptor, mode)
            fs.fsync(descriptor)
        finally:
            fs.close(descriptor)


class Planned:
    """An archive whose bytes are counted and not yet written."""

    def __init__(self, members: Mapping[str, Member]) -> None:
        self._members = members
        self._entries, self._start = archive.place((name, member.size) for name, member in members.items())
        self.size = self._start + len(archive.tail(self._entries, self._start))
        """Its bytes in all."""

    def write(self, output: Output, stream: Stream, fs: FileSystem) -> None:
        """Append it to `output`.

        Raises:
            UsageError: A tensor's source does not give what it says.
        """
        if self.size <= _SMALL_BYTES:
            stream.content(self._entries[-1].name if self._entries else "", memoryview(self._whole()), output)
            return
        begin = output.position
        for entry in self._entries:
            output.write([memoryview(entry.local_header())])
            entry.crc = stream.pieces(entry.name, self._members[entry.name].pieces(entry.name), output)
            fs.pwrite_all(output.descriptor, entry.local_header()[: archive.LOCAL.size], begin + entry.offset)
        output.write([memoryview(archive.tail(self._entries, self._start))])

    def _whole(self) -> bytes:
        """All of a small archive: threads would take longer to hand over its members than to write them."""
        found = bytearray()
        for entry in self._entries:
            pieces = self._members[entry.name].pieces(entry.name)
            entry.crc = 0
            for piece in pieces:
                entry.crc = zlib.crc32(piece, entry.crc)
            found += entry.local_header()
            for piece in pieces:
                found += piece
        return bytes(found + archive.tail(self._entries, self._start))
