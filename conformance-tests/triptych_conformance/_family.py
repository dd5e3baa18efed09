"""A process that is ended with all that it started: what a wrapper's child does on would take the time of the next case, and hold its files."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO, Any

GROUPS = hasattr(os, "killpg")
"""Whether the system keeps processes together by groups; Windows does by jobs."""
TERMINATE, SET_QUOTA = 0x0001, 0x0100
"""What a process has to be opened for, so that it can be put into a job."""


class Family:
    """A process, in `process`, and its descendants."""

    def __init__(self, command: Sequence[str], *, log: IO[bytes], environment: Mapping[str, str]) -> None:
        """Starts `command`, which writes its standard error to `log`.

        Raises:
            OSError: It cannot be started.
        """
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment, process_group=0 if GROUPS else None
        )
        self._job = None if GROUPS else _Job.of(self.process.pid)

    def kill(self) -> None:
        """Ends all of them at once; any thread may, also while another waits for an answer."""
        if GROUPS:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses what has ended
                os.killpg(self.process.pid, signal.SIGKILL)
        elif self._job is not None:
            self._job.end()
        self.process.kill()

    def forget(self) -> None:
        """Gives back what the system keeps for a family that has ended."""
        if self._job is not None:
            self._job.close()
            self._job = None


class _Job:
    """A job of Windows: what a process in it starts is in it, too."""

    def __init__(self, kernel: Any, job: Any) -> None:
        self._kernel, self._job = kernel, job

    @classmethod
    def of(cls, process: int) -> _Job | None:
        """A new job with `process` in it, or None where there are no jobs."""
        try:
            import ctypes
        except ImportError:
            return None
        library = getattr(ctypes, "WinDLL", None)
        if library is None:
            return None
        kernel = library("kernel32")
        kernel.CreateJobObjectW.restype = kernel.OpenProcess.restype = ctypes.c_void_p
        job, opened = kernel.CreateJobObjectW(None, None), kernel.OpenProcess(TERMINATE | SET_QUOTA, 0, process)
        made = cls(kernel, ctypes.c_void_p(job))
        taken = kernel.AssignProcessToJobObject(ctypes.c_void_p(job), ctypes.c_void_p(opened))
        kernel.CloseHandle(ctypes.c_void_p(opened))
        return made if taken else None

    def end(self) -> None:
        """Ends every process in it."""
        self._kernel.TerminateJobObject(self._job, 1)

    def close(self) -> None:
        """Gives it back; processes that are in it go on."""
        self._kernel.CloseHandle(self._job)
