"""``triptych explain``: what an error code or a requirement means, with a rejected and an accepted example."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from triptych import resources
from triptych.errors import UsageError, registry

SENTENCE = re.compile(r"^\*\*\[([A-Z]{3}-\d{3})\]\*\* (.+?)(?=\n\n|\n\*\*\[|\Z)", re.MULTILINE | re.DOTALL)


def add(commands: Any) -> None:
    """Add this command's grammar."""
    parser = commands.add_parser(
        "explain",
        help="explain an error code or a requirement",
        description="Print the sentences of the specification behind CODE (such as TENSOR_GAP) or ID (such as WGT-004), advice, and the cases that show it.",
    )
    parser.add_argument("subject", metavar="CODE|ID")
    parser.set_defaults(run=run)


def sentences() -> dict[str, str]:
    """Requirement identifier -> its sentence in the specification."""
    found = {}
    for path in sorted((resources.root() / "spec").rglob("*.md")):
        for mark in SENTENCE.finditer(path.read_text(encoding="utf-8")):
            found[mark[1]] = " ".join(mark[2].split())
    return found


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation."""
    subject = arguments.subject.upper()
    texts, codes = sentences(), registry()
    if subject in codes:
        requirements = [str(name) for name in _list(codes[subject]["requirements"])]
        code: str | None = subject
    elif subject in texts:
        requirements = [subject]
        code = next((name for name, entry in codes.items() if subject in _list(entry["requirements"])), None)
    else:
        close = [name for name in (*codes, *texts) if subject in name][:8]
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        raise UsageError(f"expected an error code or a requirement identifier, got {arguments.subject!r}{hint}")
    if code is not None:
        print(f"{code}  (found at stage: {codes[code]['stage']})")
        for place in _list(codes[code].get("place")):
            print(f"placed at: {place}")
        if advice := codes[code].get("advice"):
            print(textwrap.fill(str(advice), 100))
        print()
    for name in requirements:
        print(textwrap.fill(f"[{name}] {texts.get(name, '')}", 100, subsequent_indent="          "))
        for line in _examples(name):
            print(f"          {line}")
    return 0


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _examples(requirement: str) -> Iterator[str]:
    """The first rejecting case of `requirement` and its accepting twin, a line each; none where the suite is not installed."""
    try:
        from triptych_conformance import suite
    except ImportError:
        return
    cases = {case.id: case for case in suite().cases}
    for case in cases.values():
        if requirement in case.requirements and not case.accepts:
            yield f"rejected: {case.title}  (triptych-conformance show {case.id})"
            if case.twin in cases:
                yield f"accepted: {cases[case.twin].title}  (triptych-conformance show {case.twin})"
            return
