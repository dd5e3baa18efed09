"""Gives the verdict on one file or package: valid, invalid, or that it could not be told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from triptych.errors import Problem, UnsupportedError, shorten
from triptych.surface.gathering import Thing

Verdict = Literal["valid", "invalid", "unknown"]

_NOT_ABLE = frozenset({"DOCUMENT_LIMIT_EXCEEDED", "LIMIT_EXCEEDED", "VERSION_UNSUPPORTED", "EXTENSION_UNSUPPORTED"})
"""What speaks of the reader, not of the package: limits, later versions, extensions that it does not know."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of checking one thing."""

    path: str
    verdict: Verdict
    problems: tuple[Problem, ...] = ()
    """Of what is invalid, or why it could not be told."""
    notes: tuple[str, ...] = ()
    unused: tuple[tuple[str, str], ...] | None = None
    """Place and sentence of what a valid architecture holds and nothing uses; None where nobody asked."""
    seconds: float = 0.0
    tensors_read: bool = False
    """Whether the bytes of tensors were read and compared, too."""


def judge(thing: Thing, *, full: bool = False, unused: bool = False) -> Outcome:
    """The verdict on `thing`; raises nothing, so that one file never ends the checking of others.

    Args:
        thing: A file or a package.
        full: Also read every tensor, compare every digest.
        unused: Also say what a valid architecture holds and nothing uses.
    """
    from triptych.surface.validating import validate

    start = time.monotonic()
    path = str(thing.path)
    verdict: Verdict = "unknown"
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    found: tuple[tuple[str, str], ...] | None = None
    try:
        if thing.problem is not None:
            problems = (thing.problem,)
        else:
            problems = validate(thing.path, full=full)
            verdict = verdict_on(problems)
        if verdict == "valid":
            notes, found = _more(thing, unused=unused)
    except UnsupportedError as error:
        verdict, problems = "unknown", error.problems
    except OSError as error:
        verdict, problems = "unknown", (_unreadable(error.strerror or str(error)),)
    except Exception as error:  # noqa: BLE001 - a fault of ours in one file is said, and is no verdict on it or on others
        verdict, problems = "unknown", (_unreadable(f"an error of the program that checks it: {type(error).__name__}: {shorten(str(error))}"),)
    return Outcome(path, verdict, problems, notes, found, time.monotonic() - start, full)


def died(thing: Thing) -> Outcome:
    """The outcome where the process that looked at `thing` ended without a word: out of memory, or killed."""
    return Outcome(str(thing.path), "unknown", (_unreadable("the end of the process that checked it"),))


def verdict_on(problems: Sequence[Problem]) -> Verdict:
    """What `problems` say of the package: where all of them speak of the reader's limits, nothing."""
    if not problems:
        return "valid"
    return "unknown" if all(one.code in _NOT_ABLE for one in problems) else "invalid"


def narrowed(outcome: Outcome, only: Sequence[str]) -> Outcome:
    """`outcome` with those problems alone whose code or requirement is like one of the patterns `only`.

    Problems of other kinds may hide some of these: then it could not be told, which is never "valid".
    """
    if outcome.verdict != "invalid":
        return outcome
    kept = tuple(one for one in outcome.problems if any(fnmatchcase(one.code, what) or fnmatchcase(one.requirement, what) for what in only))
    hidden = len(outcome.problems) - len(kept)
    notes = (f"{hidden} problem{'s' * (hidden != 1)} of other kinds not listed",) if hidden else ()
    return Outcome(outcome.path, verdict_on(kept) if kept else "unknown", kept, notes, seconds=outcome.seconds)


def _unreadable(reason: str) -> Problem:
    return Problem("FILE_UNREADABLE", "", "", f"expected a file that can be checked, got {reason}")


def _more(thing: Thing, *, unused: bool) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...] | None]:
    """Notes on a valid model, and what its architecture holds and nothing uses."""
    from triptych.cli.notes import notes_of
    from triptych.model.unused import unused as found_in
    from triptych.surface.opening import load

    model = load(thing.path, verify="off")
    notes = tuple(notes_of(model))
    if not unused:
        return notes, None
    return notes, () if model.architecture is None else tuple(found_in(model.architecture))
