"""The cases themselves are in order: shapes, names, twins, one fault each, and rebuilt to the byte."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from triptych_conformance import _cases, _trace

TREE = Path(__file__).resolve().parents[2]
SUITE = TREE / "conformance-tests"
CASES = _cases.load(SUITE).cases
BY_ID = {case.id: case for case in CASES}
SMALL = 64 * 1024


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_is_in_order(case, schema_errors):
    facts = json.loads((case.folder / "case.json").read_bytes())
    assert schema_errors("case.schema.json", facts) == []
    assert case.folder.name == case.id
    assert case.folder.parent.name == case.id[:3]
    assert case.requirements[0].lower() == case.id[:7]
    assert not re.search(r"\bshould\b", case.title, re.IGNORECASE)
    names = {path.name for path in case.folder.iterdir()}
    everything_is_made = bool(case.generated) and "input" not in names
    wanted = {"case.json"} | ({"input"} if not everything_is_made else set()) | ({"expected.json"} if case.accepts else set())
    assert "existing" not in names or case.op in {"write", "rewrite"}
    assert names - {"existing"} == wanted | ({"written"} if case.accepts and case.op in {"write", "rewrite"} else set())
    if case.accepts:
        for one in case.expected.get("any_of", [case.expected]):
            if case.op == "export":
                continue  # what somebody else's reader sees
            one = {name: value for name, value in one.items() if name != "defaults"}
            part = {"evaluate": "#/$defs/evaluation", "update": "#/$defs/update", "names": "#/$defs/names"}.get(case.op, "#/$defs/observation")
            assert schema_errors("protocol.schema.json", one, part) == []
        assert len(case.expected.get("any_of", [0])) <= 3
    else:
        assert case.twin is not None
        assert BY_ID[case.twin].accepts
        assert set(case.requirements) <= set(BY_ID[case.twin].requirements)
        twin = BY_ID[case.twin]  # applies wherever the case does, so that nobody holds a requirement by rejecting everything
        assert (twin.role, twin.profile in {case.profile, "core"}, set(twin.needs) <= set(case.needs)) == (case.role, True, True)
    assert sum(path.stat().st_size for path in case.folder.rglob("*") if path.is_file()) <= 4 * SMALL


def test_identifiers_are_unique_in_any_case_of_letters():
    names = [case.id for case in CASES]
    assert len({name.casefold() for name in names}) == len(names)


def test_no_file_name_is_lost_on_a_system_that_ignores_case():
    names = [path.relative_to(SUITE).as_posix() for path in (SUITE / "cases").rglob("*")]
    assert len({name.casefold() for name in names}) == len(names)
    assert [name for name in names if re.search(r'[<>:"\\|?*]|[. ]$', name)] == []


def test_the_cases_are_what_their_declarations_build(tmp_path):
    done = subprocess.run([sys.executable, str(SUITE / "build_cases"), str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert _cases.digests(tmp_path / "cases") == _cases.digests(SUITE / "cases")
    assert (tmp_path / "manifest.json").read_bytes() == (SUITE / "manifest.json").read_bytes()


def test_every_requirement_is_traced():
    assert _trace.trace(TREE)[-1] == []


@pytest.mark.parametrize("folder", ["triptych_conformance", "build_cases", "adapters", "mutants/liar.py"])
def test_the_suite_does_not_import_the_reference(folder):
    root = SUITE / folder
    files = [root] if root.is_file() else sorted(root.rglob("*.py"))
    assert files
    for path in files:
        assert not re.search(r"^\s*(import|from) triptych\b(?!_)", path.read_text(encoding="utf-8"), re.MULTILINE), path


@pytest.mark.parametrize("folder", ["triptych_conformance", "build_cases"])
def test_the_suite_needs_nothing_but_the_standard_library(folder):
    allowed = sys.stdlib_module_names | {"triptych_conformance"} | {path.stem for path in (SUITE / folder).glob("*.py")}
    for path in sorted((SUITE / folder).rglob("*.py")):
        for name in re.findall(r"^\s*(?:import|from) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert name in allowed, f"{path}: {name}"


# --- one fault a case

def leaves(node, at=""):
    if isinstance(node, dict) and node:
        return {place: value for key, item in node.items() for place, value in leaves(item, f"{at}/{key}").items()}
    if isinstance(node, list) and node:
        return {place: value for index, item in enumerate(node) for place, value in leaves(item, f"{at}/{index}").items()}
    return {at: repr(node)}


def input_files(case):
    return {path.relative_to(case.folder / "input").as_posix(): path.read_bytes() for path in (case.folder / "input").rglob("*") if path.is_file()}


def test_a_rejecting_case_differs_from_its_twin():
    for case in CASES:
        if not case.accepts:
            twin = BY_ID[case.twin]
            same = input_files(case) == input_files(twin) and case.links == twin.links and case.generated == twin.generated and case.numbered == twin.numbered
            found = [_cases.digests(one.folder / "existing") for one in (case, twin)]
            assert not same or (case.op, case.options, found[0]) != (twin.op, twin.options, found[1]), case.id


# --- examples of the specification

FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
TAG = re.compile(r"(?P<language>json|yaml) case=(?P<case>[a-z0-9-]+) member=(?P<member>\S+?)(?: at=(?P<at>\S*))?")
BLOCKS = [
    pytest.param(found["info"], found["body"], id=f"{path.name}:{path.read_text(encoding='utf-8')[:found.start()].count(chr(10)) + 1}")
    for path in sorted((TREE / "spec").rglob("*.md")) for found in FENCE.finditer(path.read_text(encoding="utf-8"))
    if found["info"].split(" ")[0] in {"json", "yaml"}
]


def part(value, pointer):
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        value = value[int(key) if isinstance(value, list) else key]
    return value


@pytest.mark.parametrize(("info", "body"), BLOCKS)
def test_an_example_of_the_specification_is_part_of_a_case(info, body):
    import yaml

    tag = TAG.fullmatch(info)
    assert tag, f"expected ```json case=… member=… at=…, got ```{info}"
    case = BY_ID[tag["case"]]
    assert case.accepts, "an example shows what is right"
    expected = tag["member"] == "expected.json"
    text = (case.folder / ("" if expected else "input") / tag["member"]).read_text(encoding="utf-8")
    if tag["at"] is None:
        assert body == text
        return
    load = yaml.safe_load if tag["member"].endswith(".yaml") else json.loads
    example = yaml.safe_load(body) if tag["language"] == "yaml" else json.loads(body)
    assert example == part(load(text), tag["at"])
