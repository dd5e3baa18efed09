"""One execution: an input goes to a parser, under guard, and what must not happen becomes a finding."""

from __future__ import annotations

import gc
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from fuzz import preloading
from fuzz.guard import Forbidden, Guard
from fuzz.target import Target, in_memory
from triptych.errors import MESSAGE_LIMIT, TriptychError, registry

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

SECONDS = 5.0
"""Processor time that one execution may take."""
BYTES = 64 << 20
BYTES_PER_BYTE = 20
"""An execution may raise the peak of memory by `BYTES`, and by so many for each byte of input."""
MOST_BYTES = 4 << 30
"""That this process may ask for beyond what it has, where the system keeps count: an execution that wants everything gets an error, and the machine goes on."""
_COUNTED_LATE = 1 << 20
"""Bytes that the system may not have counted yet."""
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of ours is made in it


class TooSlow(BaseException):
    """The time of an execution is over."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that an execution did and must not do."""

    target: str
    kind: str
    """The class of the error, and where it came from: two findings of one kind are one fault."""
    text: str
    data: bytes


class Executor:
    """Runs inputs of one target, one after the other."""

    def __init__(self, target: Target, *, long_judges: bool = False) -> None:
        preloading.preload()
        gc.collect()
        gc.freeze()  # what was imported stays: no need to look through it for cycles while executions make garbage
        self.target = target
        self.executions = 0
        self.accepted = 0
        self.slowest = 0.0
        self._judges = [judge for judge in (target.judge, target.judge_long if long_judges else None) if judge is not None]
        self._scratch = Path(tempfile.mkdtemp(prefix="fuzz-", dir=_SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None))
        self._guard = _guard()
        self._guard.scratch(self._scratch)
        self._place = self._scratch / "input"
        self._place.mkdir()
        self._peak_bytes = _cheapest_peak()
        _bound_memory()
        signal.signal(signal.SIGVTALRM, _over)

    def close(self) -> None:
        """Remove what executions left."""
        shutil.rmtree(self._scratch, ignore_errors=True)

    def run(self, data: bytes) -> Finding | None:
        """What is wrong with how the parser takes `data`; None if nothing is."""
        self.executions += 1
        if self.target.prepare is in_memory:
            return self._run(data, memoryview(data))
        try:
            return self._run(data, self.target.prepare(data, self._place))
        finally:
            self._clear()

    def _clear(self) -> None:
        """Remove the files of an input; new ones are made for the next, since tensors may still be views on these."""
        with os.scandir(self._place) as entries:
            found = [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for path, is_folder in found:
            if is_folder:
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)  # noqa: PTH108 - a Path for each would take longer than the removal

    def _run(self, data: bytes, subject: Any) -> Finding | None:
        peak, began = self._peak_bytes(), time.process_time()
        accepted, result = False, None
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
            try:
                with self._guard.watching(), warnings.catch_warnings():
                    warnings.simplefilter("error")
                    warnings.filterwarnings("ignore", category=UserWarning, module=r"triptych\.")  # what a reader tells people
                    result = self.target.parse(subject)
                accepted = True
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        except self.target.declared as error:
            if (fault := _fault_of_error(error)) is not None:
                return Finding(self.target.name, f"error that says {fault}", f"{type(error).__name__}: {str(error)[:500]}", data)
        except (Exception, Forbidden, TooSlow) as error:  # noqa: BLE001 - each of them is a finding
            return self._finding(error, data)
        taken = time.process_time() - began
        self.slowest = max(self.slowest, taken)
        if self._guard.events:
            return Finding(self.target.name, f"forbidden: {self._guard.events[0]}", self._guard.events[0], data)
        if taken > SECONDS:
            return Finding(self.target.name, "slow", f"took {taken:.1f} s", data)
        if (grown := self._peak_bytes() - peak) > BYTES + BYTES_PER_BYTE * len(data):
            return Finding(self.target.name, "memory", f"raised the peak of memory by {grown:,} bytes for an input of {len(data):,}", data)
        if accepted:
            self.accepted += 1
            try:
                for judge in self._judges:
                    judge(data, subject, result)
            except Exception as error:  # noqa: BLE001 - a judge that stumbles says no
                return self._finding(error, data)
        return None

    def _finding(self, error: BaseException, data: bytes) -> Finding:
        where = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in where if f"{os.sep}triptych{os.sep}" in frame.filename] or where
        last = ours[-1]
        kind = f"{type(error).__name__} in {Path(last.filename).stem}.{last.name}"
        return Finding(self.target.name, kind, "".join(traceback.format_exception(error, limit=-8))[-4000:], data)


def _fault_of_error(error: Exception) -> str | None:
    """What is wrong with a declared error itself; None if nothing is."""
    if not isinstance(error, TriptychError):
        return None
    for one in getattr(error, "problems", ()):
        if one.code not in registry():
            return f"the unknown code {one.code}"
        if len(one.message) > MESSAGE_LIMIT:
            return "more than a message may"
    return None


_state: list[Guard] = []


def _guard() -> Guard:
    """The guard of this process: a hook cannot be taken back."""
    if not _state:
        _state.append(Guard())
    return _state[0]


def _over(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlow(f"expected at most {SECONDS:g} s of processor time")


def _status() -> int | None:
    """The system's account of this process, opened once, before anybody watches what is opened."""
    with suppress(OSError):
        return os.open("/proc/self/status", os.O_RDONLY | os.O_CLOEXEC)
    return None


_STATUS = _status()


def peak_bytes() -> int:
    """The most memory that this process has had; not that of the process which started it, as `getrusage` on Linux would have it."""
    return _said(b"VmHWM") or _peak_of_family()


def _said(what: bytes) -> int:
    """A number of bytes in the system's account of this process; 0 where there is none."""
    found = None if _STATUS is None else re.search(what + rb":\s*(\d+)", os.pread(_STATUS, 4096, 0))
    return int(found[1]) << 10 if found else 0


def _peak_of_family() -> int:
    """The most memory that this process has had, or on Linux the one that started it: a number of the system's, where the other is a text."""
    if resource is None:
        return 0
    most: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most << 10


def _cheapest_peak() -> Callable[[], int]:
    """`_peak_of_family` where this process has come to have more than the one that started it had, and its peak is the family's for good."""
    return _peak_of_family if abs(_peak_of_family() - peak_bytes()) < _COUNTED_LATE else peak_bytes


def _bound_memory() -> None:
    """Let the system refuse more than `MOST_BYTES` of memory that is nobody's file."""
    if resource is not None and (has := _said(b"VmData")):
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = has + MOST_BYTES
        resource.setrlimit(resource.RLIMIT_DATA, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
