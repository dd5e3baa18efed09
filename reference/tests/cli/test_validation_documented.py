"""The commands of docs/validation.md, of the example workflow and of the commit hook run, and end as they say."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from triptych.cli import main

ROOT = Path(__file__).parents[3]


@pytest.fixture
def models(tmp_path, monkeypatch, dense):
    """A folder with a file of Keras and a package."""
    (tmp_path / "models").mkdir()
    shutil.copy(ROOT / "examples" / "digits_cnn.h5", tmp_path / "models")
    dense(4, 2).save(tmp_path / "models" / "pack")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "models"


def test_the_commands_of_the_page_run(models, capsys):
    (block,) = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "validation.md").read_text(), re.DOTALL)
    assert len(block.splitlines()) == 6
    for command in block.splitlines():
        program, *arguments = shlex.split(command)
        assert program == "triptych"
        assert main([*arguments, "--jobs=1"] if arguments[0] == "validate" else arguments) == 0, capsys.readouterr()


def test_the_workflow_writes_what_it_uploads(models, capsys):
    workflow = yaml.safe_load((ROOT / "examples" / "validate-models.yml").read_text())
    steps = workflow["jobs"]["validate"]["steps"]
    (command,) = [step["run"] for step in steps if step.get("run", "").startswith("triptych ")]
    command, _, file = command.partition(" > ")
    assert main([*shlex.split(command)[1:], "--jobs=1"]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == "2.1.0"
    assert [step["with"]["sarif_file"] for step in steps if "upload-sarif" in step.get("uses", "")] == [file]


def test_the_hook_checks_the_package_around_a_changed_member(models, capsys):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    files = [str(one.relative_to(models.parent)) for one in sorted(models.rglob("*")) if one.is_file() and re.search(hook["files"], str(one))]
    assert files == ["models/digits_cnn.h5", "models/pack/architecture.json", "models/pack/model.safetensors"]
    program, *arguments = shlex.split(hook["entry"])
    assert program == "triptych"
    assert main([*arguments, *files]) == 0
    assert capsys.readouterr().out.splitlines() == ["models/digits_cnn.h5: valid (tensors not read)", "models/pack: valid (tensors not read)"]
    text = (models / "pack" / "architecture.json").read_text()
    (models / "pack" / "architecture.json").write_text(text.replace('"Dense"', '"Dance"', 1))
    assert main([*arguments, "models/pack/architecture.json"]) == 1
    assert "LAYER_TYPE_UNKNOWN" in capsys.readouterr().out
    assert not any(re.search(hook["files"], name) for name in ("package.json", "web/manifest.json", "train.py", "a/h5"))
