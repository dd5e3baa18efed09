"""What an execution may do to the machine: read its own input, and nothing else. Watched with Python's audit events."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from triptych import resources

_FORBIDDEN = frozenset({"import", "exec", "compile", "socket", "subprocess", "ctypes", "urllib", "pickle", "marshal", "shutil", "ftplib", "http", "code", "pty", "webbrowser"})
_FOLDERS_READ = frozenset({"os.listdir", "os.scandir", "os.walk", "os.fwalk"})
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_UNNAMED = getattr(os, "O_TMPFILE", 0) | os.O_EXCL
"""A member that is unpacked goes into a file without a name, or one that nobody else has: no file that was there before."""


_OWN = tuple(str(folder) + os.sep for folder in (resources.root() / "spec", resources.root() / "schemas", Path(resources.__file__).parent))
"""The reference's own tables of codes, schemas and operations, which it opens when it needs them."""
_LONGEST_EXPRESSION = 200


class Forbidden(BaseException):
    """Raised at once where an execution tries what it must not; no handler of ordinary errors holds it back."""


class Guard:
    """Notes every event that is not allowed while it watches, and stops it."""

    def __init__(self) -> None:
        self._scratch = ""
        self._watching = False
        self.events: list[str] = []
        sys.addaudithook(self._hook)

    def scratch(self, folder: Path) -> None:
        """Let what is in `folder` be read, and files without a name be there."""
        self._scratch = tempfile.tempdir = str(folder)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While a parser runs."""
        self.events.clear()
        self._watching = True
        try:
            yield
        finally:
            self._watching = False

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._watching:
            return
        if event == "open":
            allowed = self._may_open(*arguments)
        elif event == "compile":
            # `ast.parse`, which makes no code of a text: expressions of the vocabulary's own tables are parsed when they are first met.
            allowed = arguments[1] == "<unknown>" and len(arguments[0]) < _LONGEST_EXPRESSION
        elif event in _FOLDERS_READ:
            allowed = isinstance(arguments[0], int) or self._is_inside(arguments[0])
        else:
            family = event.partition(".")[0]
            allowed = family not in _FORBIDDEN and family != "os"
        if not allowed:
            self._watching = False
            self.events.append(f"{event}{arguments!r}"[:300])
            raise Forbidden(self.events[-1])

    def _may_open(self, path: Any, _mode: Any, flags: Any) -> bool:
        if isinstance(path, int):
            return True
        if path == self._scratch:
            return True  # a folder, which nobody can write into: it says where a file without a name shall be
        writes = isinstance(flags, int) and flags & _WRITES
        if writes and not flags & _UNNAMED:
            return False
        return self._is_inside(path) or (not writes and os.fsdecode(path).startswith(_OWN))

    def _is_inside(self, path: Any) -> bool:
        text = os.fsdecode(path)
        # Members of a folder are opened by name, relative to the folder that is held open.
        return ".." not in Path(text).parts and (not Path(text).is_absolute() or text == self._scratch or text.startswith(f"{self._scratch}{os.sep}"))
