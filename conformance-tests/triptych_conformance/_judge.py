"""Compares what an adapter answers with what a case expects; knows neither processes nor output formats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych_conformance._adapter import short
from triptych_conformance._cases import CORE, EVALUATE, EXPORT, IMPORT, UPDATE, Case, digests
from triptych_conformance._difference import difference
from triptych_conformance._foreign import read_otherwise, written_otherwise
from triptych_conformance._inspect import Seen
from triptych_conformance._numbers import departure

Json = Any
OUTCOMES = ("accepted", "rejected", "skipped", "errored")
OBSERVED = ("sections", "architecture", "training", "tensors", "state", "assets")
"""Members of an observation that are always judged; others only where a case expects them."""
COUNTED = ("pass", "fail", "skip", "crash", "timeout", "protocol")
"""Verdicts of cases that were decided; the rest is "n/a" and UNJUDGED."""
INEXACT = ("code", "none")
"""Diagnoses that a reader may give, and a validator may not."""
UNJUDGED = "unjudged"
"""The verdict of a case that applies, and that nobody here can decide: the reader that has to look at the file is not installed."""


@dataclass(slots=True)
class Result:
    """What became of one case."""

    case: str
    requirements: tuple[str, ...]
    role: str
    profile: str
    verdict: str
    """pass, fail, skip, crash, timeout, protocol, unjudged or n/a."""
    diagnosis: str = "n/a"
    """exact (code and place), code or none: how well a rejection was explained. Never changes `verdict` of a reader."""
    detail: str = ""
    stderr: str = field(default="", repr=False)

    @property
    def passed(self) -> bool:
        """Whether the case counts for the implementation."""
        return self.verdict == "pass"


def counts_against(one: Result, roles: Iterable[str]) -> bool:
    """Whether the case counts against an implementation with `roles`: a validator has to say code and place, also of what a reader only refuses."""
    return one.verdict in COUNTED and (not one.passed or ("validator" in roles and one.diagnosis in INEXACT))


def result(case: Case, verdict: str, detail: str = "", *, diagnosis: str = "n/a", stderr: str = "") -> Result:
    """A `Result` of `case`."""
    return Result(case.id, case.requirements, case.role, case.profile, verdict, diagnosis, detail, stderr)


def op_for(case: Case, roles: Iterable[str]) -> str | None:
    """The operation to ask of an implementation with `roles`; None where the case does not apply to it.

    What a reader has to reject, a validator has to reject too; it is not asked what it saw.
    """
    if case.role in roles:
        return case.op
    return "validate" if case.role == "reader" and "validator" in roles else None


def applies(case: Case, implementation: Mapping[str, Json]) -> bool:
    """Whether `case` is within what the implementation declared; `core` cannot be declined."""
    known = implementation.get("extensions", ())
    return (
        op_for(case, implementation["roles"]) is not None
        and case.profile in {CORE, *implementation["profiles"]}
        and all(name in known for name in case.needs)
    )


def observation(expected: Json, got: Json) -> str:
    """How the observation `got` differs from every allowed one."""
    allowed = expected.get("any_of", [expected])
    if not isinstance(got, dict):
        return f'expected an object "observed", got {short(got)}'
    found = ""
    for one in allowed:
        seen = {name: value for name, value in got.items() if name in OBSERVED or name in one}
        if not (found := difference(one, seen)):
            return ""
    return "observed" + found


NUMBERS = {EVALUATE: "outputs", UPDATE: "tensors"}
"""Operation -> the member of an observation whose tensors are compared within a tolerance."""


def _numbers(case: Case, op: str, got: Json) -> str:
    """How the tensors that `op` yielded depart from the expected ones."""
    member = NUMBERS[op]
    yielded = got.get(member) if isinstance(got, dict) else None
    if not isinstance(yielded, dict):
        return f'expected an object "{member}" in "observed", got {short(got)}'
    expected = case.expected[member]
    if expected.keys() != yielded.keys():
        return f"expected {member} {', '.join(expected)}, got {short(', '.join(yielded))}"
    for name, tensor in expected.items():
        if said := departure(tensor, yielded[name], case.tolerance or {}):
            return f"{member.removesuffix('s')} {name} {said}"
    return ""


def _diagnosis(expect: Mapping[str, Json], answer: Mapping[str, Json]) -> str:
    if "code" not in expect:
        return "n/a"  # a writer's refusal: what it says is its own
    problems = answer.get("problems")
    given = [problem for problem in problems if isinstance(problem, dict)] if isinstance(problems, list) else []
    exact = {(str(problem.get("code")), str(problem.get("place"))) for problem in given}
    wanted = [expect, *expect.get("also", ())]
    if all((problem["code"], problem["place"]) in exact for problem in wanted):
        return "exact"
    return "code" if {problem["code"] for problem in wanted} <= {code for code, _ in exact} else "none"


def _files(wanted: Path, got: Path) -> str:
    """How the package at `got`, the only thing in its folder, differs from the files of `wanted`."""
    if not got.exists():
        return "accepted, but nothing was written"
    prefix = "" if got.is_file() else f"{got.name}/"
    expected = {prefix + name: digest for name, digest in digests(wanted).items()}
    present = digests(got.parent)
    for name in sorted(expected.keys() | present.keys()):
        if name not in present:
            return f"{name} was not written"
        if name not in expected:
            return f"{name} was written and is not expected"
        if expected[name] != present[name]:
            return f"{name} differs from the expected bytes"
    return ""


def _conversion(case: Case, op: str, answer: Mapping[str, Json], seen: Seen | None) -> Result:
    """The verdict on a foreign file that was read, or that was written and looked at."""
    lost = answer.get("not_kept", [])
    if not isinstance(lost, list) or not all(isinstance(one, str) for one in lost):
        return result(case, "fail", f'expected a list of sentences "not_kept", got {short(lost)}')
    if case.foreign.get("loses") and not any(lost):
        return result(case, "fail", 'something cannot be kept, and no sentence in "not_kept" says so')
    if op == IMPORT:
        found = read_otherwise(case.expected, answer.get("observed"))
    elif seen is None:
        found = "accepted, but nothing was written"
    elif seen.missing:
        return result(case, UNJUDGED, seen.missing)
    else:
        found = f"{case.foreign['reader']} refuses the file: {seen.refused}" if seen.facts is None else written_otherwise(case.expected, seen.facts)
    return result(case, "fail" if found else "pass", found)


def judge(case: Case, seq: int, answer: Mapping[str, Json], *, op: str, output: Path | None = None, seen: Seen | None = None) -> Result:
    """The verdict on `answer` to the request `seq` to perform `op` on the input of `case`; `seen` is what a stranger's reader made of `output`."""
    outcome = answer.get("outcome")
    if type(answer.get("seq")) is not int or answer.get("seq") != seq:
        return result(case, "protocol", f"expected \"seq\": {seq}, got {short(answer.get('seq'))}")
    if outcome not in OUTCOMES:
        return result(case, "protocol", f"expected an outcome {', '.join(OUTCOMES)}, got {short(outcome)}")
    if outcome == "skipped":
        return result(case, "skip", short(answer.get("reason", "no reason given")))
    if outcome == "errored":
        return result(case, "fail", "internal error: " + str(answer.get("detail", "")).strip()[-400:])
    if outcome != case.expect["outcome"]:
        return result(case, "fail", f"expected {case.expect['outcome']}, got {outcome} {short(answer.get('problems', ''), 400)}".rstrip())
    if not case.accepts and op in (IMPORT, EXPORT):
        return result(case, "pass")  # what others call the faults of their files is their business
    if not case.accepts:
        diagnosis = _diagnosis(case.expect, answer)
        if case.role == "validator" and diagnosis != "exact":
            return result(case, "fail", f"expected {short(dict(case.expect), 400)}, got {short(answer.get('problems'), 400)}", diagnosis=diagnosis)
        detail = "" if diagnosis in {"exact", "n/a"} else f"expected {case.expect['code']} at {case.expect['place']!r}, got {short(answer.get('problems'), 400)}"
        return result(case, "pass", detail, diagnosis=diagnosis)
    if op in (IMPORT, EXPORT):
        return _conversion(case, op, answer, seen)
    found = ""
    if output is not None:
        found = _files(case.folder / "written", output)
    elif op in NUMBERS:
        found = _numbers(case, op, answer.get("observed"))
    elif op != "validate":
        found = observation(case.expected, answer.get("observed"))
    return result(case, "fail" if found else "pass", found)


def by_requirement(results: Iterable[Result]) -> dict[str, bool | None]:
    """Requirement -> whether it holds: every case that cites it passes, the accepting ones too. None: no case applied, or one could not be judged."""
    table: dict[str, list[Result]] = {}
    for one in results:
        for requirement in one.requirements:
            table.setdefault(requirement, []).append(one)
    held: dict[str, bool | None] = {}
    for requirement, ones in sorted(table.items()):
        counted = [one for one in ones if one.verdict in COUNTED]
        good = all(one.passed for one in counted)
        held[requirement] = None if good and (not counted or any(one.verdict == UNJUDGED for one in ones)) else good
    return held
