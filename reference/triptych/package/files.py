"""Every operation of a save on the file system, as the methods of one object: a test fails each of them in turn.

The methods do one system call each and decide nothing. What the platform lacks is said by an `OSError` with errno ENOSYS,
so that the save protocol takes the same way round it as on a file system that lacks it.
"""

# ruff: noqa: PTH102, PTH104, PTH106, PTH108, PTH118, PTH208 - plain strings, each handed to the system as it is

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2
_AT_FDCWD = -100
_SYNC_FILE_RANGE_WRITE = 2
IOV_MAX = 1024
"""Buffers of one `FileSystem.writev`; what Linux and macOS allow."""


class FileSystem:
    """The file operations of a save. Every method raises `OSError`, and nothing else, when it fails."""

    OPERATIONS = (
        "open", "writev", "pwrite", "preadv", "truncate", "allocate", "start_writeback", "fsync", "close", "lock", "chmod", "mkdir", "rename",
        "rename_new", "exchange", "link", "unlink", "rmdir", "listdir", "lstat", "fstat", "free_bytes",
    )  # fmt: skip
    """Names of the methods that reach the operating system."""

    def open(self, path: str, flags: int, mode: int = 0o666) -> int:
        """A descriptor of `path`; never inherited by a program that is started later."""
        return os.open(path, flags | os.O_CLOEXEC, mode)

    def writev(self, descriptor: int, views: Sequence[memoryview]) -> int:
        """Append up to `IOV_MAX` `views`; the number of bytes that the system took, which may be fewer."""
        return os.writev(descriptor, views)

    def pwrite(self, descriptor: int, data: bytes | memoryview, offset: int) -> int:
        """Write `data` at `offset` without moving the position; the number of bytes taken."""
        return os.pwrite(descriptor, data, offset)

    def preadv(self, descriptor: int, view: memoryview, offset: int) -> int:
        """Fill `view` with what stands from `offset` on; the number of bytes that there were."""
        return os.preadv(descriptor, [view], offset)

    def truncate(self, descriptor: int, size: int) -> None:
        """Make an open file `size` bytes long; what is added is zeros."""
        os.ftruncate(descriptor, size)

    def allocate(self, descriptor: int, size: int) -> None:
        """Reserve `size` bytes, so that a full disk is met before anything is written."""
        if not hasattr(os, "posix_fallocate"):
            raise OSError(errno.ENOSYS, "posix_fallocate")
        os.posix_fallocate(descriptor, 0, size)

    def start_writeback(self, descriptor: int, offset: int, size: int) -> None:
        """Have the disk begin with these bytes while the next ones are computed."""
        from ctypes import c_int64

        function = _libc("sync_file_range")
        if function(descriptor, c_int64(offset), c_int64(size), _SYNC_FILE_RANGE_WRITE):
            raise _error()

    def fsync(self, descriptor: int) -> None:
        """Make a file's content, or a folder's entries, durable."""
        if sys.platform == "darwin":
            import fcntl

            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close; a network file system may report a failed write only here."""
        os.close(descriptor)

    def lock(self, descriptor: int, *, wait: bool) -> bool:
        """Hold the advisory lock of an open file until it is closed or this process dies; False where somebody else holds it."""
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def chmod(self, descriptor: int, mode: int) -> None:
        """Set the permission bits of an open file."""
        os.fchmod(descriptor, mode)

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        """Make one folder."""
        os.mkdir(path, mode)

    def rename(self, source: str, target: str) -> None:
        """Give `source` the name `target`, in one step; a file of that name is replaced."""
        os.rename(source, target)

    def rename_new(self, source: str, target: str) -> None:
        """Give `source` the name `target` if nothing has it, in one step."""
        _rename(source, target, RENAME_NOREPLACE)

    def exchange(self, first: str, second: str) -> None:
        """Swap what two names stand for, in one step."""
        _rename(first, second, RENAME_EXCHANGE)

    def link(self, source: str, name: str) -> None:
        """Give the file `source` another name, which nothing may have; of a symbolic link, the link itself."""
        os.link(source, name, follow_symlinks=False)

    def unlink(self, path: str) -> None:
        """Remove the name of a file."""
        os.unlink(path)

    def rmdir(self, path: str) -> None:
        """Remove an empty folder."""
        os.rmdir(path)

    def listdir(self, path: str) -> list[str]:
        """Names in a folder."""
        return os.listdir(path)

    def lstat(self, path: str) -> os.stat_result:
        """What stands at `path`; a symbolic link itself."""
        return os.lstat(path)

    def fstat(self, descriptor: int) -> os.stat_result:
        """What an open descriptor stands for."""
        return os.fstat(descriptor)

    def free_bytes(self, path: str) -> int:
        """Bytes that this user may still write on the file system that holds `path`."""
        facts = os.statvfs(path)
        return facts.f_bavail * facts.f_frsize

    # --- made of the operations above

    def write_all(self, descriptor: int, views: Sequence[memoryview]) -> int:
        """Append all of `views`, however many calls that takes; the number of bytes."""
        total = 0
        pending = [view for view in views if len(view)]
        while pending:
            taken = self.writev(descriptor, pending[:IOV_MAX])
            if taken <= 0:
                raise OSError(errno.EIO, "the file system took no byte")
            total += taken
            done = 0
            while done < len(pending) and taken >= len(pending[done]):
                taken -= len(pending[done])
                done += 1
            del pending[:done]
            if taken:
                pending[0] = pending[0][taken:]
        return total

    def pwrite_all(self, descriptor: int, data: bytes | memoryview, offset: int) -> None:
        """Write all of `data` at `offset`."""
        while data:
            taken = self.pwrite(descriptor, data, offset)
            if taken <= 0:
                raise OSError(errno.EIO, "the file system took no byte")
            data, offset = data[taken:], offset + taken

    def remove_tree(self, path: str) -> None:
        """Remove a file, or a folder and what is in it; what somebody else removes meanwhile is no error, links are not followed."""
        try:
            is_folder = stat.S_ISDIR(self.lstat(path).st_mode)
            if is_folder:
                for name in self.listdir(path):
                    self.remove_tree(os.path.join(path, name))
                self.rmdir(path)
            else:
                self.unlink(path)
        except FileNotFoundError:
            return


def _error(*paths: str) -> OSError:
    """What the C library's last call failed with."""
    from ctypes import get_errno

    number = get_errno()
    return OSError(number, os.strerror(number), *([paths[0], None, paths[1]] if paths else []))


@cache
def _libc(name: str) -> Any:
    """The function `name` of the C library, which Python has no word for."""
    if sys.platform == "linux":
        from ctypes import CDLL

        function = getattr(CDLL(None, use_errno=True), name, None)
        if function is not None:
            return function
    raise OSError(errno.ENOSYS, name)


def _rename(source: str, target: str, flags: int) -> None:
    from ctypes import c_uint

    function = _libc("renameat2")
    if function(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), c_uint(flags)):
        raise _error(source, target)
