"""The README stays true: its Python runs, and CI calls its test command word for word."""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    scope = {}
    exec(block, scope)
    assert scope["model"].weights["conv_1.kernel"].shape == (3, 3, 3, 16)
    promised = re.search(r"print\(report\) +# (.*)", block)[1]
    assert capsys.readouterr().out.rstrip().endswith(promised)


def test_ci_calls_the_test_command_of_the_readme():
    (command,) = re.findall(r"^python3 -m venv .venv-test .*$", README, re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()
