"""A file object over the operations of a save, for libraries that write a file at any place and want one that Python could have opened."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from triptych.package.files import FileSystem

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_KEPT_BYTES = 1 << 20
"""Of one write that failed: a library may read its own small records again, never a whole tensor."""


class StagedFile(io.RawIOBase):
    """A new file, written and read where the position is. It takes all bytes of a write or raises `OSError`."""

    def __init__(self, path: str, fs: FileSystem) -> None:
        super().__init__()
        self._fs = fs
        self._position = 0
        self._size = 0
        self._descriptor = -1
        self._descriptor = fs.open(path, _NEW_FILE)

    def readable(self) -> bool:
        """It is."""
        return True

    def writable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move the position, and return it."""
        self._position = offset + (0, self._position, self._size)[whence]
        return self._position

    def write(self, data: Buffer, /) -> int:
        """Write all of `data`; the number of its bytes."""
        view = memoryview(data).cast("B")
        self._fs.pwrite_all(self._descriptor, view, self._position)
        return self._moved(len(view))

    def readinto(self, buffer: Buffer, /) -> int:
        """Fill `buffer` as far as the file goes; the number of bytes."""
        found = self._fs.preadv(self._descriptor, memoryview(buffer).cast("B"), self._position)
        self._position += found
        return found

    def truncate(self, size: int | None = None, /) -> int:
        """Make the file `size` bytes long, or as long as the position says."""
        self._size = self._position if size is None else size
        self._fs.truncate(self._descriptor, self._size)
        return self._size

    def close(self) -> None:
        """Close it."""
        descriptor, self._descriptor = self._descriptor, -1
        super().close()
        if descriptor >= 0:
            self._fs.close(descriptor)

    def _moved(self, size: int) -> int:
        self._position += size
        self._size = max(self._size, self._position)
        return size


class PatientFile(StagedFile):
    """A staged file on which nothing fails while it is open: what went wrong first is in `failure`, and nothing is written after it.

    For libhdf5, which reads memory that it has freed when a write fails and the file is closed after that.
    """

    def __init__(self, path: str, fs: FileSystem) -> None:
        self.failure: BaseException | None = None
        self._kept: list[tuple[int, bytes]] = []
        super().__init__(path, fs)

    def write(self, data: Buffer, /) -> int:
        """As if all of `data` were written."""
        view = memoryview(data).cast("B")
        if self._done(lambda: self._fs.pwrite_all(self._descriptor, view, self._position)) is False and len(view) <= _KEPT_BYTES:
            self._kept.append((self._position, bytes(view)))
        return self._moved(len(view))

    def readinto(self, buffer: Buffer, /) -> int:
        """Fill `buffer`, after a failure with what was said to be written there."""
        view = memoryview(buffer).cast("B")
        start, end = self._position, min(self._position + len(view), self._size)
        view[:] = bytes(len(view))
        self._done(lambda: self._fs.preadv(self._descriptor, view, start), even_then=True)
        for offset, kept in self._kept:
            first, last = max(start, offset), min(end, offset + len(kept))
            if first < last:
                view[first - start : last - start] = kept[first - offset : last - offset]
        self._position = max(start, end)
        return self._position - start

    def truncate(self, size: int | None = None, /) -> int:
        """As if the file had the size."""
        self._size = self._position if size is None else size
        self._done(lambda: self._fs.truncate(self._descriptor, self._size))
        return self._size

    def _done(self, act: Callable[[], object], *, even_then: bool = False) -> bool:
        """Whether `act` went well; it is left undone after a failure."""
        if self.failure is None or even_then:
            try:
                act()
            except BaseException as error:  # noqa: BLE001 - an interrupt, too, is raised when the library is done
                self.failure = self.failure or error
        return self.failure is None
