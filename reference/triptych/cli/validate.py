"""``triptych validate``: every problem of a model, one a line, and a plain verdict."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from triptych.errors import Problem, UnsupportedError

DESCRIPTION = """\
Check each PATH against the specification and print every problem, one a line:

  PATH: CODE at PLACE: what was expected, what came [REQUIREMENT]

Headers and documents are read, and all digests of theirs compared; with --full every tensor as well.
The last line is the verdict. "Could not tell" is never "valid".
A note tells what is no problem: layers of extension types, and code that is not carried (--allow-code of convert carries it).
With --unused, layers, inputs and values of a valid model that nothing uses are listed too; they are no problems.
"""


def add(commands: Any) -> None:
    """Add this command's grammar."""
    parser = commands.add_parser(
        "validate",
        help="say whether a file is a valid model, and what is wrong with it",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", type=Path)
    parser.add_argument("--full", action="store_true", help="read every tensor and compare its digest")
    parser.add_argument("--unused", action="store_true", help="also list what the architecture holds and nothing uses")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Validate each path; the worst outcome decides the exit status."""
    from triptych.surface.validating import validate

    rows: list[dict[str, Any]] = []
    for path in arguments.paths:
        verdict = "valid"
        problems: tuple[Problem, ...] = ()
        try:
            problems = validate(path, full=arguments.full)
            verdict = "invalid" if problems else "valid"
        except UnsupportedError as error:
            verdict, problems = "unknown", error.problems
        except OSError as error:
            verdict, problems = "unknown", (Problem("FILE_UNREADABLE", "", "", error.strerror or str(error)),)
        row = {"path": str(path), "verdict": verdict, "problems": problems}
        if verdict == "valid":
            row |= _more(path, unused=arguments.unused)
        rows.append(row)
    print(as_json(rows) if arguments.format == "json" else as_text(rows))
    verdicts = {row["verdict"] for row in rows}
    return 1 if "invalid" in verdicts else 3 if "unknown" in verdicts else 0


def _more(path: Path, *, unused: bool) -> dict[str, Any]:
    """What else there is to say of the valid model at `path`: notes, and what its architecture holds and nothing uses."""
    from triptych.cli.notes import notes_of
    from triptych.model.unused import unused as found_in
    from triptych.surface.opening import load

    model = load(path, verify="off")
    notes = notes_of(model)
    more: dict[str, Any] = {"notes": notes} if notes else {}
    if unused:
        found = () if model.architecture is None else found_in(model.architecture)
        more["unused"] = [{"place": place, "message": message} for place, message in found]
    return more


def as_text(rows: list[dict[str, Any]]) -> str:
    """The report for people."""
    lines = []
    for row in rows:
        lines += [f"{row['path']}: {problem}" for problem in row["problems"]]
        lines += [f"{row['path']}: unused at {one['place']}: {one['message']}" for one in row.get("unused", ())]
        lines += [f"{row['path']}: note: {note}" for note in row.get("notes", ())]
        count = len(row["problems"])
        said = {"valid": "valid", "unknown": "could not tell", "invalid": f"{count} problem{'s' * (count != 1)}"}
        lines.append(said[row["verdict"]] if len(rows) == 1 else f"{row['path']}: {said[row['verdict']]}")
    return "\n".join(lines)


def as_json(rows: list[dict[str, Any]]) -> str:
    """The report for programs."""
    members = ("code", "requirement", "place", "message")
    return json.dumps(
        {
            "report": 1,
            "results": [{**row, "problems": [{m: getattr(p, m) for m in members} for p in row["problems"]]} for row in rows],
        },
        indent=2,
    )
