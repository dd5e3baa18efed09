"""``triptych validate``: every problem of every model, one a line, and a plain verdict."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from triptych.cli.judging import Outcome, died, judge, narrowed
from triptych.errors import UsageError, registry, shorten
from triptych.surface.gathering import Thing

DESCRIPTION = """\
Check each PATH against the specification and print every problem, one a line:

  PATH: CODE at PLACE: what was expected, what came [REQUIREMENT]

A folder that is no package is searched for models, each of which gets its verdict; one that fails does not keep others from being checked.
Headers and documents are read, and all digests of theirs compared; with --full every tensor as well.
The last line is the verdict; without --full it says "valid (tensors not read)". "Could not tell" is never "valid".
A note tells what is no problem: layers of extension types, and code that is not carried (--allow-code of convert carries it).
With --unused, layers, inputs and values of a valid model that nothing uses are listed too; they are no problems.
With --only, problems of other kinds are not listed; where there are some and none that was asked for, it could not be told.

examples:
  triptych validate my_model.h5                       one file, of any layout
  triptych validate --full models                     every model beneath a folder, every tensor read
  triptych validate --format junit models > junit.xml for the pages of a build; sarif for code hosts, json for programs
  triptych validate --only 'TENSOR_*' models          problems of these kinds alone; triptych explain CODE says more

--format json prints an object whose form triptych schema reports/validate says.

exit status: 0 all are valid, 1 one is invalid, 2 wrong usage, 3 none is known to be invalid but one could not be checked
"""

_SERIAL = 100
"""So many models of ordinary size are checked in the time that another process takes to start; measured: 7 to 30 ms each, 1 to 2 s."""


def add(commands: Any) -> None:
    """Add this command's grammar."""
    parser = commands.add_parser(
        "validate",
        help="say whether files are valid models, and what is wrong with them",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", type=Path)
    parser.add_argument("--full", action="store_true", help="read every tensor and compare its digest")
    parser.add_argument("--unused", action="store_true", help="also list what the architecture holds and nothing uses")
    parser.add_argument("--format", choices=["text", "json", "sarif", "junit"], default="text")
    parser.add_argument("--only", metavar="CODE|ID", action="append", default=[], help="such as TENSOR_DIGEST_MISMATCH, 'MEMBER_*' or PKG-010; may be repeated")
    parser.add_argument("--jobs", metavar="N", type=int, help="processes to check in; by default as many as pay, at most one a processor")
    parser.add_argument("--members", action="store_true", help="a PATH inside a package stands for the package, which is checked once")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress, even on a terminal")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Validate each path; the worst outcome decides the exit status."""
    from triptych.cli.reports import renderer
    from triptych.surface.gathering import gather

    check_only(arguments.only)
    if arguments.jobs is not None and arguments.jobs < 1:
        raise UsageError(f"expected --jobs of at least 1, got {arguments.jobs}")
    things = gather(arguments.paths, members=arguments.members)
    outcomes = outcomes_of(things, full=arguments.full, unused=arguments.unused, jobs=arguments.jobs, quiet=arguments.quiet)
    if arguments.only:
        outcomes = [narrowed(one, arguments.only) for one in outcomes]
    print(renderer(arguments.format)(outcomes))
    verdicts = {one.verdict for one in outcomes}
    return 1 if "invalid" in verdicts else 3 if "unknown" in verdicts else 0


def check_only(only: Sequence[str]) -> None:
    """Refuse a pattern that no code and no requirement is like.

    Raises:
        UsageError: There is one.
    """
    known = {*registry(), *(str(name) for entry in registry().values() for name in _names(entry["requirements"]))}
    for pattern in only:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise UsageError(f"expected --only with an error code or a requirement that has one, got {shorten(pattern)}")


def outcomes_of(things: Sequence[Thing], *, full: bool, unused: bool, jobs: int | None, quiet: bool) -> list[Outcome]:
    """What came of checking `things`, in their order."""
    from triptych.cli.console import counting
    from triptych.surface.processes import cores, each

    if jobs is None:
        jobs = min(cores(), len(things) if full else len(things) // _SERIAL)
    found: dict[int, Outcome] = {}
    with counting("checking", len(things), quiet=quiet) as report:
        for position, outcome in each(partial(judge, full=full, unused=unused), things, jobs=max(1, min(jobs, len(things))), died=died):
            found[position] = outcome
            if report is not None:
                report(len(found))
    return [found[position] for position in range(len(things))]


def _names(value: object) -> list[object]:
    return value if isinstance(value, list) else []
