"""Chooses inputs: as few and as small as pass all edges that all of them together pass."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import partial

from fuzz import corpus, tracing
from fuzz.execution import Executor, Finding
from fuzz.target import Target


def chosen(target: Target, candidates: Iterable[bytes], always: AbstractSet[bytes] = frozenset()) -> tuple[list[bytes], set[tracing.Edge]]:
    """Those of `candidates` that are kept, those of `always` and small ones first, and what they pass; none is kept whose execution is a finding."""
    executor = Executor(target)
    passed: list[tuple[bytes, frozenset[tracing.Edge]]] = []
    seen: set[tracing.Edge] = set()
    try:
        for data in sorted(set(candidates), key=lambda one: (one not in always, len(one), one)):
            if len(data) > corpus.MOST_BYTES:
                continue
            findings: list[Finding | None] = []
            edges = tracing.edges_of(partial(_execute, executor, data, findings))
            if findings == [None] and (data in always or not edges <= seen):
                passed.append((data, edges))
                seen |= edges
    finally:
        executor.close()
    # Small ones together pass what a large one passes, and each is read in a part of its time: the large ones go first.
    counts: dict[tracing.Edge, int] = {}
    for _, edges in passed:
        for edge in edges:
            counts[edge] = counts.get(edge, 0) + 1
    kept: list[bytes] = []
    for data, edges in reversed(passed):
        if data not in always and all(counts[edge] > 1 for edge in edges):
            for edge in edges:
                counts[edge] -= 1
        else:
            kept.append(data)
    return kept, seen


def _execute(executor: Executor, data: bytes, findings: list[Finding | None]) -> None:
    findings.append(executor.run(data))
