"""The outcomes of a check as JUnit XML: a test case for each thing, a failure where it is invalid, an error where it could not be told.

It obeys the schemas of Apache Ant and of Jenkins: the first wants a host, the time of the run and properties, the second wants these not to be empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from triptych import __version__
from triptych.cli.judging import Outcome
from triptych.cli.reports import printable, said


def as_junit(outcomes: Sequence[Outcome]) -> str:
    """The report, with one suite."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    failures, errors = (sum(one.verdict == verdict for one in outcomes) for verdict in ("invalid", "unknown"))
    seconds = f"{sum(one.seconds for one in outcomes):.3f}"
    out = "\n".join(f"{printable(one.path)}: {note}" for one in outcomes for note in _asides(one))
    counts = f'tests="{len(outcomes)}" failures="{failures}" errors="{errors}" time="{seconds}"'
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            "<testsuites>",
            f'  <testsuite name="validate" package="triptych" id="0" timestamp="{now}" hostname="localhost" {counts}>',
            f'    <properties><property name="triptych" value="{__version__}"/></properties>',
            *(_case(one) for one in outcomes),
            f"    <system-out>{escape(_clean(out))}</system-out>",
            "    <system-err/>",
            "  </testsuite>",
            "</testsuites>",
        )
    )


def _asides(outcome: Outcome) -> list[str]:
    return [*(f"note: {note}" for note in outcome.notes), *(f"unused at {place}: {message}" for place, message in outcome.unused or ())]


def _case(outcome: Outcome) -> str:
    start = f'    <testcase classname="triptych.validate" name={_quoted(printable(outcome.path))} time="{outcome.seconds:.3f}"'
    if outcome.verdict == "valid":
        return f"{start}/>"
    element = "failure" if outcome.verdict == "invalid" else "error"
    kind = outcome.problems[0].code if outcome.problems else "OTHER_PROBLEMS"
    lines = "\n".join(map(str, outcome.problems))
    return f"{start}>\n      <{element} type={_quoted(kind)} message={_quoted(said(outcome))}>{escape(_clean(lines))}</{element}>\n    </testcase>"


def _clean(text: str) -> str:
    """`text` without what XML 1.0 cannot hold."""
    return "".join(c if c in "\t\n" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "\ufffd" for c in text)


def _quoted(text: str) -> str:
    return quoteattr(_clean(text))
