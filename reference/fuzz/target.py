"""What a target is: a parser, the errors that it declares, how its input is changed, and who else judges what it accepts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from triptych.errors import InvalidModelError, UnsupportedError

Mutator = Callable[[bytes, Random], bytes]
"""Called with an input and where chance comes from: another input that is like it."""
Prepare = Callable[[bytes, Path], Any]
"""Called with an input and an empty folder: what the parser is given, a path where it wants one."""
Judge = Callable[[bytes, Any, Any], None]
"""Called with an input, what the parser was given and what it made of it: raises `Disagreement` where another reader says otherwise."""

READ = (InvalidModelError, UnsupportedError)
MISSING = (*READ, FileNotFoundError, IsADirectoryError)
"""The same, and that a file of several is not there or is a folder: those errors are the file system's own."""


class Disagreement(AssertionError):  # noqa: N818 - says what it is
    """Another reader of the same format makes something else of an input that our parser accepts."""


def in_memory(data: bytes, _: Path) -> memoryview:
    """The input as it is, for parsers of bytes."""
    return memoryview(data)


@dataclass(frozen=True, slots=True)
class Target:
    """One parser under test."""

    name: str
    """Also of its folder in ``corpus/``."""
    parse: Callable[[Any], Any]
    """Reads what `prepare` made, all of it: lazily read tensors too."""
    mutate: Mutator
    prepare: Prepare = in_memory
    declared: tuple[type[Exception], ...] = READ
    """The errors that the parser may raise; any other is a finding."""
    judge: Judge | None = None
    judge_long: Judge | None = None
    """A judge too heavy for every run: only asked where ``--judges`` says so."""
    layouts: tuple[str, ...] = ()
    """The layouts of `triptych.layouts.LAYOUTS` whose reader this is."""
    short: int = 1000
    """Executions of the run that the tests make: about a second."""
    longest: int = 1 << 16
    """Bytes; mutations do not grow beyond it."""
    native: bool = False
    """Whether a library in C parses the bytes, so that a fault may end the process."""
