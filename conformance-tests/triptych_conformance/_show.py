"""Prints what is needed to debug a case: what it says, how it differs from its twin, and the commands that ask it again."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from triptych_conformance._adapter import PROTOCOL
from triptych_conformance._cases import Case, Suite
from triptych_conformance._run import Runner

Json = Any
SHOWN_BYTES = 512
"""How much of a binary file is spelled out."""
REQUESTS = "requests.jsonl"


def show(case: Case, suite: Suite) -> Iterator[str]:
    """The lines of an account of `case`."""
    yield f"{case.id}: {case.title}"
    cited = ", ".join(f"{name} ({suite.levels.get(name, 'MUST')})" for name in case.requirements)
    yield f"  requirements  {cited}: triptych explain {case.requirements[0]}"
    yield f"  applies to    role {case.role}, profile {case.profile}, operation {case.op}{''.join(f', extension {name}' for name in case.needs)}"
    if case.accepts:
        yield "  expected      accepted; what is to be observed stands below"
    else:
        for problem in (case.expect, *case.expect.get("also", ())):
            yield f"  expected      rejected{': {code} at {place!r}'.format_map(problem) if 'code' in problem else ''}"
    if case.twin is not None:
        yield f"  twin          {case.twin}, accepted; the fault is what differs:"
        yield from (f"    {line}" for line in _differences(suite.case(case.twin), case))
    yield f"  ask it        triptych-conformance run --only {case.id} -- ADAPTER..."
    yield f"  see answers   triptych-conformance show {case.id} -- ADAPTER..."
    yield f"  by hand       triptych-conformance show {case.id} --input DIR, then: ADAPTER... < DIR/{REQUESTS}"
    for path in sorted(path for path in case.folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        yield f"--- {path.relative_to(case.folder).as_posix()} ({len(data)} bytes)"
        yield from _content(data)


def _text(data: bytes) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if any(character < " " and character not in "\n\t" for character in text) else text


def _content(data: bytes) -> Iterator[str]:
    text = _text(data)
    if text is not None:
        yield from text.splitlines()
        return
    for start in range(0, min(len(data), SHOWN_BYTES), 16):
        row = data[start : min(start + 16, SHOWN_BYTES)]
        yield f"{start:08x}  {row.hex(' '):47}  {''.join(chr(byte) if 32 <= byte < 127 else '.' for byte in row)}"
    if len(data) > SHOWN_BYTES:
        yield f"… {len(data) - SHOWN_BYTES} more bytes"


def _input(case: Case) -> dict[str, bytes]:
    folder = case.folder / "input"
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()} if folder.is_dir() else {}
    files |= {name: json.dumps(said).encode() for name, said in case.numbered.items()}
    files |= {name: json.dumps(parts).encode() for name, parts in case.generated.items()}
    return files | {name: f"-> {target}".encode() for name, target in case.links.items()}


def _differences(twin: Case, case: Case) -> Iterator[str]:
    """How the input of `case` differs from that of its `twin`."""
    before, after = _input(twin), _input(case)
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield f"{name} is missing"
        elif name not in before:
            yield f"{name} is there ({len(after[name])} bytes)"
        elif before[name] != after[name]:
            old, new = _text(before[name]), _text(after[name])
            if old is not None and new is not None and old.splitlines() != new.splitlines():
                rows = difflib.unified_diff(old.splitlines(), new.splitlines(), name, name, n=0, lineterm="")
                yield from (row for row in rows if not row.startswith(("---", "@@")))
            else:
                at = next((index for index, pair in enumerate(zip(before[name], after[name], strict=False)) if pair[0] != pair[1]), None)
                place = f"from byte {at} on" if at is not None else "in length"
                yield f"{name} differs {place} ({len(before[name])} and {len(after[name])} bytes)"
    if case.op != twin.op or case.options != twin.options:
        yield f"operation {case.op} {json.dumps(dict(case.options))} in place of {twin.op} {json.dumps(dict(twin.options))}"


def lay_out(case: Case, target: Path) -> Path:
    """Writes the input of `case` into the new folder `target`, and beside it a file of requests to give an adapter; returns its path.

    Raises:
        OSError: `target` cannot be made.
        NotPossibleHereError: The machine refuses a symbolic link.
    """
    target.mkdir(parents=True)
    given = case.lay_out(target.resolve() / "input")
    request: dict[str, Json] = {"cmd": "run", "seq": 0, **case.asks(case.op, given)}
    output = case.output(target.resolve() / "output")
    if output is not None:
        output.parent.mkdir(parents=True)
        request |= case.asks_to_write(output)
        case.lay_existing(output)
    path = target / REQUESTS
    lines = [json.dumps(line) for line in ({"cmd": "start", "protocol": PROTOCOL}, request)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return path


def answers(case: Case, command: Sequence[str], timeout: float) -> tuple[bool, list[str]]:
    """Whether the adapter that `command` starts passes `case`, and the lines of their conversation.

    Raises:
        OSError: The command cannot be started.
        AdapterError: It does not answer `start` properly.
    """
    said: list[str] = []
    runner = Runner(command, timeout=timeout, transcript=lambda direction, line: said.append(f"{direction} {line.decode(errors='replace').rstrip()}"))
    try:
        runner.start()
        judged = runner.run(case)
    except KeyboardInterrupt:
        runner.interrupt()
        raise
    finally:
        runner.stop()
    said += [f"| {line}" for line in judged.stderr.splitlines()]
    said.append(f"{judged.verdict}{f': {judged.detail}' if judged.detail else ''}{'' if judged.diagnosis == 'n/a' else f' (diagnosis: {judged.diagnosis})'}")
    return judged.passed, said
