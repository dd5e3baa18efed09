"""``triptych verify``: whether every byte of a package is what its manifest says, and which members and tensors are not."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import Problem, UnsupportedError, UsageError, shorten

DESCRIPTION = """\
Compare every document, header, tensor and asset of the packages at PATH with the digests in their manifests, and name each that differs:

  PATH: CODE at MEMBER#/TENSOR: what was expected, what came [REQUIREMENT]

A folder that is no package is searched for packages. What the manifest itself says is covered by its own digest, which is printed and is the
identity of the model: note it down, and --expect compares it. A digest is no signature: it tells damage, not who wrote the file.

examples:
  triptych verify my_model.triptych
  triptych verify models --format json                triptych schema reports/verify says its form
  triptych verify my_model --expect sha256:0f1e…      also that it is the model that was noted down

exit status: 0 nothing differs, 1 something does, 2 wrong usage, 3 a package could not be checked, or there was none
"""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def add(commands: Any) -> None:
    """Add this command's grammar."""
    parser = commands.add_parser(
        "verify",
        help="say whether every byte of a package is what its digests say",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", type=Path)
    parser.add_argument("--expect", metavar="DIGEST", help="the identity, sha256:…, that the one package must have")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Verify each package; the worst outcome decides the exit status."""
    from triptych.layouts import own, recognise
    from triptych.surface.gathering import gather

    if arguments.expect is not None and not _DIGEST.fullmatch(arguments.expect):
        raise UsageError(f"expected --expect with sha256: and 64 hexadecimal digits, got {shorten(arguments.expect)}")
    things = gather(arguments.paths)
    named = set(arguments.paths)
    rows = []
    for thing in things:
        if thing.problem is None and thing.path not in named and recognise(thing.path) is not own.LAYOUT:
            continue
        rows.append(_row(thing.path, thing.problem, arguments.expect))
    if arguments.expect is not None and len(rows) > 1:
        raise UsageError(f"expected one package with --expect, got {len(rows)}")
    print(json.dumps({"report": 1, "results": [_data(row) for row in rows]}, indent=2) if arguments.format == "json" else _text(rows))
    verdicts = {row["verdict"] for row in rows}
    return 1 if "differs" in verdicts else 3 if "unknown" in verdicts or not rows else 0


def _row(path: Path, known: Problem | None, expected: str | None) -> dict[str, Any]:
    from triptych.package.verify import verify_package
    from triptych.surface.opening import recognise

    row: dict[str, Any] = {"path": str(path), "verdict": "unknown", "problems": ()}
    if known is not None:
        return row | {"problems": (known,)}
    try:
        layout = recognise(path)
        if layout.name != "triptych":
            message = f"expected a Triptych package, whose digests can be compared, got {layout.title}"
            return row | {"problems": (Problem("LAYOUT_UNSUPPORTED", "", "", message),)}
        found = verify_package(path)
    except UnsupportedError as error:
        return row | {"problems": error.problems}
    except OSError as error:
        return row | {"problems": (Problem("FILE_UNREADABLE", "", "", f"expected a file that can be read, got {error.strerror or error}"),)}
    problems = found.problems
    if expected is not None and found.identity != expected:
        message = f"expected the manifest to have the digest {expected}, got {found.identity or 'none'}"
        problems = (*problems, Problem("MEMBER_DIGEST_MISMATCH", "", "manifest.json", message))
    row |= {"identity": found.identity, "members": found.members, "tensors": found.tensors}
    return row | {"verdict": "differs" if problems else "verified", "problems": problems}


def _data(row: dict[str, Any]) -> dict[str, Any]:
    members = ("code", "requirement", "place", "message")
    return row | {"problems": [{member: getattr(one, member) for member in members} for one in row["problems"]]}


def _text(rows: Sequence[dict[str, Any]]) -> str:
    from triptych.cli.reports import printable

    lines = []
    for row in rows:
        path, count = printable(row["path"]), len(row["problems"])
        lines += [f"{path}: {problem}" for problem in row["problems"]]
        words = {"unknown": "could not tell", "differs": f"{count} difference{'s' * (count != 1)}"}
        lines.append(
            f"{path}: {words[row['verdict']]}"
            if row["verdict"] in words
            else f"{path}: verified, {row['members']} members and {row['tensors']} tensors, {row['identity']}"
        )
    return "\n".join(lines) if lines else "could not tell: no package was found"
