"""Talks to an adapter process: one JSON object a line there, one line back. Works wherever Python has threads and pipes."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

from triptych_conformance._advice import advice
from triptych_conformance._family import Family

Json = Any
Transcript = Callable[[str, bytes], None]
"""Is told each line as it passes: "→" to the adapter, "←" from it."""
PROTOCOL = 1
START_SECONDS = 60.0
"""Limit of the answer to `start`, apart from that of a case: interpreters and virtual machines start slowly."""
CASE_SECONDS = 10.0
STOP_SECONDS = 5.0
LINE_BYTES = 64 << 20
"""Longest answer."""
LOG_BYTES = 4000
"""How much of the standard error is kept with a failing case: the end of what was written since the case was asked."""


class AdapterError(Exception):
    """The adapter broke the protocol; it must be started again."""

    verdict = "protocol"


class AdapterEndedError(AdapterError):
    """The process ended before it answered."""

    verdict = "crash"


class AdapterTimeoutError(AdapterError):
    """No answer in time."""

    verdict = "timeout"


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _read_lines(stream: IO[bytes], lines: queue.Queue[bytes | None]) -> None:
    """Runs in a thread of its own, because a pipe cannot be waited for with a time limit on every system.

    The thread closes the pipe, too: whoever closes it while another reads waits for a child of the adapter that still holds it.
    """
    with contextlib.suppress(OSError, ValueError), stream:
        while line := stream.readline(LINE_BYTES):
            lines.put(line)
    lines.put(None)


class Adapter:
    """One adapter process, started at once; a context manager that ends it."""

    def __init__(
        self, command: Sequence[str], *, timeout: float = CASE_SECONDS, environment: Mapping[str, str] | None = None,
        transcript: Transcript | None = None,
    ) -> None:
        """Starts `command`.

        Raises:
            OSError: It cannot be started.
        """
        self._timeout, self._transcript = timeout, transcript
        self._answers = 0
        self._asked_at = 0
        """Size of the log when the last request was sent."""
        self._folder = tempfile.TemporaryDirectory(prefix="adapter-", ignore_cleanup_errors=True)
        self._log = Path(self._folder.name) / "stderr"
        program = shutil.which(command[0]) or command[0]  # on Windows, a name alone is also that of a script
        try:
            with self._log.open("wb") as log:
                self._family = Family([program, *command[1:]], log=log, environment={**os.environ, **(environment or {})})
        except OSError as error:
            self._folder.cleanup()
            said = f"cannot start {command[0]!r}: {error.strerror or error}; after -- stands the command of a program, such as python my_adapter.py"
            raise type(error)(error.errno, said) from error
        self._process = self._family.process
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=_read_lines, args=(self._process.stdout, self._lines), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or issubclass(kind, Exception):
            self.stop()
        else:  # Ctrl-C waits for nobody
            self.kill()

    def start(self, seconds: float = START_SECONDS) -> dict[str, Json]:
        """What the adapter says about itself.

        Raises:
            AdapterError: It does not say it in the words of the protocol.
        """
        return introduction(self.ask({"cmd": "start", "protocol": PROTOCOL}, seconds))

    def ask(self, request: Mapping[str, Json], timeout: float | None = None) -> dict[str, Json]:
        """The answer to `request`, any JSON object.

        Raises:
            AdapterError: There is none, not in time, or it is not JSON.
        """
        self.send(request)
        return self.receive(self._timeout if timeout is None else timeout)

    def send(self, request: Mapping[str, Json]) -> None:
        """Writes `request`.

        Raises:
            AdapterError: The process has ended.
        """
        assert self._process.stdin is not None
        line = json.dumps(request).encode() + b"\n"
        self._asked_at = self._log.stat().st_size
        self._note("→", line)
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except OSError as error:
            raise self._ended() from error

    def receive(self, seconds: float) -> dict[str, Json]:
        """The next line, any JSON object.

        Raises:
            AdapterError: There is none in so many seconds, or it is not JSON.
        """
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise AdapterTimeoutError(f"no answer in {seconds:g} s") from None
        if line is None:
            self._lines.put(None)
            raise self._ended()
        self._note("←", line)
        try:
            answer = json.loads(line.decode(), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise AdapterError(f"expected one line of JSON, got {short(line.decode(errors='replace').strip())}: {advice(line) or error}") from None
        if not isinstance(answer, dict):
            raise AdapterError(f"expected a JSON object, got {short(answer)}")
        self._answers += 1
        return answer

    def _note(self, direction: str, line: bytes) -> None:
        if self._transcript is not None:
            self._transcript(direction, line)

    def _ended(self) -> AdapterEndedError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        status = self._process.poll()
        ended = "closed its standard output" if status is None else f"ended with exit status {status}"
        early = self._answers and status in {None, 0}
        return AdapterEndedError(f"the adapter {ended} before it answered" + ("; it has to read on until its standard input ends" if early else ""))

    def finish(self, seconds: float = STOP_SECONDS) -> list[bytes]:
        """Ends the adapter's input and returns every line that it still writes, or has written unasked, in so many seconds."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        lines: list[bytes] = []
        with contextlib.suppress(queue.Empty):
            while (line := self._lines.get(timeout=seconds)) is not None:
                lines.append(line)
            self._lines.put(None)
        return lines

    @property
    def has_ended(self) -> bool:
        """Whether the process is over, or is within a second."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        return self._process.poll() is not None

    @property
    def log(self) -> str:
        """The end of what the adapter wrote to its standard error since it was asked last."""
        with self._log.open("rb") as file:
            file.seek(max(self._asked_at, self._log.stat().st_size - LOG_BYTES))
            return file.read().decode(errors="replace")

    def stop(self) -> str:
        """Ends the process and returns its `log`."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS if self._lines.empty() else 0)
        except subprocess.TimeoutExpired:
            return self.kill()
        return self._close()

    def kill(self) -> str:
        """Ends the process and what it started at once and returns its `log`."""
        self._family.kill()
        self._process.wait()
        return self._close()

    def interrupt(self) -> None:
        """Ends the process and what it started; a thread that waits for an answer learns it, and closes the adapter."""
        self._family.kill()

    def _close(self) -> str:
        if not self._log.exists():
            return ""
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        self._family.forget()
        log = self.log
        self._folder.cleanup()
        return log


def introduction(answer: dict[str, Json]) -> dict[str, Json]:
    """`answer`, which an adapter gave to `start`.

    Raises:
        AdapterError: It does not say what has to be said, in the words of the protocol.
    """
    if answer.get("protocol") != PROTOCOL:
        raise AdapterError(f'expected an answer to start with "protocol": {PROTOCOL}, got {short(answer)}')
    for member in ("name", "version", "language"):
        if not isinstance(answer.get(member), str):
            raise AdapterError(f"expected a string {member!r} in the answer to start, got {short(answer.get(member))}")
    for member in ("spec", "roles", "profiles"):
        value = answer.get(member)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise AdapterError(f"expected a list of strings {member!r} in the answer to start, got {short(value)}")
    return answer


def short(value: Json, limit: int = 200) -> str:
    """`value` for a message."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else text[: limit - 1] + "…"
