"""The trace finds every kind of loose end; each is made on purpose in a small tree."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from triptych_conformance import _trace
from triptych_conformance import __main__ as command

SENTENCE = "**[ABC-001]** A name MUST be short."
ERRORS = '[NAME_LONG]\nrequirements = ["ABC-001"]\nstage = "schema"\nplace = ["MEMBER#…/name: the name"]\nsince = "1.0"\nmessage = "expected a short name, got {name}"\nadvice = "Shorten it."\n'
SCHEMA = {"$comment": "req: ABC-001"}
ACCEPTING = {"id": "abc-001-short", "expect": {"outcome": "accepted"}}
CONVERTING = {"role": "converter", "op": "import", "foreign": {"layout": "numpy", "path": "x"}, "profile": "numpy"}
REFUSING = [
    {**CONVERTING, "id": "abc-001-short", "expect": {"outcome": "accepted"}}, {**CONVERTING, "id": "abc-001-long", "twin": "abc-001-short", "expect": {"outcome": "rejected", "stage": "bytes"}},
    {**CONVERTING, "id": "abc-001-hub", "expect": {"outcome": "accepted"}, "profile": "hub"},
]
"""What is rejected in one layout of two."""
REJECTING = {"id": "abc-001-long", "twin": "abc-001-short", "expect": {"outcome": "rejected", "stage": "schema", "code": "NAME_LONG", "place": "x#/name"}}


@pytest.fixture
def grow(tmp_path):
    """Makes a tree of one requirement, and returns the trace's problems."""
    def problems(spec=SENTENCE, errors=ERRORS, schema=SCHEMA, cases=(ACCEPTING, REJECTING), waived="", source="", levels=None):
        (tmp_path / "spec").mkdir()
        (tmp_path / "spec" / "10-abc.md").write_text(f"# ABC\n\n{spec}\n", encoding="utf-8")
        (tmp_path / "spec" / "errors.toml").write_text(errors, encoding="utf-8")
        (tmp_path / "schemas").mkdir()
        (tmp_path / "schemas" / "abc.schema.json").write_text(json.dumps(schema), encoding="utf-8")
        (tmp_path / "reference" / "triptych").mkdir(parents=True)
        (tmp_path / "reference" / "triptych" / "abc.py").write_text(source, encoding="utf-8")
        suite = tmp_path / "conformance-tests"
        for facts in cases:
            folder = suite / "cases" / "abc" / facts["id"]
            (folder / "input").mkdir(parents=True)
            (folder / "input" / "manifest.json").write_text("{}", encoding="utf-8")
            whole = {"title": "A fact", "requirements": ["ABC-001"], "role": "reader", "profile": "core", "since": "1.0", "op": "read", **facts}
            (folder / "case.json").write_text(json.dumps(whole), encoding="utf-8")
        (suite / "waived.toml").write_text(waived, encoding="utf-8")
        build = Path(__file__).resolve().parents[1] / "build_cases"
        code = (f"import sys, pathlib; sys.path.insert(0, {str(build)!r}); import importlib.util as u; "
                f"s = u.spec_from_file_location('b', {str(build / '__main__.py')!r}); m = u.module_from_spec(s); s.loader.exec_module(m); "
                f"m.HERE = pathlib.Path({str(suite / 'build_cases')!r}); m.write_manifest(pathlib.Path({str(suite)!r}))")
        subprocess.run([sys.executable, "-c", code], check=True)
        if levels is not None:
            manifest = json.loads((suite / "manifest.json").read_bytes())
            (suite / "manifest.json").write_text(json.dumps({**manifest, "requirements": levels}), encoding="utf-8")
        return _trace.trace(tmp_path)[-1]

    return problems


def changed(case, **facts):
    return {**case, **facts}


def test_a_whole_chain_has_no_problem(grow):
    assert grow() == []


@pytest.mark.parametrize(("tree", "problem"), [
    ({"spec": f"{SENTENCE}\n\nA name MUST be long."}, "10-abc.md:5: normative keyword outside a requirement"),
    ({"spec": f"{SENTENCE}\n\n[ABC-002] A name is long."}, "10-abc.md:5: a requirement is written **[ABC-001]** and its whole sentence on the line"),
    ({"spec": f"{SENTENCE}\n\n{SENTENCE}"}, "10-abc.md:5: ABC-001 is defined twice, first at 10-abc.md:3"),
    ({"spec": "**[ABC-001]** A name MUST be short and MAY be empty."}, "10-abc.md:3: ABC-001 has to hold one keyword MUST, SHOULD or MAY, has ['MUST', 'MAY']"),
    ({"spec": f"{SENTENCE}\n\n**[ABC-002]** It SHOULD be pretty."}, "ABC-002: no accepting case"),
    ({"errors": ERRORS.replace("ABC-001", "ABC-009")}, "errors.toml: unknown requirement ABC-009 (NAME_LONG)"),
    ({"errors": ERRORS.replace('stage = "schema"', 'stage = "late"')}, "errors.toml: NAME_LONG has stage 'late'"),
    ({"errors": re.sub("place.*\n", "", ERRORS)}, "errors.toml: NAME_LONG has to say its place exactly if it has requirements"),
    ({"errors": ERRORS.replace("MEMBER", "member")}, "errors.toml: NAME_LONG has the place 'member#…/name: the name', which is of no form"),
    ({"errors": ERRORS.replace("…/name", "…/*/names")}, "abc-001-long: expects NAME_LONG at 'x#/name', which has none of the forms of its places"),
    ({"errors": ERRORS.replace("advice", "hint")}, "errors.toml: NAME_LONG lacks advice"),
    ({"errors": ERRORS + ERRORS.replace("NAME_LONG", "NAME_TOO_LONG")}, "ABC-001: more than one code: NAME_LONG, NAME_TOO_LONG"),
    ({"schema": {}}, "ABC-001: has the code NAME_LONG, and neither a schema nor the reference names it"),
    ({"schema": {"$comment": "req: ABC-001", "items": {"$comment": "req: ABC-003"}}}, "schemas: unknown requirement ABC-003 (abc.schema.json#/items)"),
    ({"schema": {"$comment": "req ABC-001"}}, "abc.schema.json#: $comment 'req ABC-001' is not 'req: ABC-001[, …]'"),
    ({"source": 'findings.add("ABC-007", None, "")\n'}, "reference: unknown requirement ABC-007 (abc.py:1)"),
    ({"cases": (ACCEPTING,)}, "ABC-001: has the code NAME_LONG and no rejecting case"),
    ({"cases": (changed(ACCEPTING, requirements=["ABC-001", "ABC-008"]), REJECTING)}, "cases: unknown requirement ABC-008 (abc-001-short)"),
    ({"cases": (ACCEPTING, changed(REJECTING, twin="abc-001-none"))}, "abc-001-long: twin abc-001-none is not an accepting case of ABC-001"),
    ({"cases": (ACCEPTING, changed(REJECTING, expect={**REJECTING["expect"], "code": "NAME_SHORT"}))}, "abc-001-long: expects NAME_SHORT, ABC-001 has NAME_LONG"),
    ({"cases": (ACCEPTING, changed(REJECTING, expect={**REJECTING["expect"], "stage": "json"}))}, "abc-001-long: says stage json, NAME_LONG has schema"),
    ({"waived": 'ABC-001 = "nobody can see it"\n'}, "ABC-001: waived, yet abc-001-short tests it"),
    ({"waived": 'ABC-005 = "?"\n'}, "waived.toml: ABC-005 is no requirement, or has no reason"),
    ({"cases": REFUSING}, "ABC-001: rejects elsewhere, and has no rejecting case in hub"),
    ({"cases": REFUSING, "waived": '"ABC-001 numpy" = "it holds all"\n'}, "ABC-001: waived in numpy, yet a case rejects there"),
    ({"cases": REFUSING, "waived": '"ABC-001 hdf5" = "it holds all"\n'}, "waived.toml: ABC-001 hdf5 is no requirement with a layout, or has no reason"),
    ({"levels": {"ABC-001": "SHOULD"}}, "manifest.json: the levels are not those of spec/; run build_cases"),
])
def test_a_loose_end_is_found(grow, tree, problem):
    assert problem in grow(**tree)


def test_a_layout_in_which_nothing_can_be_rejected_is_waived_with_a_reason(grow):
    assert grow(cases=REFUSING, waived='"ABC-001 hub" = "it holds all"\n', errors="", schema={}) == []


def test_a_withdrawn_requirement_keeps_its_number(grow):
    assert grow(spec=f"{SENTENCE}\n\n**[ABC-002]** *Withdrawn in 1.1; see ABC-001.*") == []


def test_examples_and_the_meaning_of_the_words_are_no_requirements(grow):
    assert grow(spec=f"{SENTENCE}\n\nThe words MUST and MAY mean what RFC 2119 says.\n\n```\nMUST\n```") == []


def test_the_command_prints_the_table(capsys):
    assert command.main(["trace"]) == 0
    out = capsys.readouterr().out
    assert "DOC-003  MUST   10-documents.md:" in out
    assert "PROBLEM" not in out
    assert re.search(r"^CNV-012 .* \+\d+ -\d+ ", out, re.MULTILINE)
