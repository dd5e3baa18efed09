"""The schemas say the same to three validators that share no code: ours, check-jsonschema and Ajv.

Every document that a case of stage schema or an accepting case gives to a reader is shown to all of them: the documents as the files they
are, JSON and YAML (those in archives as data), and what they hold of a layer, a loss or another component as a value of its own.
"""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from triptych import adapter
from triptych.documents import parse_json, parse_yaml, schemas
from triptych.errors import Findings, InvalidModelError

TREE = Path(__file__).resolve().parents[2]
SCHEMAS = TREE / "schemas" / "1.0"
KINDS = ("manifest", "architecture", "training", "shard_index")
BEYOND_SCHEMAS = {
    "lyr-003-activation-of-another-family": "which types are activations is a table of the vocabulary",
    "lyr-003-activation-that-halves": "the same table: an activation keeps its input's shape",
    "lyr-003-activation-with-weights": "the same table: an activation owns no weights",
}
"""Cases of stage schema that the schemas accept, and why."""
UNREAD = {"doc-018-an-end-and-another": "ruamel.yaml and the package yaml see an empty document before a second end"}
"""Cases whose YAML the other validators cannot read, and why."""


@pytest.fixture(scope="module")
def judged(suite, inputs, tmp_path_factory):
    """Schema and path of every document and component, each once; and per case those of its own."""
    folder = tmp_path_factory.mktemp("components")
    listed, by_case = {}, {}
    real = schemas.check
    with pytest.MonkeyPatch.context() as patch:
        for case in suite.cases:
            if (not case.accepts and case.expect["stage"] != "schema") or case.id in UNREAD:
                continue
            given, found = inputs[case.id], by_case.setdefault(case.id, set())

            def check(name, data, findings, prefix="", *, given=given, found=found):
                if name not in KINDS or not any(kind_of(path) == name for path in given.rglob("*")):  # an archive, or a document of another name
                    path = listed.setdefault((name, json.dumps(data)), folder / f"{len(listed):05}.json")
                    found.add((name, path))
                real(name, data, findings, prefix)

            patch.setattr(schemas, "check", check)
            for path in sorted(given.rglob("*")) if given.is_dir() else ():
                if kind := kind_of(path):
                    found.add((kind, listed.setdefault((kind, path.read_bytes()), path)))
            request = case.asks(case.op if case.op in {"names", "validate"} else "read", given)
            adapter.answer({"cmd": "run", "seq": 1, **request}, frozenset())
    for (name, text), path in listed.items():
        if isinstance(text, str):
            path.write_text(text, encoding="utf-8")
    return [(name, path) for (name, _), path in listed.items()], by_case


def kind_of(path):
    """The schema of a document, by the names that the cases use."""
    stem = path.name.split(".")[0]
    if path.name.endswith(".safetensors.index.json"):
        return "shard_index"
    return stem if stem in KINDS and path.suffix in {".json", ".yaml"} and path.is_file() else None


@pytest.fixture(scope="module")
def ours(judged):
    """What the schemas say through our validator: the paths that it refuses."""
    return {path for name, path in judged[0] if refused(name, path)}


def refused(name, path):
    findings = Findings()
    parse = parse_yaml if path.suffix == ".yaml" else partial(parse_json, size_limit=1 << 30)
    schemas.check(name, parse(path.read_bytes(), findings), findings)
    return [one for one in findings.problems if one.requirement != schemas.INTEGER]


def test_check_jsonschema_refuses_what_we_refuse(judged, ours, tmp_path):
    refuses, names = set(), sorted({name for name, _ in judged[0]} - set(KINDS))
    # One schema for all components: a file holds one, under the name of its schema.
    wrapper = tmp_path / "components.json"
    wrapper.write_text(json.dumps({"properties": {name: {"$ref": f"{name}.schema.json"} for name in names}, "additionalProperties": False}))
    wrapped = {}
    for name, path in judged[0]:
        if name not in KINDS:
            wrapped[str(tmp_path / path.name)] = path
            (tmp_path / path.name).write_text(f"{{{json.dumps(name)}: {path.read_text(encoding='utf-8')}}}", encoding="utf-8")
    runs = [(SCHEMAS / f"{kind}.schema.json", {str(path): path for name, path in judged[0] if name == kind}) for kind in KINDS]
    for schema, files in [*runs, (wrapper, wrapped)]:
        command = [sys.executable, "-m", "check_jsonschema", "--base-uri", f"{SCHEMAS.as_uri()}/", "--schemafile", str(schema), "--output-format", "json", *files]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode in {0, 1}, done.stderr
        report = json.loads(done.stdout)
        assert report.get("parse_errors", []) == []
        refuses |= {files[error["filename"]] for error in report.get("errors", [])}
    assert refuses == ours


def test_ajv_refuses_what_we_refuse(judged, ours, node, installed, tmp_path):
    (tmp_path / "list.json").write_text(json.dumps([(name, str(path)) for name, path in judged[0]]))
    script = Path(__file__).with_name("ajv_judge.mjs")
    done = subprocess.run([*node[0], str(script), str(installed), str(SCHEMAS), str(tmp_path / "list.json")], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    verdicts = json.loads(done.stdout)
    assert {path for (_, path), said in zip(judged[0], verdicts, strict=True) if said is not None} == ours


def test_every_fault_of_stage_schema_is_one_that_the_schemas_say(suite, judged, ours):
    accepted = {case.id for case in suite.cases if case.expect.get("stage") == "schema" and not any(path in ours for _, path in judged[1][case.id])}
    assert accepted == set(BEYOND_SCHEMAS)
    assert not any(path in ours for case in suite.cases if case.accepts and case.id not in UNREAD for _, path in judged[1][case.id])
    assert len(judged[0]) > 2200
