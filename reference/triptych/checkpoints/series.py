"""The folder of a checkpoint series: adds a checkpoint, then says so, then lets go of old ones, in this order whatever happens.

At any instant the state file names complete checkpoints only. A process that dies between two steps leaves at most a
complete checkpoint that nothing names, or one that is on the list of those to be removed; the next save goes on from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import isfinite
from os import PathLike, fspath
from pathlib import Path
from typing import Literal, TypeVar

from triptych.checkpoints.state import STATE, Checkpoint, State, from_bytes, to_text
from triptych.errors import SaveError, UsageError, shorten
from triptych.layouts.problems import invalid
from triptych.package.atomic import make_folders, sweep, target_of, write_file
from triptych.package.files import FileSystem

T = TypeVar("T")
_LITTER = re.compile(r"\.(step-.*)\.[0-9a-f]{32}\.tmp")


@dataclass(slots=True)
class Series:
    """A folder in which one process at a time saves checkpoints."""

    folder: Path
    metric: str | None = None
    """The metric that decides which checkpoint is the best."""
    mode: Literal["min", "max"] = "min"
    keep_last: int | None = None
    """How many of those saved last stay; None: all, unless `keep_best` says otherwise."""
    keep_best: int | None = None
    """How many of the best stay beside them; None: one, where there is a metric."""
    fs: FileSystem = field(default_factory=FileSystem)

    def __post_init__(self) -> None:
        for word in ("keep_last", "keep_best"):
            value = getattr(self, word)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise UsageError(f"expected {word} to be an integer from 1, got {shorten(value)}")
        if self.keep_best is not None and self.metric is None:
            raise UsageError("expected a metric to know the best by, got none")

    def state(self) -> State:
        """What the folder holds so far, judged by the metric of this series; empty where there is none yet.

        Raises:
            InvalidModelError: Its state file is damaged.
        """
        try:
            known = from_bytes((self.folder / STATE).read_bytes())
        except FileNotFoundError:
            known = State()
        return known if self.metric is None else replace(known, metric=self.metric, mode=self.mode)

    def add(self, checkpoint: Checkpoint, write: Callable[[Path], T]) -> T:
        """Save one more checkpoint.

        Args:
            checkpoint: What is known of it; its name ends with the suffix to use and gets a number where it is taken.
            write: Called with the path to write to; it must not return before the model is complete and durable.

        Returns:
            What `write` returns.

        Raises:
            SaveError: The file system refused; every checkpoint that was there still is.
        """
        try:
            before = self.state()
        except OSError as error:
            place = fspath(self.folder / STATE)
            raise SaveError(error.errno, f"expected to read {place!r}, got: {error.strerror}; every checkpoint that was there still is") from error
        if not before.checkpoints:
            make_folders(self.folder, self.fs)
        self._sweep()
        checkpoint = replace(
            checkpoint,
            name=_free(checkpoint.name, {one.name for one in before.checkpoints} | set(before.retiring)),
            metrics={name: value for name, value in checkpoint.metrics.items() if isfinite(value)},
        )
        result = write(self.folder / checkpoint.name)
        after = replace(before, checkpoints=(*before.checkpoints, checkpoint))
        kept = self._kept(after)
        retired = [one.name for one in after.checkpoints if one not in kept]
        left = [name for name in before.retiring if (self.folder / name).exists()]
        after = replace(after, checkpoints=tuple(kept), retiring=(*left, *retired))
        self._write(after)
        for name in after.retiring:
            with suppress(OSError):  # it is on the list, and goes with the next save
                self.fs.remove_tree(fspath(self.folder / name))
        return result

    def _kept(self, state: State) -> list[Checkpoint]:
        """The checkpoints that stay: always the latest, and the best where there is a metric."""
        if self.keep_last is None and self.keep_best is None:
            return list(state.checkpoints)
        last = state.checkpoints[-(self.keep_last or 1) :]
        best = state.ranked()[: self.keep_best or 1]
        return [one for one in state.checkpoints if one in last or one in best]

    def _write(self, state: State) -> None:
        write_file(self.folder / STATE, to_text(state).encode(), self.fs)

    def _sweep(self) -> None:
        """Remove what saves that died left behind."""
        with suppress(OSError):  # it goes with the next save
            for name in self.fs.listdir(fspath(self.folder)):
                if match := _LITTER.fullmatch(name):
                    sweep(target_of(self.folder / match[1]), self.fs)


def _free(name: str, taken: set[str]) -> str:
    """`name`, or with a number before its suffix the first name that is not in `taken`."""
    stem, dot, suffix = name.partition(".")
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{stem}-{number}{dot}{suffix}"
    return candidate


def latest(path: str | PathLike[str]) -> Path:
    """The checkpoint of the series at `path` that was saved last.

    Raises:
        FileNotFoundError: There is no series.
        UsageError: It has no checkpoint.
        InvalidModelError: Its state file is damaged, or names what is not there.
    """
    folder = Path(path)
    return _standing(folder, _read(folder).latest, "a checkpoint")


def best(path: str | PathLike[str]) -> Path:
    """The checkpoint of the series at `path` with the best value of the metric it was saved with; raises what `latest` raises."""
    folder = Path(path)
    return _standing(folder, _read(folder).best, "a checkpoint with a value of a metric")


def _read(folder: Path) -> State:
    return from_bytes((folder / STATE).read_bytes())


def _standing(folder: Path, found: Checkpoint | None, wanted: str) -> Path:
    if found is None:
        raise UsageError(f"expected {wanted} in {shorten(str(folder))}, there is none yet")
    path = folder / found.name
    if not path.exists():
        raise invalid(STATE, f"expected {found.name!r}, which it names, to be there, found nothing")
    return path
