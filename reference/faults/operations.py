"""A file system on which chosen operations go wrong, and which every writer uses while it is installed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from triptych.package import FileSystem

ERRORS = ("EIO", "ENOSPC", "EDQUOT", "EFBIG", "EINTR", "EAGAIN", "EROFS", "ESTALE")
"""What the system may say instead of doing an operation."""
LATE = "EIO afterwards"
"""It was done all the same."""
GONE = "EIO from here on"
"""The disk is gone: this operation and all that follow fail."""
SHORT = "short write"
BEFORE, AFTER = "crash before", "crash after"
INTERRUPT = "interrupt"
"""``KeyboardInterrupt``, after the operation."""
FAULTS = (*ERRORS, LATE, GONE, SHORT, BEFORE, AFTER, INTERRUPT)

LACKING: Mapping[str, tuple[str, ...]] = {
    "nothing": (),
    "no exchange": ("exchange",),
    "plain renames": ("exchange", "rename_new"),
    "no locks": ("lock",),
    "no allocation": ("allocate", "start_writeback"),
    "no links": ("link",),
}
"""What file systems there are without."""
WRITING = ("writev", "pwrite")


class Crash(BaseException):
    """The process is gone: nothing it would still do happens."""


class Faulty(FileSystem):
    """A file system on which the operation number `at` goes wrong in one way; operations are counted from 0 and noted in `log`.

    `fault` is one of `FAULTS` or an error number. `more` are operations that go wrong after that one: number -> fault.
    """

    def __init__(self, at: int = -1, fault: str | int = "", *, lacking: tuple[str, ...] = (), more: Mapping[int, str | int] | None = None) -> None:
        self.plan: dict[int, str | int] = {at: fault, **(more or {})}
        self.lacking = lacking
        self.log: list[tuple[str, Any, tuple[Any, ...]]] = []
        """Name, path (of the open file where it is one) and further arguments of each operation."""
        self.descriptors: dict[int, str] = {}
        self.dead = False
        self.gone = False

    def abandon(self) -> None:
        """What the kernel does for a dead process."""
        for descriptor in list(self.descriptors):
            os.close(descriptor)
        self.descriptors.clear()

    def _do(self, name: str, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        if self.dead:
            raise Crash(name)
        fault = self.plan.get(len(self.log), "")
        first = arguments[0] if arguments else None
        self.log.append((name, self.descriptors.get(first, first) if isinstance(first, int) else first, arguments[1:]))
        if name in self.lacking:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self.gone = self.gone or fault == GONE
        number = errno.EIO if self.gone or fault == LATE else fault if isinstance(fault, int) else getattr(errno, fault, 0) if fault else 0
        if fault == BEFORE:
            self.dead = True
            raise Crash(name)
        late = fault == LATE or name == "close"  # a descriptor is free even when its close fails
        if number and not late:
            raise OSError(number, os.strerror(number))
        if name == "fsync":
            result = None  # nothing here cuts the power, and the disk is slow
        elif fault == SHORT and name in WRITING:
            result = _half(name, arguments)
        else:
            result = _PLAIN[name](self, *arguments, **options)
        if name == "open":
            if number:
                os.close(result)
            else:
                self.descriptors[result] = str(first)
        if name == "close":
            self.descriptors.pop(arguments[0], None)
        if number:
            raise OSError(number, os.strerror(number))
        if fault == AFTER:
            self.dead = True
            raise Crash(name)
        if fault == INTERRUPT:
            raise KeyboardInterrupt
        return result


def _half(name: str, arguments: tuple[Any, ...]) -> int:
    if name == "pwrite":
        descriptor, data, offset = arguments
        return os.pwrite(descriptor, data[: max(1, len(data) // 2)], offset)
    descriptor, views = arguments
    joined = b"".join(views)
    return os.write(descriptor, joined[: max(1, len(joined) // 2)])


def _operation(name: str) -> Any:
    def operation(self: Faulty, *arguments: Any, **options: Any) -> Any:
        return self._do(name, arguments, options)

    return operation


_PLAIN = {name: getattr(FileSystem, name) for name in FileSystem.OPERATIONS}
for _name in FileSystem.OPERATIONS:
    setattr(Faulty, _name, _operation(_name))


@contextmanager
def everywhere(fs: FileSystem) -> Iterator[None]:
    """Have every writer use `fs`, also one that makes a `FileSystem` of its own."""
    def through(name: str) -> Any:
        return lambda _, *arguments, **options: getattr(fs, name)(*arguments, **options)

    for name in FileSystem.OPERATIONS:
        setattr(FileSystem, name, through(name))
    try:
        yield
    finally:
        for name, plain in _PLAIN.items():
            setattr(FileSystem, name, plain)
