"""Drives an adapter through the cases, in as many processes as asked for; starts it again when it crashes, hangs or talks nonsense."""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from triptych_conformance._adapter import CASE_SECONDS, START_SECONDS, Adapter, AdapterError, Transcript
from triptych_conformance._cases import Case, NotPossibleHereError, digests
from triptych_conformance._inspect import Inspectors
from triptych_conformance._judge import Result, applies, judge, op_for, result

Json = Any
LISTEN_SECONDS = 0.2
"""How long Ctrl-C may go unnoticed."""


class Runner:
    """One adapter command, the process that currently speaks for it, and the readers that look at what it writes for others."""

    def __init__(
        self, command: Sequence[str], *, timeout: float = CASE_SECONDS, start_timeout: float = START_SECONDS,
        environment: Mapping[str, str] | None = None, python: str = "", transcript: Transcript | None = None,
    ) -> None:
        """`start` comes next; who holds the runner can `interrupt` even that."""
        self._command, self._timeout, self._start_timeout = command, timeout, start_timeout
        self._environment, self._transcript = environment, transcript
        self._adapter: Adapter | None = None
        self._seq = 0
        self._inspectors = Inspectors(python)
        self._interrupted = False
        self.implementation: dict[str, Json] = {}

    def start(self) -> None:
        """Starts the adapter.

        Raises:
            OSError: The command cannot be started.
            AdapterError: It does not answer `start` properly.
        """
        self.implementation = self._start()

    def _start(self) -> dict[str, Json]:
        self._adapter = Adapter(self._command, timeout=self._timeout, environment=self._environment, transcript=self._transcript)
        if self._interrupted:
            self._adapter.interrupt()
        try:
            return self._adapter.start(self._start_timeout)
        except AdapterError as error:
            log = self._adapter.kill().strip()
            self._adapter = None
            raise type(error)(f"{error}\n{log}" if log else str(error)) from None

    def interrupt(self) -> None:
        """Ends the adapter and the readers under the thread that waits for them, and every later adapter."""
        self._interrupted = True
        if (adapter := self._adapter) is not None:
            adapter.interrupt()
        self._inspectors.interrupt()

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
            elif judged.verdict == "fail":
                judged.stderr = self._adapter.log
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
    start_timeout: float = START_SECONDS,
    environment: Mapping[str, str] | None = None,
    python: str = "",
    jobs: int = 1,
    progress: Callable[[Result], None] | None = None,
    transcript: Transcript | None = None,
) -> tuple[dict[str, Json], list[Result]]:
    """What the adapter says about itself, and the result of each of `cases`, in their order, whatever the number of `jobs`.

    `python` has the readers that look at foreign files. `progress` is called for each result as it comes, by one thread at a time.

    Raises:
        OSError: The command cannot be started.
        AdapterError: It does not answer `start` properly.
    """
    waiting: queue.SimpleQueue[tuple[int, Case]] = queue.SimpleQueue()
    for entry in enumerate(cases):
        waiting.put(entry)
    results: dict[int, Result] = {}
    runners: list[Runner] = []
    one_at_a_time, given_up = threading.Lock(), threading.Event()

    def work() -> dict[str, Json]:
        runner = Runner(command, timeout=timeout, start_timeout=start_timeout, environment=environment, python=python, transcript=transcript)
        runners.append(runner)
        try:
            runner.start()
            with suppress(queue.Empty):
                while not given_up.is_set():
                    index, case = waiting.get_nowait()
                    judged = runner.run(case)
                    with one_at_a_time:
                        results[index] = judged
                        if progress is not None:
                            progress(judged)
        finally:
            with suppress(OSError):
                runner.stop()
        return runner.implementation

    with ThreadPoolExecutor(jobs) as pool:
        tasks = [pool.submit(work) for _ in range(jobs)]
        try:
            rest = set(tasks)
            while rest:  # Windows lets nobody interrupt a wait, so that none may be long
                done, rest = futures.wait(rest, LISTEN_SECONDS, futures.FIRST_EXCEPTION)
                for task in done:
                    task.result()
        except BaseException:  # what ends the run, Ctrl-C above all, ends all processes
            given_up.set()
            for runner in runners:
                runner.interrupt()
            raise
    return tasks[0].result(), [results[index] for index in range(len(cases))]
