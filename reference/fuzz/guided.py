"""The engine of atheris: inputs that reach new code of the reference are kept and changed further, by libFuzzer and by our mutators in turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import NoReturn

from fuzz import corpus
from fuzz.execution import Executor, Finding, peak_bytes
from fuzz.mutating import Run

_MOST_FINDINGS = 20


def run(target: str, folder: Path, *, executions: int, seconds: float, seed: int, long_judges: bool = False) -> Run:
    """Run `target` in a process of its own, which a fault of native code may end; new inputs are kept in `folder`.

    A process that ends before its time is a finding, with the input that it had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report, last = folder.parent / f"{folder.name}.report.json", folder.parent / f"{folder.name}.last"
    report.unlink(missing_ok=True)
    facts = {"target": target, "folder": str(folder), "report": str(report), "last": str(last), "executions": executions, "seconds": seconds, "seed": seed, "judges": long_judges}
    said = subprocess.run([sys.executable, "-m", "fuzz.guided", json.dumps(facts)], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False, errors="replace")  # noqa: S603 - ourselves
    found = Run(target)
    if report.exists():
        values = json.loads(report.read_text())
        kinds = values.pop("findings")
        for name, value in values.items():
            setattr(found, name, value)
        found.findings = {kind: Finding(target, kind, text, bytes.fromhex(data)) for kind, (text, data) in kinds.items()}
    if said.returncode or not report.exists() or not found.seconds:
        kind = f"the process ended with {said.returncode}"
        found.note(Finding(target, kind, said.stderr[-4000:], last.read_bytes() if last.exists() else b""))
    return found


def _child(facts: dict[str, object]) -> NoReturn:
    import atheris  # first, so that the reference is instrumented when it is imported

    with atheris.instrument_imports(include=["triptych"], enable_loader_override=False):
        from fuzz import preloading

        preloading.preload()
        from fuzz.targets import TARGETS

    target = TARGETS[str(facts["target"])]
    executor = Executor(target, long_judges=bool(facts["judges"]))
    result = Run(target.name)
    last = Path(str(facts["last"])) if target.native else None
    began = time.monotonic()
    most, seconds = int(str(facts["executions"])), float(str(facts["seconds"]))

    def end() -> None:
        result.executions, result.accepted, result.slowest = executor.executions, executor.accepted, executor.slowest
        result.seconds, result.peak = time.monotonic() - began, peak_bytes()
        values = {name: getattr(result, name) for name in ("executions", "accepted", "slowest", "seconds", "peak")}
        Path(str(facts["report"])).write_text(json.dumps(values | {"findings": {kind: (one.text, one.data.hex()) for kind, one in result.findings.items()}}))

    def one_input(data: bytes) -> None:
        if last is not None:
            last.write_bytes(data)
        result.note(executor.run(data))
        done = executor.executions >= most or len(result.findings) >= _MOST_FINDINGS
        if done or not executor.executions % 2000:
            end()
        if done or (not executor.executions % 100 and time.monotonic() - began > seconds):
            end()
            executor.close()
            os._exit(0)

    def mutate(data: bytes, most_bytes: int, seed: int) -> bytes:
        rng = Random(seed)
        if rng.random() < 0.3:
            return bytes(atheris.Mutate(data, most_bytes))
        return target.mutate(bytes(data), rng)[:most_bytes]

    seeds = corpus.CORPUS / target.name
    seeds.mkdir(parents=True, exist_ok=True)
    options = [f"-max_len={target.longest}", f"-seed={int(str(facts['seed'])) + 1}", "-timeout=120", "-rss_limit_mb=4096", "-handle_segv=1", "-print_final_stats=0", "-verbosity=0"]
    atheris.Setup(["fuzz", *options, f"-artifact_prefix={facts['folder']}-", str(facts["folder"]), str(seeds)], one_input, custom_mutator=mutate)
    atheris.Fuzz()
    raise SystemExit(1)


if __name__ == "__main__":
    _child(json.loads(sys.argv[1]))
