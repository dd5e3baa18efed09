"""The command ``triptych-conformance``.

Exit status: 0 conforms, 1 does not, 2 wrong usage, 3 could not tell: the adapter or the suite is unusable, or a case could not be judged. Never a count.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych_conformance import _report, _run, _smoke, _trace
from triptych_conformance._adapter import CASE_SECONDS, AdapterError
from triptych_conformance._cases import Suite, SuiteDamagedError, root, suite
from triptych_conformance._judge import UNJUDGED

Json = Any
CONFORMS, DOES_NOT, USAGE, UNUSABLE = 0, 1, 2, 3
RENDERERS = ("text", "markdown", "badge")


class _UsageError(Exception):
    pass


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="triptych-conformance", description="Holds an implementation of Triptych to the specification. The adapter's command stands after --.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run the cases against an adapter", usage="%(prog)s [options] -- ADAPTER...")
    run.add_argument("--only", action="append", metavar="GLOB", help="cases or requirements; may be repeated")
    run.add_argument("--known-failures", type=Path, metavar="FILE", help='TOML: case-id = "reason"; a listed case that passes is an error')
    run.add_argument("--write-known-failures", type=Path, metavar="FILE", help="write the cases that fail now, with what happened")
    run.add_argument("--report", type=Path, metavar="FILE", help="write the JSON report")
    run.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML")
    run.add_argument("--inspect-with", default="", metavar="PYTHON", help="the interpreter that has h5py, TensorFlow, Keras, PyTorch (default: this one)")
    run.add_argument("--timeout", type=float, default=CASE_SECONDS, metavar="SECONDS", help="for one case (default %(default)g)")
    commands.add_parser("smoke", help="is the adapter itself in order?", usage="%(prog)s -- ADAPTER...")
    listing = commands.add_parser("list", help="one line a case")
    listing.add_argument("--only", action="append", metavar="GLOB")
    show = commands.add_parser("show", help="one case in full")
    show.add_argument("case", metavar="CASE")
    export = commands.add_parser("export", help="copy the cases and schemas into a new folder")
    export.add_argument("folder", type=Path, metavar="DIR")
    render = commands.add_parser("render", help="render a JSON report")
    render.add_argument("report", type=Path, metavar="REPORT")
    render.add_argument("--format", choices=RENDERERS, default="text")
    commands.add_parser("trace", help="join specification, schemas, code and cases (in a checkout only)")
    return parser


def _known(path: Path | None, everything: Suite) -> dict[str, str]:
    if path is None:
        return {}
    try:
        known = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _UsageError(f"{path}: {error}") from error
    if wrong := [name for name, reason in known.items() if not isinstance(reason, str) or not reason]:
        raise _UsageError(f"{path}: a reason is needed for {', '.join(wrong)}")
    if unknown := sorted(known.keys() - {case.id for case in everything.cases}):
        raise _UsageError(f"{path}: no such case: {', '.join(unknown)}")
    return known


def _write_known(path: Path, report: Json, failed: set[str]) -> None:
    lines = ["# Cases that fail, and why. Written by `triptych-conformance run --write-known-failures`; replace each reason by yours."]
    for one in report["results"]:
        if one["case"] in failed:
            reason = one.get("known") or f"{one['verdict']}: {one.get('detail', '')}".strip()
            lines.append(f"{one['case']} = {json.dumps(' '.join(reason.split())[:200])}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _run_command(args: argparse.Namespace, adapter: Sequence[str]) -> int:
    everything = suite()
    known = _known(args.known_failures, everything)
    cases = everything.select(args.only or ["*"])
    started = time.monotonic()
    implementation, results = _run.run(adapter, cases, timeout=args.timeout, python=args.inspect_with)
    report = _report.build(everything, implementation, results, known, time.monotonic() - started)
    failed = _report.failing(results, everything.levels)
    if args.report:
        args.report.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    if args.junit:
        args.junit.write_text(_report.junit(report), encoding="utf-8", newline="\n")
    if args.write_known_failures:
        _write_known(args.write_known_failures, report, failed)
        known = known | dict.fromkeys(failed, "")
    stale = sorted(known.keys() & {one.case for one in results if one.passed})
    new = failed - known.keys()
    print(_report.text({**report, "results": [one for one in report["results"] if one["case"] in new or one["verdict"] in {"pass", UNJUDGED}]}))
    for case in stale:
        print(f"STALE    {case} passes; remove it from {args.known_failures}")
    if known:
        print(f"{len(known) - len(stale)} known failures")
    if not any(one.verdict != "n/a" for one in results):
        print("nothing applied to this adapter", file=sys.stderr)
        return DOES_NOT
    if new or stale:
        return DOES_NOT
    return UNUSABLE if any(one.verdict == UNJUDGED for one in results) else CONFORMS


def _smoke_command(adapter: Sequence[str]) -> int:
    steps = _smoke.smoke(adapter, suite())
    for good, text in steps:
        print(f"{'ok' if good else 'NOT OK':7} {text}")
    return CONFORMS if all(good for good, _ in steps) else DOES_NOT


def _show(case_id: str) -> None:
    try:
        case = suite().case(case_id)
    except KeyError:
        raise _UsageError(f"no such case: {case_id}") from None
    for path in sorted(path for path in case.folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        print(f"--- {path.relative_to(case.folder).as_posix()} ({len(data)} bytes)")
        try:
            text = data.decode()
            binary = any(character < " " and character not in "\n\t" for character in text)
        except UnicodeDecodeError:
            binary = True
        if binary:
            shown = data[:512]
            for start in range(0, len(shown), 16):
                row = shown[start : start + 16]
                print(f"{start:08x}  {row.hex(' '):47}  {''.join(chr(byte) if 32 <= byte < 127 else '.' for byte in row)}")
            if len(data) > len(shown):
                print(f"… {len(data) - len(shown)} more bytes")
        else:
            print(text, end="" if text.endswith("\n") else "\n")


def _export(folder: Path) -> None:
    if folder.exists():
        raise _UsageError(f"{folder} exists already")
    suite()
    folder.mkdir(parents=True)
    for name in ("cases", "schemas"):
        shutil.copytree(root() / name, folder / name)
    for name in ("manifest.json", "waived.toml"):
        shutil.copyfile(root() / name, folder / name)


def _render(path: Path, form: str) -> None:
    try:
        report = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _UsageError(f"{path}: {error}") from error
    if not isinstance(report, dict) or report.get("report") != _report.REPORT:
        raise _UsageError(f"{path}: no report of version {_report.REPORT}")
    if form == "badge":
        print(json.dumps(_report.badge(report), indent=2))
    else:
        print(_report.markdown(report) if form == "markdown" else _report.text(report))


def _trace_command() -> int:
    table, problems = _trace.trace(Path(__file__).resolve().parents[2])
    print("\n".join(_trace.render(table)))
    for problem in problems:
        print(f"PROBLEM  {problem}")
    return DOES_NOT if problems else CONFORMS


def _dispatch(args: argparse.Namespace, adapter: Sequence[str]) -> int:
    if (args.command in {"run", "smoke"}) != bool(adapter):
        raise _UsageError(f"{args.command} takes no adapter" if adapter else "an adapter's command after -- is needed")
    match args.command:
        case "run":
            return _run_command(args, adapter)
        case "smoke":
            return _smoke_command(adapter)
        case "list":
            for case in suite().select(args.only or ["*"]):
                print(f"{case.id:60} {case.role:9} {case.profile:8} {case.expect['outcome']:8} {','.join(case.requirements)}  {case.title}")
        case "show":
            _show(args.case)
        case "export":
            _export(args.folder)
        case "render":
            _render(args.report, args.format)
        case _:
            return _trace_command()
    return CONFORMS


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line `arguments` (default: the process's) and returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    own, adapter = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        args = _parser().parse_args(own)
        return _dispatch(args, adapter)
    except SystemExit as error:
        return int(error.code or 0)
    except _UsageError as error:
        print(f"triptych-conformance: {error}", file=sys.stderr)
        return USAGE
    except (OSError, SuiteDamagedError, AdapterError, _trace.NoCheckoutError) as error:
        print(f"triptych-conformance: {error}", file=sys.stderr)
        return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
