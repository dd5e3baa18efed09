"""One line that says how far a run is, on a terminal only."""

from __future__ import annotations

import time
from typing import IO

from triptych_conformance._judge import Result

EVERY_SECONDS = 0.1


class Progress:
    """Is told each result, and writes over its own line in `stream`."""

    def __init__(self, stream: IO[str], cases: int) -> None:
        self._stream, self._cases = stream, cases
        self._done = self._failing = self._width = 0
        self._shown = 0.0
        self._visible = stream.isatty()

    def __call__(self, result: Result) -> None:
        """Counts `result`."""
        self._done += 1
        self._failing += result.verdict not in {"pass", "n/a"}
        now = time.monotonic()
        if self._visible and now - self._shown >= EVERY_SECONDS:
            self._shown = now
            self._write(f"{self._done}/{self._cases}, {self._failing} failing  {result.case}")

    def clear(self) -> None:
        """Leaves nothing behind."""
        if self._width:
            self._write("")
            self._stream.write("\r")
            self._stream.flush()

    def _write(self, text: str) -> None:
        text = text[:78]
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width = len(text)
