"""Judges an adapter, not the implementation behind it: three requests, and advice in words."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from triptych_conformance._adapter import CASE_SECONDS, Adapter, AdapterError
from triptych_conformance._cases import CORE, Case, Suite, SuiteDamagedError
from triptych_conformance._judge import OUTCOMES, op_for

STAGES = ("json", "bytes", "schema", "semantic", "resource")
"""What is most surely noticed comes first."""
UNKNOWN_OP = "juggle"
"""An operation nobody has; the honest answer is "skipped"."""


def _samples(suite: Suite) -> tuple[Case, Case]:
    core = [case for case in suite.cases if case.profile == CORE and case.role == "reader" and case.op == "read" and not case.links]
    pairs = [(accepting, rejecting) for rejecting in core if not rejecting.accepts for accepting in core if accepting.id == rejecting.twin]
    if not pairs:
        raise SuiteDamagedError("no core case is rejected")
    return min(pairs, key=lambda pair: STAGES.index(pair[1].expect["stage"]))


def smoke(command: Sequence[str], suite: Suite, *, timeout: float = CASE_SECONDS) -> list[tuple[bool, str]]:
    """(good, what happened) for each step.

    Raises:
        OSError: The command cannot be started.
    """
    steps: list[tuple[bool, str]] = []
    good_case, bad_case = _samples(suite)
    with tempfile.TemporaryDirectory(prefix="model-") as folder, Adapter(command, timeout=timeout) as adapter:
        try:
            implementation = adapter.start()
        except AdapterError as error:
            return [(False, f"start: {error}")]
        steps.append((True, f"start: {implementation['name']} {implementation['version']}, {', '.join(implementation['roles'])}"))
        reading = op_for(good_case, implementation["roles"])
        if reading is None:
            return [*steps, (False, 'roles: one of "reader" and "validator" is needed')]
        requests = (
            ("accepted", reading, good_case.lay_out(Path(folder) / "0" / "input")),
            ("rejected", reading, bad_case.lay_out(Path(folder) / "1" / "input")),
            ("skipped", UNKNOWN_OP, Path(folder) / "0" / "input"),
        )
        for seq, (wanted, op, path) in enumerate(requests):
            try:
                answer = adapter.ask({"cmd": "run", "seq": seq, "op": op, "input": str(path)})
            except AdapterError as error:
                return [*steps, (False, f"{wanted}: {error}")]
            steps.append(_step(wanted, reading, seq, answer))
    return steps


def _step(wanted: str, reading: str, seq: int, answer: dict[str, object]) -> tuple[bool, str]:
    outcome = answer.get("outcome")
    if answer.get("seq") != seq:
        return False, f"{wanted}: the answer must repeat \"seq\": {seq}; it says {answer.get('seq')!r}"
    if outcome not in OUTCOMES:
        return False, f"{wanted}: your adapter answered {outcome!r}; the words are {', '.join(OUTCOMES)}"
    if outcome == "errored":
        return False, f"{wanted}: your implementation failed inside: {str(answer.get('detail', 'no detail'))[-300:]}"
    if outcome != wanted:
        return False, f"{wanted}: your adapter answered {outcome!r}"
    if wanted == "accepted" and reading == "read" and not isinstance(answer.get("observed"), dict):
        return False, 'accepted: "observed", an object that says what was read, is missing'
    if wanted == "rejected" and not answer.get("problems"):
        return True, 'rejected: good; "problems" (code, place, message) would earn the second score'
    return True, f"{wanted}: good"
