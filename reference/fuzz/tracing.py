"""Which lines of the reference an execution passes, and in which order: what inputs are chosen by, and what coverage is counted in."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import triptych

_ROOT = str(Path(triptych.__path__[0])) + os.sep
Edge = tuple[CodeType, int, int]
"""From a line to a line of one function."""


def edges_of(run: Callable[[], object]) -> frozenset[Edge]:
    """The edges that `run` passes in the reference."""
    found: set[Edge] = set()
    before: dict[int, int] = {}

    def local(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            key = id(frame)
            found.add((frame.f_code, before.get(key, 0), frame.f_lineno))
            before[key] = frame.f_lineno
        elif event == "return":
            before.pop(id(frame), None)
        return local

    def entered(frame: FrameType, _event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(_ROOT):
            return None
        before[id(frame)] = 0
        return local

    earlier = sys.gettrace()
    sys.settrace(entered)
    try:
        run()
    finally:
        sys.settrace(earlier)
    return frozenset(found)


def functions_of(run: Callable[[], object]) -> set[tuple[str, str]]:
    """The functions of the reference that `run` calls: module's file below the package, and name; much faster than `edges_of`."""
    codes: set[CodeType] = set()

    def entered(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            codes.add(frame.f_code)

    earlier = sys.getprofile()
    sys.setprofile(entered)
    try:
        run()
    finally:
        sys.setprofile(earlier)
    return {(code.co_filename.removeprefix(_ROOT), code.co_name) for code in codes if code.co_filename.startswith(_ROOT)}


def lines_of(path: str) -> set[int]:
    """The lines of a file that hold code inside functions, by what Python compiles of it."""
    found: set[int] = set()
    pending: list[CodeType] = [compile(Path(path).read_text(), path, "exec")]
    while pending:
        code = pending.pop()
        pending += [one for one in code.co_consts if isinstance(one, CodeType)]
        if code.co_flags & 2:  # the code of a function, which has its own locals
            found.update(line for _, _, line in code.co_lines() if line is not None and line != code.co_firstlineno)
    return found
