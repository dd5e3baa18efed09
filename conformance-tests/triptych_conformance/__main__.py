"""The command ``triptych-conformance``.

Exit status: 0 conforms, 1 does not, 2 wrong usage, 3 could not tell: the adapter or the suite is unusable, or a case could not be judged. Never a count.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import json
import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from triptych_conformance import _export, _files, _known, _report, _run, _show, _smoke, _trace
from triptych_conformance._adapter import CASE_SECONDS, START_SECONDS, AdapterError, Transcript
from triptych_conformance._cases import NotPossibleHereError, Suite, SuiteDamagedError, load, suite
from triptych_conformance._judge import UNJUDGED
from triptych_conformance._progress import Progress

Json = Any
CONFORMS, DOES_NOT, USAGE, UNUSABLE = 0, 1, 2, 3
PROGRAM = "python -m triptych_conformance" if Path(sys.argv[0]).name == "__main__.py" else "triptych-conformance"
"""How this was called: an unpacked suite is no command on the path."""
RENDERERS = ("text", "markdown", "junit", "badge")
DESCRIPTION = "Holds an implementation of Triptych to the specification."
EPILOG = """\
An implementation is driven by an adapter: a program that reads one JSON object a line and answers each with one
line (PROTOCOL.md, one page; adapters/ holds two to copy from). Its command stands after --, arguments untouched.

  triptych-conformance smoke -- python my_adapter.py       is the adapter itself in order?
  triptych-conformance run -- python my_adapter.py         what holds, by role and profile
  triptych-conformance show CASE                           what a case is about, and how it differs from its twin
  triptych-conformance show CASE -- python my_adapter.py   what the adapter answers to it
  triptych-conformance run --write-known-failures known.toml -- python my_adapter.py
  triptych-conformance run --known-failures known.toml --report report.json -- python my_adapter.py
  triptych-conformance render report.json --format markdown

exit status: 0 conforms, or fails only as known; 1 does not; 2 wrong usage; 3 adapter or suite unusable
"""


class _UsageError(Exception):
    pass


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str, adapter: str = "") -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", usage=f"%(prog)s [options] {adapter}" if adapter else None)
        if name not in {"render", "trace"}:
            made.add_argument("--suite", type=Path, metavar="DIR", help="an exported suite (default: the one that belongs to this program)")
        return made

    run = add("run", "run the cases against an adapter", "-- ADAPTER...")
    run.add_argument("--only", action="append", metavar="GLOB", help="cases or requirements; may be repeated")
    run.add_argument("--jobs", type=_count, default=1, metavar="N", help="adapter processes at a time (default %(default)d); the report is the same")
    run.add_argument("--known-failures", type=Path, metavar="FILE", help='TOML: case-id = "reason"; a listed case that passes is an error')
    run.add_argument("--write-known-failures", type=Path, metavar="FILE", help="write the cases that fail now, with what happened")
    run.add_argument("--report", type=Path, metavar="FILE", help="write the JSON report")
    run.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML")
    run.add_argument("--diagnoses", action="store_true", help="list every rejection with another code or place than expected; they count for validators")
    run.add_argument("--inspect-with", default="", metavar="PYTHON", help="the interpreter that has h5py, TensorFlow, Keras, PyTorch (default: this one)")
    run.add_argument("--transcript", type=Path, metavar="FILE", help="write every line that went to the adapter (→) and came back (←)")
    smoke = add("smoke", "is the adapter itself in order? Names what beginners get wrong", "-- ADAPTER...")
    for one in (run, smoke):
        one.add_argument("--start-timeout", type=float, default=START_SECONDS, metavar="SECONDS", help="for the answer to start (default %(default)g)")
    listing = add("list", "one line a case")
    listing.add_argument("--only", action="append", metavar="GLOB", help="cases or requirements; may be repeated")
    show = add("show", "one case in full: what it says, what differs from its twin, how to ask it again; with an adapter, what that answers", "CASE [-- ADAPTER...]")
    show.add_argument("case", metavar="CASE")
    show.add_argument("--input", type=Path, metavar="DIR", help=f"lay the input out in a new folder, with {_show.REQUESTS} to give an adapter by hand")
    for one in (run, smoke, show):
        one.add_argument("--timeout", type=float, default=CASE_SECONDS, metavar="SECONDS", help="for one case (default %(default)g)")
    export = add("export", "copy cases, schemas, adapters and this runner: python -m triptych_conformance works there")
    export.add_argument("target", type=Path, metavar="TARGET", help="a new folder, or an archive: .tar.gz, .tgz or .zip; the same bytes each time")
    render = add("render", "render a JSON report")
    render.add_argument("report", type=Path, metavar="REPORT")
    render.add_argument("--format", choices=RENDERERS, default="text")
    render.add_argument("--role", help="of a badge (default: the first that was declared)")
    render.add_argument("--profile", help="of a badge (default: core)")
    add("trace", "join specification, schemas, code and cases (in a checkout only)")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 256:
        raise ValueError(text)
    return number


def _command_line(words: Sequence[str]) -> str:
    """`words` as they are typed here."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


@contextlib.contextmanager
def _transcript(path: Path | None) -> Iterator[Transcript | None]:
    if path is None:
        yield None
        return
    lock = threading.Lock()
    with path.open("w", encoding="utf-8", newline="\n") as file:

        def note(direction: str, line: bytes) -> None:
            with lock:
                file.write(f"{direction} {line.decode(errors='replace').rstrip()}\n")

        yield note


def _run_command(args: argparse.Namespace, everything: Suite, adapter: Sequence[str]) -> int:
    known = _known.read_known(args.known_failures, everything)
    cases = everything.select(args.only or ["*"])
    for path in (args.report, args.junit, args.write_known_failures, args.transcript):
        if path is not None and not path.absolute().parent.is_dir():
            raise _UsageError(f"{path}: there is no such folder")
    started = time.monotonic()
    progress = Progress(sys.stderr, len(cases))
    with _transcript(args.transcript) as transcript:
        try:
            implementation, results = _run.run(
                adapter, cases, timeout=args.timeout, start_timeout=args.start_timeout, python=args.inspect_with, jobs=args.jobs,
                progress=progress, transcript=transcript,
            )
        finally:
            progress.clear()
    report = _report.build(everything, implementation, results, known, time.monotonic() - started)
    failed = _report.failing(results, everything.levels, implementation["roles"])
    if args.report:
        _files.replace(args.report, json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    if args.junit:
        _files.replace(args.junit, _report.junit(report))
    if args.write_known_failures:
        _known.write_known(args.write_known_failures, report, failed)
        known = known | dict.fromkeys(failed, "")
    stale = sorted(known.keys() & {one.case for one in results if one.passed} - failed)
    new = failed - known.keys()
    for problem in _smoke.unknown_words(implementation, everything):
        print(f"triptych-conformance: {problem}", file=sys.stderr)
    if args.diagnoses and (rough := _report.diagnoses(report)):
        print(rough)
    others = {one.case for one in results if one.verdict in {"pass", "n/a", UNJUDGED}} - known.keys()
    print(_report.text({**report, "results": [one for one in report["results"] if one["case"] in new | others]}))
    for case in stale:
        print(f"STALE    {case} passes; remove it from {args.known_failures}")
    if known:
        print(f"{len(known) - len(stale)} known failures")
    if new:
        print(f"{len(new)} case{'s fail; for one of them' if len(new) > 1 else ' fails; to see it'}: {PROGRAM} show {min(new)} -- {_command_line(adapter)}", file=sys.stderr)
    if not any(one.verdict != "n/a" for one in results):
        print("nothing applied to this adapter", file=sys.stderr)
        return DOES_NOT
    if new or stale:
        return DOES_NOT
    return UNUSABLE if any(one.verdict == UNJUDGED for one in results) else CONFORMS


def _smoke_command(args: argparse.Namespace, everything: Suite, adapter: Sequence[str]) -> int:
    steps = _smoke.smoke(adapter, everything, timeout=args.timeout, start_timeout=args.start_timeout)
    for good, text in steps:
        print(f"{'ok' if good else 'NOT OK':7} {text}")
    return CONFORMS if all(good for good, _ in steps) else DOES_NOT


def _show_command(args: argparse.Namespace, everything: Suite, adapter: Sequence[str]) -> int:
    try:
        case = everything.case(args.case)
    except KeyError:
        if cited := [one.id for one in everything.cases if args.case in one.requirements]:
            raise _UsageError(f"{args.case} is a requirement; its cases: {', '.join(cited)}") from None
        near = [one.id for one in everything.cases if args.case in one.id]
        hint = f"; did you mean {', '.join(near[:5])}" if near else ""
        raise _UsageError(f"no such case: {args.case}{hint}") from None
    if adapter:
        passed, lines = _show.answers(case, adapter, args.timeout)
        print("\n".join(lines))
        return CONFORMS if passed else DOES_NOT
    if args.input is not None:
        if args.input.exists():
            raise _UsageError(f"{args.input} exists already")
        print(_show.lay_out(case, args.input))
        return CONFORMS
    print("\n".join(_show.show(case, everything)))
    return CONFORMS


def _render_command(args: argparse.Namespace) -> int:
    try:
        report = json.loads(args.report.read_bytes())
    except (OSError, ValueError) as error:
        raise _UsageError(f"{args.report}: {error}") from error
    if not isinstance(report, dict) or report.get("report") != _report.REPORT:
        raise _UsageError(f"{args.report}: no report of version {_report.REPORT}")
    if (args.role or args.profile) and args.format != "badge":
        raise _UsageError("--role and --profile are for a badge")
    if args.format != "text" and isinstance(sys.stdout, io.TextIOWrapper):  # files for other programs: elsewhere, what is redirected has another encoding
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    match args.format:
        case "badge":
            print(json.dumps(_report.badge(report, args.role, args.profile), indent=2))
        case "junit":
            print(_report.junit(report), end="")
        case form:
            print(_report.markdown(report) if form == "markdown" else _report.text(report))
    return CONFORMS


def _trace_command() -> int:
    table, grid, problems = _trace.trace(Path(__file__).resolve().parents[2])
    print("\n".join([*_trace.render(table), *grid.render()]))
    for problem in problems:
        print(f"PROBLEM  {problem}")
    return DOES_NOT if problems else CONFORMS


def _dispatch(args: argparse.Namespace, adapter: Sequence[str]) -> int:
    if args.command in {"run", "smoke"} and not adapter:
        raise _UsageError("an adapter's command after -- is needed")
    if args.command not in {"run", "smoke", "show"} and adapter:
        raise _UsageError(f"{args.command} takes no adapter")
    if args.command == "render":
        return _render_command(args)
    if args.command == "trace":
        return _trace_command()
    everything = load(args.suite) if args.suite else suite()
    match args.command:
        case "run":
            return _run_command(args, everything, adapter)
        case "smoke":
            return _smoke_command(args, everything, adapter)
        case "show":
            return _show_command(args, everything, adapter)
        case "list":
            for case in everything.select(args.only or ["*"]):
                print(f"{case.id:60} {case.role:9} {case.profile:8} {case.expect['outcome']:8} {','.join(case.requirements)}  {case.title}")
        case _:
            print(f"{_export.export(args.target, everything)} files: {args.target}", file=sys.stderr)
    return CONFORMS


def _is_unread(error: OSError) -> bool:
    """Whether `error` is what writing the output fails with when who reads it has seen enough."""
    if error.errno != errno.EINVAL:
        return isinstance(error, BrokenPipeError)
    try:
        print(flush=True)
    except OSError:  # Windows has the same number for much else, where an empty line does no harm
        return True
    return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line `arguments` (default: the process's) and returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    own, adapter = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        args = _parser().parse_args(own)
        status = _dispatch(args, adapter)
        sys.stdout.flush()
    except SystemExit as error:
        return int(error.code or 0)
    except (_UsageError, _known.KnownFailuresError, _export.ExistsError) as error:
        print(f"triptych-conformance: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("triptych-conformance: interrupted", file=sys.stderr)
        return UNUSABLE
    except (OSError, SuiteDamagedError, NotPossibleHereError, AdapterError, _trace.NoCheckoutError) as error:
        if isinstance(error, OSError) and _is_unread(error):
            with Path(os.devnull).open("wb") as nothing:  # Python would complain once more when it ends
                os.dup2(nothing.fileno(), sys.stdout.fileno())
            return UNUSABLE
        said = error.strerror if isinstance(error, OSError) and error.filename is None and error.strerror else error
        print(f"triptych-conformance: {said}", file=sys.stderr)
        return UNUSABLE
    return status


if __name__ == "__main__":
    sys.exit(main())
