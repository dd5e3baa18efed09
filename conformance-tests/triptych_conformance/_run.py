"""Drives one adapter through the cases; starts it again when it crashes, hangs or talks nonsense."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from triptych_conformance._adapter import CASE_SECONDS, Adapter, AdapterError
from triptych_conformance._cases import Case, NotPossibleHereError, digests
from triptych_conformance._inspect import Inspectors
from triptych_conformance._judge import Result, applies, judge, op_for, result

Json = Any


class Runner:
    """One adapter command, the process that currently speaks for it, and the readers that look at what it writes for others."""

    def __init__(self, command: Sequence[str], *, timeout: float = CASE_SECONDS, environment: Mapping[str, str] | None = None, python: str = "") -> None:
        """Starts the adapter.

        Raises:
            OSError: The command cannot be started.
            AdapterError: It does not answer `start` properly.
        """
        self._command, self._timeout, self._environment = command, timeout, environment
        self._adapter: Adapter | None = None
        self._seq = 0
        self._inspectors = Inspectors(python)
        self.implementation = self._start()

    def _start(self) -> dict[str, Json]:
        self._adapter = Adapter(self._command, timeout=self._timeout, environment=self._environment)
        try:
            return self._adapter.start()
        except AdapterError as error:
            log = self._adapter.kill().strip()
            self._adapter = None
            raise type(error)(f"{error}\n{log}" if log else str(error)) from None

    def stop(self) -> None:
        """Ends the adapter and the readers."""
        self._inspectors.stop()
        if self._adapter is not None:
            self._adapter.stop()
            self._adapter = None

    def run(self, case: Case) -> Result:
        """What becomes of `case`."""
        op = op_for(case, self.implementation["roles"])
        if op is None or not applies(case, self.implementation):
            return result(case, "n/a", "not declared by the adapter")
        if self._adapter is None:
            try:
                self._start()
            except (AdapterError, OSError) as error:
                return result(case, "crash", f"the adapter did not start again: {error}")
        with tempfile.TemporaryDirectory(prefix="model-", ignore_cleanup_errors=True) as folder:
            return self._ask(case, op, Path(folder))

    def _ask(self, case: Case, op: str, folder: Path) -> Result:
        assert self._adapter is not None
        seq, self._seq = self._seq, self._seq + 1
        try:
            given = case.lay_out(folder / "input")
        except NotPossibleHereError as error:
            return result(case, "n/a", str(error))
        before = digests(folder / "input")
        request: dict[str, Json] = {"cmd": "run", "seq": seq, **case.asks(op, given)}
        output = case.output(folder / "output") if op == case.op else None
        if output is not None:
            output.parent.mkdir(parents=True)
            request |= case.asks_to_write(output)
        stood = digests(output.parent) if output is not None and case.lay_existing(output) else {}
        try:
            answer = self._adapter.ask(request)
            seen = case.look(self._inspectors, output) if output is not None and answer.get("outcome") == "accepted" else None
            judged = judge(case, seq, answer, op=op, output=output, seen=seen)
            if judged.passed and digests(folder / "input") != before:
                return result(case, "fail", "the adapter changed its input")
            if judged.passed and output is not None and not case.accepts and digests(output.parent) != stood:
                return result(case, "fail", "the adapter changed what it refused to replace")
            if judged.verdict == "protocol":
                judged.stderr = self._kill()
        except AdapterError as error:
            return result(case, error.verdict, str(error), stderr=self._kill())
        return judged

    def _kill(self) -> str:
        log = self._adapter.kill() if self._adapter is not None else ""
        self._adapter = None
        return log


def run(
    command: Sequence[str],
    cases: Sequence[Case],
    *,
    timeout: float = CASE_SECONDS,
    environment: Mapping[str, str] | None = None,
    python: str = "",
    progress: Callable[[Result], None] | None = None,
) -> tuple[dict[str, Json], list[Result]]:
    """What the adapter says about itself, and the result of each of `cases`; `python` has the readers that look at foreign files.

    Raises:
        OSError: The command cannot be started.
        AdapterError: It does not answer `start` properly.
    """
    runner = Runner(command, timeout=timeout, environment=environment, python=python)
    results = []
    try:
        for case in cases:
            results.append(runner.run(case))
            if progress is not None:
                progress(results[-1])
    finally:
        with suppress(OSError):
            runner.stop()
    return runner.implementation, results
