"""The commands of docs/converting.md run, one after the other, and lead where it says."""

import re
import shlex
import shutil
from pathlib import Path

import triptych
from triptych.cli import main

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "converting.md").read_text()


def test_the_commands_of_the_page_run(tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    for name, text in zip(("to_module.yaml", "names.yaml"), re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL), strict=True):
        Path(name).write_text(text)
    commands = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    assert len(commands) == 5
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "triptych"
        assert main(arguments) == 0, capsys.readouterr().err
    first = triptych.load("examples/digits_cnn.h5")
    for name in ("again.h5", "restored.h5"):
        found = triptych.load(name)
        assert all((array == found.weights[tensor]).all() for tensor, array in first.weights.items())
    assert triptych.load("again.h5").training.state.keys() == first.training.state.keys()
    assert set(triptych.load("renamed.safetensors").weights) == {f"module.{name}" for name in first.weights}
