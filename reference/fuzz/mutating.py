"""The engine in plain Python: a seed, the corpus, the mutators of the target. The same seed makes the same inputs everywhere."""

from __future__ import annotations

import faulthandler
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from fuzz.execution import Executor, Finding, peak_bytes
from fuzz.target import Target

_MOST_FINDINGS = 20
_HANGS_SECONDS = 600
"""For a hundred executions. A loop in C hears no alarm: the process says where it is and ends, and the input stays in its folder."""


@dataclass(slots=True)
class Run:
    """What came of many executions."""

    target: str
    executions: int = 0
    accepted: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    peak: int = 0
    findings: dict[str, Finding] = field(default_factory=dict)
    """Kind -> the first of it."""

    def note(self, finding: Finding | None) -> None:
        """Keep what is new."""
        if finding is not None:
            self.findings.setdefault(finding.kind, finding)

    def __str__(self) -> str:
        rate = self.executions / self.seconds if self.seconds else 0.0
        found = f"{len(self.findings)} findings"
        return f"{self.target:18} {self.executions:>9,} executions  {rate:>8,.0f}/s  {self.accepted:>8,} accepted  slowest {self.slowest:.2f} s  peak {self.peak >> 20} MiB  {found}"


def variant(target: Target, corpus: Sequence[bytes], rng: Random) -> bytes:
    """An input like one of `corpus`, mutated once or a few times over. Small ones are taken more often: a change meets more of what is read, and they take less time."""
    data = min((rng.choice(corpus) for _ in range(3)), key=len)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = target.mutate(data, rng)
    return data if len(data) <= target.longest else data[: target.longest]


def run(
    target: Target,
    corpus: Sequence[bytes],
    *,
    executions: int,
    seed: int = 0,
    long_judges: bool = False,
    seconds: float = float("inf"),
    told: Callable[[Run], object] | None = None,
) -> Run:
    """Run `target` on `executions` inputs made of `corpus`, or for `seconds`; `told` hears of it now and then."""
    executor = Executor(target, long_judges=long_judges)
    result = Run(target.name)
    rng = Random(f"{seed} {target.name}")
    began = time.monotonic()
    try:
        for data in corpus:
            result.note(executor.run(data))
        while executor.executions < executions and len(result.findings) < _MOST_FINDINGS:
            result.note(executor.run(variant(target, corpus, rng)))
            if not executor.executions % 100:
                if target.native:
                    faulthandler.dump_traceback_later(_HANGS_SECONDS, exit=True)
                _count(result, executor, began)
                if told is not None:
                    told(result)
                if result.seconds > seconds:
                    break
    finally:
        faulthandler.cancel_dump_traceback_later()
        executor.close()
    _count(result, executor, began)
    return result


def _count(result: Run, executor: Executor, began: float) -> None:
    result.executions, result.accepted, result.slowest = executor.executions, executor.accepted, executor.slowest
    result.seconds, result.peak = time.monotonic() - began, peak_bytes()
