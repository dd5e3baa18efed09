"""Fails the system calls of a save themselves, one after the other, with strace: what does not go through the object of the save is met here.

A child that has everything imported is stopped before it saves, strace is attached to it, and it is let go: so the n-th call of a kind is
the n-th of the save.
"""

from __future__ import annotations

import mmap
import os
import re
import select
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from faults.trials import Bench, Tally, judged, scratch
from faults.writers import NEW, Writer
from triptych.errors import SaveError, UsageError

CALLS = (
    "open", "openat", "creat", "write", "writev", "pwrite64", "pwritev", "pwritev2", "fsync", "fdatasync", "sync_file_range", "fallocate", "ftruncate",
    "truncate", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "close",
    "flock", "fchmod", "chmod", "fchmodat", "sendfile", "copy_file_range", "getdents64", "lseek", "pread64", "preadv", "read", "stat", "lstat", "fstat",
    "newfstatat", "statfs", "fstatfs",
)  # fmt: skip
"""Calls that reach a file system. Memory is not among them: a save maps no file for writing."""
WRITING = ("write", "writev", "pwrite64", "pwritev", "fallocate", "ftruncate", "mkdir", "mkdirat", "openat")
"""What a full disk refuses."""
_MESSAGE_BYTES = 4096
_SECONDS = 60
"""How long a save may wait. strace fails a `close` by not making the call, which no system does: a lock stays with who closed it, and the next wait for it,
in the same save, has no end. Such a save is ended, and what stands there then is judged like after any kill."""
_CALL = re.compile(r"^(\d+) +(\w+)\(")
RETURNED, FAILED, STOPPED, UNDECLARED = 0, 1, 2, 3


def exhaust_calls(writer: Writer) -> Tally:
    """The writer's save with each of its system calls failed, and with the process killed at each; files of before stand there where it replaces.

    Raises:
        UsageError: strace is not there or may not trace.
    """
    if shutil.which("strace") is None:
        raise UsageError("expected strace on this machine (Debian's package of that name) to fail system calls, got none")
    tally = Tally(writer.name)
    with scratch() as folder, mmap.mmap(-1, _MESSAGE_BYTES) as message:
        bench = Bench(writer, folder)
        log = folder / "calls"
        bench.restore()
        status, text = _saved(bench, message, ["-e", f"trace={','.join(f'?{one}' for one in CALLS)}"], log)
        if status != RETURNED or bench.state() != "new":
            raise UsageError(f"expected {writer.name} to be saved under strace, got {status}, {text}, {bench.state()}")
        counts = _counted(log)
        tally.operations = sum(counts.values())
        for name, fault, at in _faults(counts):
            bench.restore()
            status, text = _saved(bench, message, ["-e", f"trace={name}", "-e", f"inject={name}:{fault}:when={at}"], log)
            outcome, error = _outcome(status, text)
            judged(bench, outcome, error, tally, f"system calls, {name} number {at} of {counts[name]}, {fault}", cleaning=_cleans(name))
    return tally


def _faults(counts: Counter[str]) -> Iterator[tuple[str, str, int]]:
    for name, count in counts.items():
        for at in range(1, count + 1):
            yield name, "error=EIO", at
            yield name, "signal=SIGKILL", at
            if name in WRITING:
                yield name, "error=ENOSPC", at


def _cleans(name: str) -> bool:
    """Whether a private folder may be left when this call fails, since it is one of those that remove it."""
    return name in ("unlink", "unlinkat", "rmdir", "getdents64", "stat", "lstat", "fstat", "newfstatat", "openat", "close", "renameat2", "rename")


def _counted(log: Path) -> Counter[str]:
    """How often the process that saved made each call; its threads compute digests and make none."""
    lines = [match for match in map(_CALL.match, log.read_text().splitlines()) if match]
    first = lines[0][1]
    return Counter(match[2] for match in lines if match[1] == first)


def _outcome(status: int, text: str) -> tuple[str, BaseException | None]:
    if os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == STOPPED:
        return "stopped", None
    code = os.waitstatus_to_exitcode(status)
    if code == RETURNED:
        return "returned", None
    return ("failed" if code == FAILED else "undeclared"), SaveError(None, text)


def _saved(bench: Bench, message: mmap.mmap, options: list[str], log: Path) -> tuple[int, str]:
    """Save in a child under strace with `options`: its status, and what its error said."""
    message[:] = bytes(_MESSAGE_BYTES)
    log.unlink(missing_ok=True)
    wait, go = os.pipe()
    child = os.fork()
    if child == 0:
        _child(bench, message, wait)
    tracer = subprocess.Popen(["/usr/bin/env", "strace", "-f", "-p", str(child), "-o", str(log), *options], stderr=subprocess.PIPE, text=True)  # noqa: S603 - words of this module
    try:
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        if "attached" not in said:
            raise UsageError(f"expected strace to trace a child, got {said.strip()!r}")
        os.write(go, b".")
        _, status = os.waitpid(child, 0)
        child = 0
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(wait)
        os.close(go)
        tracer.communicate()
    return status, bytes(message).rstrip(b"\0").decode(errors="replace")


def _child(bench: Bench, message: mmap.mmap, wait: int) -> None:
    """Wait to be let go, save, and leave; what went wrong is left in memory, so that saying it takes no call."""
    code = UNDECLARED
    signal.alarm(_SECONDS)
    try:
        select.select([wait], [], [])  # a call that is not among those that are failed
        bench.writer.save(bench.place, NEW)
        code = RETURNED
    except SaveError as error:
        code = FAILED
        _say(message, error)
    except KeyboardInterrupt:
        code = STOPPED
    except BaseException as error:  # noqa: BLE001 - said in the report
        _say(message, error)
    finally:
        os._exit(code)


def _say(message: mmap.mmap, error: BaseException) -> None:
    text = f"{type(error).__name__}: {error}".encode()[:_MESSAGE_BYTES]
    message[: len(text)] = text


