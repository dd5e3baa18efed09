"""What is exported runs by itself, is the same bytes each time, and is all that somebody needs to start."""

import json
import subprocess
import sys
import tarfile
import tomllib
import zipfile

import pytest

from triptych_conformance import __main__ as command
from triptych_conformance import _cases, _export


def unpacked(path, folder):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
    else:
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    return top


@pytest.mark.parametrize("name", ["cases.tar.gz", "cases.zip"])
def test_an_archive_runs_by_itself_and_is_the_same_bytes_each_time(name, tmp_path, suite):
    assert command.main(["export", str(tmp_path / name)]) == 0
    assert command.main(["export", str(tmp_path / "again" / name)]) == 0
    assert (tmp_path / "again" / name).read_bytes() == (tmp_path / name).read_bytes()
    top = unpacked(tmp_path / name, tmp_path / "out")
    assert top.name == f"triptych-conformance-{suite.version}"
    assert _cases.load(top).digest == suite.digest
    words = ["run", "--only", "doc-00*", "--known-failures", "adapters/minimal-py.known-failures.toml", "--report", str(tmp_path / "report.json")]
    done = subprocess.run([sys.executable, "-m", "triptych_conformance", *words, "--", sys.executable, "adapters/minimal.py"],
                          cwd=top, env={"PATH": "", "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "report.json").read_bytes())["suite"]["digest"] == suite.digest
    assert {path.name for path in top.iterdir()} == {
        "triptych_conformance", "cases", "schemas", "adapters", ".gitattributes", "README.md", "PROTOCOL.md", "manifest.json", "waived.toml"}


def test_a_folder_that_was_exported_is_a_suite_to_run(tmp_path, suite, capsys):
    target = tmp_path / "new"
    assert command.main(["export", str(target)]) == 0
    assert _cases.load(target).digest == suite.digest
    assert command.main(["export", str(target)]) == command.USAGE
    minimal = [sys.executable, str(target / "adapters" / "minimal.py")]
    assert command.main(["run", "--suite", str(target), "--only", "cnf-001-one-layer", "--", *minimal]) == 0
    (target / "cases" / "cnf" / "cnf-001-one-layer" / "case.json").unlink()
    assert command.main(["run", "--suite", str(target), "--only", "doc-*", "--", *minimal]) == command.UNUSABLE
    assert "not as manifest.json says: cnf/cnf-001-one-layer/case.json" in capsys.readouterr().err


def test_the_wheel_brings_everything_that_is_exported(tree):
    """What pip installs can export as well: every folder and file is named to the builder."""
    included = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert {f"triptych_conformance/_data/{name}" for name in (*_export.FOLDERS, *_export.FILES)} <= set(included.values())
