"""One regular file mapped into memory: what is mapped stays readable when the file is replaced or removed."""

from __future__ import annotations

import mmap
import os
import stat
from pathlib import Path

from triptych.layouts.problems import invalid, truncated


def map_file(path: Path) -> memoryview:
    """The bytes of the file at `path`.

    Raises:
        InvalidModelError: There is none, or something else than a file.
        OSError: It cannot be read.
    """
    try:
        # O_NONBLOCK: a pipe in the place of a file is refused below instead of waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise truncated(path.name, f"expected a file {path.name!r} beside the others of its checkpoint, it is not there") from None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise invalid(path.name, "expected a regular file, got something else")
        return memoryview(mmap.mmap(descriptor, facts.st_size, access=mmap.ACCESS_READ)) if facts.st_size else memoryview(b"")
    finally:
        os.close(descriptor)
