"""Replaces a file in one step, so that who reads it, or interrupts, finds the whole old one or the whole new one."""

from __future__ import annotations

import os
from pathlib import Path


def replace(path: Path, content: str | bytes) -> None:
    """Write `content` to `path`, a text as UTF-8 as it is; a pipe or a device is written to.

    Raises:
        OSError: It could not be written; an old file is intact.
    """
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    target = path.resolve()  # a link goes on leading where it leads
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        beside.write_bytes(data)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
