"""The runner is hard to deceive, says exactly what happened, and fails loudly."""

import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from triptych_conformance import __main__ as command
from triptych_conformance import _cases, _files, _judge, _report, _run
from triptych_conformance._progress import Progress

TREE = Path(__file__).resolve().parents[2]
SUITE = TREE / "conformance-tests"
MINIMAL = [sys.executable, str(SUITE / "adapters" / "minimal.py")]
QUICK = ("cnf-001-*", "cnf-003-*", "doc-00*")
LIARS = ("accept-all", "reject-all", "wrong-seq", "error-all", "skip-all", "novel-word", "no-object", "not-a-number", "chatty", "late-talker")
RESTARTING = ("crash", "garbage")


def held(results):
    return {name for name, holds in _judge.by_requirement(results).items() if holds}


@pytest.mark.parametrize("kind", LIARS)
def test_a_liar_satisfies_no_requirement(kind, liar, suite):
    _, results = _run.run(liar(kind), suite.cases if kind in {"accept-all", "reject-all"} else suite.select(QUICK))
    assert held(results) == set()
    assert _report.failing(results, suite.levels, ["reader"])


@pytest.mark.parametrize("kind", RESTARTING)
def test_an_adapter_that_breaks_down_is_started_again(kind, liar, suite):
    _, results = _run.run(liar(kind), suite.select(["cnf-001-*"]))
    assert {one.verdict for one in results} == {"crash" if kind == "crash" else "protocol"}
    assert held(results) == set()
    assert kind != "crash" or all("boom" in one.stderr for one in results)


def test_a_hanging_adapter_times_out_and_the_run_goes_on(liar, suite):
    _, results = _run.run(liar("hang"), suite.select(["cnf-001-one-*"]), timeout=0.3)
    assert [one.verdict for one in results] == ["timeout", "timeout"]


def test_an_adapter_that_changes_its_input_fails(tmp_path, suite):
    vandal = tmp_path / "vandal.py"
    vandal.write_text(
        f"import pathlib, runpy, sys\nsys.argv = ['minimal']\nmodule = runpy.run_path({MINIMAL[1]!r})\nimport json\n"
        "for line in sys.stdin:\n    request = json.loads(line)\n"
        "    reply = module['START'] if request['cmd'] == 'start' else {'seq': request['seq'], **module['answer'](request)}\n"
        "    if request['cmd'] == 'run':\n        (pathlib.Path(request['input']) / 'note.txt').write_text('I was here')\n"
        "    print(json.dumps(reply), flush=True)\n", encoding="utf-8")
    _, results = _run.run([sys.executable, str(vandal)], suite.select(["cnf-001-one-layer"]))
    assert [(one.verdict, one.detail) for one in results] == [("fail", "the adapter changed its input")]


def test_the_input_path_tells_nothing(suite, tmp_path):
    for case in suite.cases:
        if not case.links:
            path = case.lay_out(tmp_path / "model-x" / "input")
            assert path.name in {"input", "model.triptych", "given.json"}
            assert {re.split("[.-]", one.name)[0] for one in path.glob("foreign/*")} <= {"model"}
            shutil.rmtree(tmp_path / "model-x")


def test_no_case_matching_is_not_success(suite):
    with pytest.raises(_cases.SuiteDamagedError):
        suite.select(["nothing-*"])
    assert command.main(["run", "--only", "nothing-*", "--", *MINIMAL]) == command.UNUSABLE


@pytest.mark.parametrize("damage", ["a case is gone", "a byte changed", "a file too many", "manifest forged", "empty"])
def test_a_missing_case_is_not_silence(damage, tmp_path):
    copy = tmp_path / "suite"
    shutil.copytree(SUITE / "cases" / "cnf", copy / "cases" / "cnf")
    manifest = json.loads((SUITE / "manifest.json").read_bytes())
    if damage == "empty":
        shutil.rmtree(copy / "cases")
        (copy / "cases").mkdir()
        manifest["files"] = {}
    else:
        shutil.rmtree(copy / "cases")
        shutil.copytree(SUITE / "cases", copy / "cases")
        victim = copy / "cases" / "cnf" / "cnf-001-one-layer"
        if damage == "a case is gone":
            shutil.rmtree(victim)
        elif damage == "a byte changed":
            (victim / "expected.json").write_bytes((victim / "expected.json").read_bytes() + b" ")
        elif damage == "a file too many":
            (victim / "input" / "more.json").write_bytes(b"{}")
        else:
            shutil.rmtree(victim)
            manifest["files"] = {name: digest for name, digest in manifest["files"].items() if "/cnf-001-one-layer/" not in name}
            manifest["cases"] -= 1
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(_cases.SuiteDamagedError):
        _cases.load(copy)


# --- judging

@pytest.mark.parametrize(("expected", "got", "at"), [
    ({"a": 1}, {"a": 1.0}, "/a: expected 1, got 1.0"),
    ({"a": True}, {"a": 1}, "/a: expected true, got 1"),
    ([0.0], [-0.0], "/0: expected 0.0, got -0.0"),
    ({"a/b": [1, 2]}, {"a/b": [1]}, "/a~1b has 1 elements, expected 2"),
    ({"a": None}, {}, "/a is missing, expected null"),
    ({}, {"a": "x"}, '/a is unexpected, got x'),
    ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, ""),
])
def test_a_difference_is_placed(expected, got, at):
    assert _judge.difference(expected, got) == at


def test_a_validator_is_given_the_cases_of_a_reader(suite):
    case = suite.case("cnf-001-one-layer")
    assert _judge.op_for(case, ["reader"]) == "read"
    assert _judge.op_for(case, ["validator"]) == "validate"
    assert _judge.op_for(case, ["writer"]) is None
    assert _judge.op_for(suite.case("cnf-004-directory"), ["reader", "validator"]) is None


# --- the command

@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    status = command.main(["run", "--report", str(folder / "report.json"), "--junit", str(folder / "junit.xml"),
                           "--write-known-failures", str(folder / "known.toml"), "--", *MINIMAL])
    assert status == command.CONFORMS
    return folder


def test_the_report_keeps_its_schema(report, schema_errors):
    assert schema_errors("report.schema.json", json.loads((report / "report.json").read_bytes())) == []


def test_junit_counts_what_the_report_counts(report, suite):
    root = ET.parse(report / "junit.xml").getroot()
    facts = json.loads((report / "report.json").read_bytes())
    assert root.get("tests") == str(len(suite.cases)) == str(len(root))
    failed = sum(one["verdict"] not in {"pass", "n/a"} for one in facts["results"])
    assert int(root.get("failures")) == len(root.findall(".//failure")) == failed


@pytest.mark.parametrize("form", ["text", "markdown", "badge"])
def test_a_report_is_rendered(report, form, capsys):
    assert command.main(["render", str(report / "report.json"), "--format", form]) == 0
    shown = capsys.readouterr().out
    assert "core" in shown
    if form == "badge":
        assert set(json.loads(shown)) == {"schemaVersion", "label", "message", "color"}


def test_known_failures_are_exact(report, tmp_path, capsys):
    known = report / "known.toml"
    assert command.main(["run", "--known-failures", str(known), "--", *MINIMAL]) == command.CONFORMS
    stale = tmp_path / "stale.toml"
    stale.write_text(known.read_text(encoding="utf-8") + 'cnf-001-one-layer = "no longer"\n', encoding="utf-8")
    capsys.readouterr()
    assert command.main(["run", "--known-failures", str(stale), "--", *MINIMAL]) == command.DOES_NOT
    assert "STALE    cnf-001-one-layer" in capsys.readouterr().out
    unknown = tmp_path / "unknown.toml"
    unknown.write_text('doc-999-no-such-case = "?"\n', encoding="utf-8")
    assert command.main(["run", "--known-failures", str(unknown), "--", *MINIMAL]) == command.USAGE


@pytest.mark.parametrize(("words", "status"), [
    (["run"], 2), (["juggle"], 2), (["list", "--", "x"], 2), (["show", "no-such-case"], 2), (["render", "no-such-file"], 2),
    (["run", "--", "/no/such/program"], 3), (["run", "--", sys.executable, "-c", "print('hello')"], 3), (["--help"], 0),
    (["show", "cnf-001-one-layer"], 0), (["list"], 0),
])
def test_the_exit_status_is_one_of_four(words, status):
    assert command.main(words) == status


def test_failing_is_status_1_and_never_a_count(liar):
    assert command.main(["run", "--", *liar("reject-all")]) == 1


def test_smoke_judges_the_adapter(liar, capsys):
    assert command.main(["smoke", "--", *MINIMAL]) == 0
    assert command.main(["smoke", "--", *liar("novel-word")]) == 1
    assert "the words are accepted, rejected, skipped, errored" in capsys.readouterr().out
    for kind in ("crash", "garbage", "wrong-seq", "error-all", "accept-all", "reject-all"):
        assert command.main(["smoke", "--", *liar(kind)]) == 1


def test_the_report_is_the_same_whatever_the_number_of_processes(tmp_path, capsys):
    """Rejections, failures with a log and crashes included: what is kept of a log is what was written for the case."""
    reports = []
    crasher = tmp_path / "crasher.py"
    crasher.write_text(
        f"import runpy, sys\nmodule = runpy.run_path({MINIMAL[1]!r})\nimport json\n"
        "for line in sys.stdin:\n    request = json.loads(line)\n"
        "    if request['cmd'] == 'run':\n        reply = {'seq': request['seq'], **module['answer'](request)}\n"
        "        print('asked for', request['op'], file=sys.stderr, flush=True)\n"
        "        if '\"Add\"' in str(reply):\n            sys.exit('no addition here')\n"
        "    else:\n        reply = module['START']\n"
        "    print(json.dumps(reply), flush=True)\n", encoding="utf-8")
    for jobs in ("1", "3"):
        words = ["run", "--only", "arc-00*", "--only", "lyr-001*", "--jobs", jobs, "--report", str(tmp_path / f"{jobs}.json")]
        assert command.main([*words, "--", sys.executable, str(crasher)]) == 1
        reports.append({**json.loads((tmp_path / f"{jobs}.json").read_bytes()), "seconds": 0})
    assert reports[0] == reports[1]
    assert {one["stderr"] for one in reports[0]["results"] if one["verdict"] == "fail"} == {"asked for read\n"}


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_number_of_processes_is_one_or_more(number):
    assert command.main(["run", "--jobs", number, "--", *MINIMAL]) == command.USAGE


def test_every_line_of_a_run_keeps_the_schema_of_the_protocol(reference_command, reference_environment, protocol_errors, tmp_path, monkeypatch):
    """The runner's as the reference's, of every case."""
    for name, value in reference_environment.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "transcript.txt"
    assert command.main(["run", "--jobs", "2", "--transcript", str(path), "--", *reference_command]) == 0
    assert protocol_errors(path) == []


@pytest.mark.parametrize("end", ["time.sleep(60)", "print(5, flush=True); time.sleep(60)"])
def test_an_adapter_is_ended_with_what_it_started(end, suite, tmp_path):
    """A wrapper that is killed would leave a child behind, which holds its output and goes on."""
    child = f"import pathlib, time; time.sleep(2); pathlib.Path({str(tmp_path / 'alive')!r}).touch()"
    program = ("import json, subprocess, sys, time; sys.stdin.readline(); print(json.dumps({'protocol': 1, 'name': 'x', 'version': '0', 'language': 'x', "
               f"'spec': ['1.0'], 'roles': ['reader'], 'profiles': []}}), flush=True); subprocess.Popen([sys.executable, '-c', {child!r}]); sys.stdin.readline(); {end}")
    started = time.monotonic()
    _, results = _run.run([sys.executable, "-c", program], suite.select(["cnf-001-one-layer"]), timeout=0.5)
    assert [one.verdict for one in results] == ["timeout" if end.startswith("time") else "protocol"]
    time.sleep(max(0, started + 3.5 - time.monotonic()))
    assert not (tmp_path / "alive").exists()


@pytest.fixture
def interruptible():
    """Whoever runs the tests in the background of a shell has them ignore Ctrl-C, and what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("words", [["run", "--jobs", "2"], ["show", "cnf-001-one-layer"], ["smoke"]], ids=lambda words: words[0])
def test_an_interrupted_run_ends_at_once_with_all_processes(words, liar, tmp_path):
    """Ctrl-C in the middle of a case that hangs."""
    log = tmp_path / "asked"
    watched = ["sh", "-c", f'echo "$$" >> {shlex.quote(str(log))}; exec {shlex.join(liar("hang"))}']
    command_line = [sys.executable, "-m", "triptych_conformance", *words, "--timeout", "50", "--", *watched]
    with subprocess.Popen(command_line, cwd=SUITE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        number = 2 if "--jobs" in words else 1
        while not log.is_file() or len(log.read_text(encoding="utf-8").splitlines()) < number:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        time.sleep(0.5)
        interrupted = time.monotonic()
        process.send_signal(signal.SIGINT)
        try:
            assert "interrupted" in process.communicate(timeout=40)[1]
        finally:
            process.kill()
    assert process.returncode == command.UNUSABLE
    assert time.monotonic() - interrupted < 4
    for line in log.read_text(encoding="utf-8").splitlines():
        with pytest.raises(ProcessLookupError):
            os.kill(int(line), 0)


def test_a_case_is_shown_with_what_is_needed_to_understand_it(capsys, tmp_path, suite):
    assert command.main(["show", "pkg-004-digest-of-another-file"]) == command.USAGE
    case = next(case for case in suite.cases if case.id.startswith("doc-003-") and not case.accepts)
    assert command.main(["show", case.id]) == 0
    shown = capsys.readouterr().out
    for part in (case.title, f"rejected: {case.expect['code']} at '{case.expect['place']}'", f"twin          {case.twin}", "triptych explain DOC-003",
                 f"triptych-conformance run --only {case.id} -- ADAPTER...", "--- case.json"):
        assert part in shown


def test_a_case_is_asked_by_hand(tmp_path, capsys, protocol_errors):
    folder = tmp_path / "laid"
    assert command.main(["show", "cnf-001-one-layer", "--input", str(folder)]) == 0
    done = subprocess.run(MINIMAL, input=(folder / "requests.jsonl").read_bytes(), capture_output=True, check=True)
    assert json.loads(done.stdout.splitlines()[1])["outcome"] == "accepted"
    assert command.main(["show", "cnf-001-one-layer", "--input", str(folder)]) == command.USAGE
    for case in ("cnf-004-directory", "evl-001-*"):
        name = next(one.id for one in _cases.suite().cases if one.id == case or one.op == "evaluate")
        assert command.main(["show", name, "--input", str(tmp_path / name)]) == 0
        start, request = [json.loads(line) for line in (tmp_path / name / "requests.jsonl").read_text(encoding="utf-8").splitlines()]
        assert protocol_errors([("→", start), ("→", request)]) == []


def test_what_an_adapter_answers_to_a_case_is_shown(liar, capsys):
    assert command.main(["show", "cnf-001-one-layer", "--", *MINIMAL]) == 0
    assert command.main(["show", "cnf-001-one-layer", "--", *liar("reject-all")]) == 1
    shown = capsys.readouterr().out
    assert '← {"seq": 0, "outcome": "rejected", "problems": []}' in shown
    assert "fail: expected accepted, got rejected" in shown


def test_a_badge_is_that_of_a_role_and_a_profile(report, capsys):
    def badge(*words):
        assert command.main(["render", str(report / "report.json"), "--format", "badge", *words]) == 0
        return json.loads(capsys.readouterr().out)

    assert badge()["message"].startswith("core reader ")
    assert badge("--role", "reader", "--profile", "training")["message"].startswith("training reader ")
    assert badge("--role", "writer") == {"schemaVersion": 1, "label": "triptych", "message": "core writer: nothing run", "color": "lightgrey"}
    assert command.main(["render", str(report / "report.json"), "--role", "reader"]) == command.USAGE


def test_what_does_not_apply_is_one_line(report, capsys):
    for form, start in (("text", "not applicable: "), ("markdown", "Not applicable: ")):
        assert command.main(["render", str(report / "report.json"), "--format", form]) == 0
        (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith(start)]
        assert "evaluator " in line
        assert "reader names " in line
        assert len(line) < 250


def test_junit_is_rendered_from_a_report_as_a_run_writes_it(report, capsys):
    assert command.main(["render", str(report / "report.json"), "--format", "junit"]) == 0
    assert capsys.readouterr().out == (report / "junit.xml").read_text(encoding="utf-8")


def test_progress_is_for_terminals(suite):
    class Screen(io.StringIO):
        def __init__(self, *, terminal):
            super().__init__()
            self.isatty = lambda: terminal

    for terminal in (True, False):
        screen = Screen(terminal=terminal)
        progress = Progress(screen, 2)
        for case in suite.cases[:2]:
            progress(_judge.result(case, "fail"))
        assert ("1/2, 1 failing" in screen.getvalue()) is terminal
        progress.clear()
        assert screen.getvalue().endswith("\r") is terminal


def test_the_command_runs_without_the_reference(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from triptych_conformance.__main__ import main; status = main(['list']); "
         "assert not any(name.split('.')[0] in {'triptych', 'numpy', 'yaml', 'jsonschema'} for name in sys.modules); sys.exit(status)"],
        env={"PYTHONPATH": str(SUITE), "PATH": ""}, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr




def test_a_report_takes_the_place_of_the_old_one_whole_or_not_at_all(tmp_path, monkeypatch):
    old, link = tmp_path / "report.json", tmp_path / "latest.json"
    old.write_text("old")
    link.symlink_to(old)
    _files.replace(link, "new\n")
    assert (old.read_bytes(), link.is_symlink()) == (b"new\n", True)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(OSError, match="no space"):
        _files.replace(old, "newer\n")
    assert [(one.name, one.read_bytes()) for one in sorted(tmp_path.iterdir())] == [("latest.json", b"new\n"), ("report.json", b"new\n")]
    _files.replace(Path(os.devnull), "nobody reads this")
    assert not Path(os.devnull).is_file()


IMPRECISE = """
import json, sys
from triptych import adapter
for line in sys.stdin:
    request = json.loads(line)
    answer = adapter.IMPLEMENTATION | {"protocol": 1, "roles": sys.argv[1:], "profiles": ["layer"]} if request["cmd"] == "start" else adapter.answer(request)
    for problem in answer.get("problems", ()):
        problem["place"] += "/somewhere"
    print(json.dumps(answer), flush=True)
"""


@pytest.mark.parametrize(("roles", "status", "said", "unsaid"), [
    (["validator"], command.DOES_NOT, "INEXACT  doc-011-an-array", "--diagnoses"),
    (["reader"], command.CONFORMS, "1 rejection explained otherwise than expected, which a reader may: --diagnoses lists them", "INEXACT"),
])
def test_a_rejection_at_the_wrong_place_counts_against_a_validator_and_is_listed(roles, status, said, unsaid, tmp_path, capsys):
    (tmp_path / "adapter.py").write_text(IMPRECISE, encoding="utf-8")
    asked = ["run", "--only", "doc-011-an-array", "--junit", str(tmp_path / "junit.xml"), "--write-known-failures", str(tmp_path / "known.toml")]
    adapter = ["--", sys.executable, str(tmp_path / "adapter.py"), *roles]
    command.main([*asked, *adapter])
    capsys.readouterr()
    assert command.main(["run", "--only", "doc-011-an-array", *adapter]) == status
    output, errors = capsys.readouterr()
    assert said in output
    assert unsaid not in output
    assert "'layer' is none of the profiles; 'layers' is" in errors
    failures = ET.parse(tmp_path / "junit.xml").getroot().get("failures")
    assert failures == ("1" if status else "0")
    assert ('doc-011-an-array = "inexact: expected' in (tmp_path / "known.toml").read_text(encoding="utf-8")) is bool(status)
    assert command.main(["run", "--only", "doc-011-an-array", "--known-failures", str(tmp_path / "known.toml"), *adapter]) == command.CONFORMS
    capsys.readouterr()
    command.main(["run", "--only", "doc-011-an-array", "--diagnoses", *adapter])
    assert "CODE     doc-011-an-array  [DOC-011]\n         expected DOCUMENT_NOT_OBJECT at 'architecture.json#', got" in capsys.readouterr().out


def test_who_reads_no_further_is_told_nothing(tmp_path):
    script = f"{sys.executable} -m triptych_conformance list | head -n 1"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, cwd=SUITE, check=True)
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


def test_a_command_is_printed_as_it_is_typed(tmp_path, capsys):
    """What stands in a folder with a space can be copied from the output."""
    path = tmp_path / "my adapter.py"
    path.write_text("import runpy\nrunpy.run_path(" + repr(MINIMAL[1]) + ", run_name='__main__')\n", encoding="utf-8")
    assert command.main(["run", "--only", "arc-001*", "--", sys.executable, str(path)]) == 1
    assert shlex.split(capsys.readouterr().err.strip().splitlines()[-1].partition(" -- ")[2]) == [sys.executable, str(path)]


def test_what_cannot_be_started_and_what_is_no_case_is_said_with_what_to_do(tmp_path, capsys):
    assert command.main(["run", "--", str(tmp_path)]) == command.UNUSABLE
    assert "after -- stands the command of a program" in capsys.readouterr().err
    assert command.main(["show", "DOC-011"]) == command.USAGE
    assert "DOC-011 is a requirement; its cases: doc-011-a" in capsys.readouterr().err
