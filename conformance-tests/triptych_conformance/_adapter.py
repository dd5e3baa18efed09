"""Talks to an adapter process: one JSON object a line there, one line back. Works wherever Python has threads and pipes."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from typing import IO, Any, Self

Json = Any
PROTOCOL = 1
START_SECONDS = 60.0
"""Limit of the answer to `start`, apart from that of a case: interpreters and virtual machines start slowly."""
CASE_SECONDS = 10.0
STOP_SECONDS = 5.0
LINE_BYTES = 64 << 20
"""Longest answer."""
LOG_BYTES = 4000
"""How much of the standard error is kept with a failing case."""


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
    """Runs in a thread of its own, because a pipe cannot be waited for with a time limit on every system."""
    with contextlib.suppress(OSError, ValueError):
        while line := stream.readline(LINE_BYTES):
            lines.put(line)
    lines.put(None)


class Adapter:
    """One adapter process, started at once; a context manager that ends it."""

    def __init__(self, command: Sequence[str], *, timeout: float = CASE_SECONDS, environment: Mapping[str, str] | None = None) -> None:
        """Starts `command`.

        Raises:
            OSError: It cannot be started.
        """
        self._timeout = timeout
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `stop`
        try:
            self._process = subprocess.Popen(
                list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, env={**os.environ, **(environment or {})}
            )
        except OSError:
            self._log.close()
            raise
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=_read_lines, args=(self._process.stdout, self._lines), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> dict[str, Json]:
        """What the adapter says about itself.

        Raises:
            AdapterError: It does not say it in the words of the protocol.
        """
        answer = self.ask({"cmd": "start", "protocol": PROTOCOL}, START_SECONDS)
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

    def ask(self, request: Mapping[str, Json], timeout: float | None = None) -> dict[str, Json]:
        """The answer to `request`, any JSON object.

        Raises:
            AdapterError: There is none, not in time, or it is not JSON.
        """
        seconds = self._timeout if timeout is None else timeout
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise AdapterEndedError("the adapter ended") from error
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise AdapterTimeoutError(f"no answer in {seconds:g} s") from None
        if line is None:
            raise AdapterEndedError("the adapter ended without an answer")
        try:
            answer = json.loads(line, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise AdapterError(f"expected one line of JSON, got {short(line.decode(errors='replace'))}: {error}") from None
        if not isinstance(answer, dict):
            raise AdapterError(f"expected a JSON object, got {short(answer)}")
        return answer

    def stop(self) -> str:
        """Ends the process and returns the end of its standard error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS if self._lines.empty() else 0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return self._close()

    def kill(self) -> str:
        """Ends the process at once and returns the end of its standard error."""
        self._process.kill()
        self._process.wait()
        return self._close()

    def _close(self) -> str:
        if self._log.closed:
            return ""
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, self._log.tell() - LOG_BYTES))
        text = self._log.read().decode(errors="replace")
        self._log.close()
        return text


def short(value: Json, limit: int = 200) -> str:
    """`value` for a message."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else text[: limit - 1] + "…"
