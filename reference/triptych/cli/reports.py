"""What the outcomes of a check look like for people and for programs: text and JSON; other forms have modules of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from triptych.cli.judging import Outcome

SAID = {"valid": "valid", "unknown": "could not tell"}
UNREAD = "valid (tensors not read)"
"""Said of a model whose headers and documents alone were read: the bytes of its tensors may be anything."""


def renderer(name: str) -> Callable[[Sequence[Outcome]], str]:
    """What writes the report called `name`: text, json, sarif or junit."""
    if name == "sarif":
        from triptych.cli.sarif import as_sarif

        return as_sarif
    if name == "junit":
        from triptych.cli.junit import as_junit

        return as_junit
    return as_json if name == "json" else as_text


def printable(path: str) -> str:
    """`path` as it can stand in a line; where it holds control characters or no text, escaped."""
    return path if path.isprintable() else ascii(path)


def said(outcome: Outcome) -> str:
    """The verdict in words."""
    if outcome.verdict == "valid" and not outcome.tensors_read:
        return UNREAD
    count = len(outcome.problems)
    return SAID.get(outcome.verdict, f"{count} problem{'s' * (count != 1)}")


def as_text(outcomes: Sequence[Outcome]) -> str:
    """The report for people."""
    lines = []
    for one in outcomes:
        path = printable(one.path)
        lines += [f"{path}: {problem}" for problem in one.problems]
        lines += [f"{path}: unused at {place}: {message}" for place, message in one.unused or ()]
        lines += [f"{path}: note: {note}" for note in one.notes]
        lines.append(said(one) if len(outcomes) == 1 else f"{path}: {said(one)}")
    return "\n".join(lines)


def as_json(outcomes: Sequence[Outcome]) -> str:
    """The report for programs."""
    return json.dumps({"report": 1, "results": [_row(one) for one in outcomes]}, indent=2)


def _row(outcome: Outcome) -> dict[str, Any]:
    members = ("code", "requirement", "place", "message")
    row: dict[str, Any] = {"path": outcome.path, "verdict": outcome.verdict}
    row["problems"] = [{member: getattr(problem, member) for member in members} for problem in outcome.problems]
    if outcome.notes:
        row["notes"] = list(outcome.notes)
    if outcome.unused is not None:
        row["unused"] = [{"place": place, "message": message} for place, message in outcome.unused]
    return row
