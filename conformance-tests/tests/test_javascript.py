"""The implementation in JavaScript, from a clean install: its own tests, the suite for every profile that it declares, and beside
the reference, each of them an adapter that is asked: the same model becomes the same bytes.
"""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import random_packages

from triptych_conformance import _cases
from triptych_conformance._adapter import Adapter

TREE = Path(__file__).resolve().parents[2]
PROFILES = {"core", "yaml", "archive", "sharded", "training", "layers", "evaluate", "names"}


def test_its_own_tests_pass(node, installed):
    """Node's test runner finds no failure, and skips nothing."""
    done = subprocess.run([*node[0], "--test", "--test-reporter=tap"], cwd=installed, capture_output=True, text=True, env={**os.environ, "TRIPTYCH_TREE": str(TREE)})
    assert done.returncode == 0, done.stdout
    assert "\n# skipped 0\n" in done.stdout
    assert "\n# todo 0\n" in done.stdout


def test_it_passes_every_profile_it_declares(node, installed, protocol_errors, tmp_path):
    """No case fails, none is known to fail, every problem has the right code and place, and every line keeps the schema of the protocol."""
    report, transcript = tmp_path / "report.json", tmp_path / "transcript.txt"
    command = [sys.executable, "-m", "triptych_conformance", "run", "--jobs", "2", "--report", str(report), "--transcript", str(transcript), "--", *node[0], str(installed / "adapter.mjs")]
    done = subprocess.run(command, cwd=TREE / "conformance-tests", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    said = json.loads(report.read_text(encoding="utf-8"))
    assert set(said["implementation"]["profiles"]) == PROFILES
    applied = [case for case in said["results"] if case["verdict"] != "n/a"]
    assert len(applied) > 1370
    assert {case["verdict"] for case in applied} == {"pass"}
    assert {case["diagnosis"] for case in applied} == {"exact", "n/a"}
    assert protocol_errors(transcript) == []


FORMS = [
    {"form": "directory"}, {"form": "archive"}, {"form": "directory", "spelling": "yaml"}, {"form": "archive", "spelling": "yaml", "max_shard_bytes": 64},
    {"form": "directory", "max_shard_bytes": 1}, {"form": "directory", "spelling": "yaml", "max_shard_bytes": 100},
]
SEEDS = 180


class Writers:
    """Both implementations, asked at once to write the same thing."""

    def __init__(self, javascript, reference):
        self.adapters = {"javascript": javascript, "reference": reference}
        self.pool = ThreadPoolExecutor(2)

    def ask(self, requests):
        """Name of an implementation -> its answer to its request."""
        asked = {name: self.pool.submit(self.adapters[name].ask, {"cmd": "run", "seq": 0, **request}) for name, request in requests.items()}
        return {name: one.result() for name, one in asked.items()}

    def write(self, given, folder, options, *, op="rewrite"):
        """Name -> the path it wrote; each is asked for the same, `given` name -> input."""
        paths = {name: folder / name / ("model.triptych" if options.get("form") == "archive" else "model") for name in given}
        for path in paths.values():
            path.parent.mkdir(parents=True)
        answers = self.ask({name: {"op": op, "input": str(path), "output": str(paths[name]), **options} for name, path in given.items()})
        assert {name: one["outcome"] for name, one in answers.items()} == dict.fromkeys(given, "accepted"), answers
        return paths

    def agree(self, given, folder, options, *, op="rewrite"):
        """The paths written, after a look at every byte of both."""
        paths = self.write(dict.fromkeys(self.adapters, given), folder, options, op=op)
        ours, theirs = (_bytes(paths[name]) for name in self.adapters)
        assert ours.keys() == theirs.keys(), options
        assert [name for name in ours if ours[name] != theirs[name]] == [], (given, options)
        return paths


def _bytes(path):
    """Name -> content of the files at a path."""
    return {one.relative_to(path).as_posix(): one.read_bytes() for one in (path.rglob("*") if path.is_dir() else [path]) if one.is_file()}


@pytest.fixture(scope="session")
def writers(node, installed, reference_command, reference_environment):
    with (
        Adapter([*node[0], str(installed / "adapter.mjs")], timeout=60) as javascript,
        Adapter(reference_command, timeout=60, environment=reference_environment) as reference,
    ):
        javascript.start()
        reference.start()
        yield Writers(javascript, reference)


def test_both_write_every_model_of_the_suite_as_the_same_bytes(suite, writers, tmp_path):
    """Every package that a case accepts in one of the forms, a writer's in each; every byte, so that the digests of their manifests are the same."""
    count = 0
    for case in suite.cases:
        if not case.accepts or case.needs or case.role == "converter":
            continue
        given, op = case.lay_out(tmp_path / case.id / "input"), "rewrite"
        if case.op in _cases.BESIDE:
            given = given / _cases.MODEL
        elif case.op == "write":
            op = "write"
        for number, options in enumerate(FORMS if case.role == "writer" else [FORMS[count % len(FORMS)]]):
            writers.agree(given, tmp_path / case.id / str(number), options, op=op)
        count += 1
        shutil.rmtree(tmp_path / case.id)
    assert count > 700


@pytest.mark.parametrize("first", range(0, SEEDS, 60))
def test_both_write_models_at_random_as_the_same_bytes(first, writers, tmp_path):
    """In each form, and again after each has read in one form what the other wrote in another."""
    for seed in range(first, first + 60):
        folder = tmp_path / str(seed)
        random_packages.write_package(folder / "input", seed)
        read = writers.ask({name: {"op": "read", "input": str(folder / "input")} for name in writers.adapters})
        assert {name: one["outcome"] for name, one in read.items()} == dict.fromkeys(read, "accepted"), read
        said = [{part: value for part, value in one["observed"].items() if part != "parameters"} for one in read.values()]
        assert said[0] == said[1]
        written = [writers.agree(folder / "input", folder / str(number), options) for number, options in enumerate([FORMS[0], FORMS[1 + seed % 5]])]
        crossed = {"javascript": written[1]["reference"], "reference": written[1]["javascript"]}
        again = writers.write(crossed, folder / "again", FORMS[0])
        first_time = _bytes(written[0]["reference"])
        assert [name for name, path in again.items() if _bytes(path) != first_time] == []
        shutil.rmtree(folder)


def test_both_write_the_example_as_the_same_bytes(writers, reference_environment, tmp_path):
    """What the reference makes of a Keras file, JavaScript reads and writes as the very bytes that it read."""
    source = tmp_path / "digits.triptych"
    command = [sys.executable, "-m", "triptych", "convert", str(TREE / "examples" / "digits_cnn.h5"), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **reference_environment})
    assert done.returncode == 0, done.stderr
    for number, options in enumerate(FORMS):
        paths = writers.agree(source, tmp_path / str(number), options)
        if options == {"form": "archive"}:
            assert paths["javascript"].read_bytes() == source.read_bytes()
