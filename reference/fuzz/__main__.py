"""The command line: ``python -m fuzz run TARGET``, ``replay``, ``minimise``, ``seeds``, ``targets``; README.md says what each is for."""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

from fuzz import attacks, corpus, guided, minimising, mutating, tracing
from fuzz.execution import Executor, Finding
from fuzz.target import Target
from fuzz.targets import TARGETS


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzzing of everything that reads bytes.")
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="execute targets on changed inputs")
    running.add_argument("--runs", type=int, default=100_000, help="executions of each target")
    running.add_argument("--seconds", type=float, default=float("inf"), help="at most so long for each target")
    running.add_argument("--seed", type=int, default=0)
    running.add_argument("--engine", choices=("atheris", "python"), default="atheris")
    running.add_argument("--judges", action="store_true", help="ask the heavy judges too")
    running.add_argument("--found", type=Path, default=Path(tempfile.gettempdir()) / "triptych-fuzz", help="where new inputs and findings are kept")
    replaying = commands.add_parser("replay", help="execute targets on their corpora")
    replaying.add_argument("--lines", action="store_true", help="count the lines of the reference that each corpus passes")
    choosing = commands.add_parser("minimise", help="make corpora of the fewest inputs that pass the same edges")
    choosing.add_argument("--add", type=Path, nargs="*", default=[], help="folders that hold a folder of further inputs for each target")
    seeding = commands.add_parser("seeds", help="write the inputs that corpora begin with")
    seeding.add_argument("--into", type=Path, required=True)
    one = commands.add_parser("one", help="execute a target on files")
    for command in (running, replaying, choosing, seeding, one):
        command.add_argument("target", help="a target, several with commas, or 'all'")
    one.add_argument("files", type=Path, nargs="+")
    commands.add_parser("targets", help="list targets")
    options = parser.parse_args(arguments)
    if options.command == "targets":
        print("\n".join(TARGETS))
        return 0
    chosen = [TARGETS[name] for name in (TARGETS if options.target == "all" else options.target.split(","))]
    found = [finding for target in chosen for finding in _COMMANDS[options.command](target, options)]
    return int(bool(found))


def _run(target: Target, options: argparse.Namespace) -> list[Finding]:
    folder = options.found / target.name
    if options.engine == "atheris":
        result = guided.run(target.name, folder, executions=options.runs, seconds=options.seconds, seed=options.seed, long_judges=options.judges)
    else:
        inputs = corpus.contents(target.name) + [data for _, data in corpus.inputs(target.name, options.found)]
        told = (lambda so_far: so_far.executions % 100_000 or print(so_far, file=sys.stderr, flush=True)) if options.runs > 100_000 else None
        result = mutating.run(target, inputs, executions=options.runs, seed=options.seed, long_judges=options.judges, seconds=options.seconds, told=told)
    print(result, flush=True)
    for finding in result.findings.values():
        _show(finding, options.found)
    return list(result.findings.values())


def _show(finding: Finding, folder: Path | None) -> None:
    print(f"--- {finding.target}: {finding.kind}\n{finding.text}")
    if folder is not None:
        place = folder / "findings"
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"{finding.target}-{hashlib.sha256(finding.data).hexdigest()[:12]}"
        path.write_bytes(finding.data)
        print(f"input: {path}", flush=True)


def _replay(target: Target, options: argparse.Namespace) -> list[Finding]:
    executor = Executor(target)
    found: list[Finding] = []
    passed: set[tuple[str, int]] = set()
    count = total = 0
    for name, data in corpus.inputs(target.name):
        results: list[Finding | None] = []
        if options.lines:
            edges = tracing.edges_of(lambda data=data, results=results: results.append(executor.run(data)))  # type: ignore[misc]
            passed.update((code.co_filename, line) for code, _, line in edges)
        else:
            results.append(executor.run(data))
        for finding in filter(None, results):
            print(name)
            _show(finding, None)
            found.append(finding)
        count, total = count + 1, total + len(data)
    executor.close()
    lines = f"  {len(passed):,} lines of the reference" if options.lines else ""
    print(f"{target.name:18} {count:>5} inputs  {total:>9,} bytes  {executor.accepted:>5} accepted  {len(found)} findings{lines}", flush=True)
    return found


def _minimise(target: Target, options: argparse.Namespace) -> list[Finding]:
    before = dict(corpus.inputs(target.name))
    names = {data: name for name, data in before.items()}
    candidates = list(before.values())
    for folder in options.add:
        for name, data in corpus.inputs(target.name, folder):
            candidates.append(data)
            if not set(name) <= set("0123456789abcdef"):
                names.setdefault(data, name)
    always = {data for data, name in names.items() if name.startswith(("attack-", "small-"))} | set(attacks.ATTACKS.get(target.name, {}).values())
    kept, edges = minimising.chosen(target, candidates, always & set(candidates))
    count = corpus.write(target.name, kept, names)
    print(f"{target.name:18} {len(set(candidates)):>6} inputs, {count:>4} kept, {sum(map(len, kept)):>9,} bytes, {len(edges):>6,} edges", flush=True)
    return []


def _seeds(target: Target, options: argparse.Namespace) -> list[Finding]:
    from fuzz import seeds

    found = dict(seeds.of(target.name))
    count = corpus.write(target.name, found.values(), {data: name for name, data in found.items()}, options.into)
    print(f"{target.name:18} {count:>4} seeds", flush=True)
    return []


def _one(target: Target, options: argparse.Namespace) -> list[Finding]:
    executor = Executor(target)
    found = [finding for path in options.files if (finding := executor.run(path.read_bytes())) is not None]
    for finding in found:
        _show(finding, None)
    executor.close()
    return found


_COMMANDS = {"run": _run, "replay": _replay, "minimise": _minimise, "seeds": _seeds, "one": _one}

if __name__ == "__main__":
    sys.exit(main())
