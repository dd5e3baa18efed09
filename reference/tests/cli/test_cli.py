"""The command line: what it prints and how it ends."""

import json
from pathlib import Path

import pytest

import triptych
from triptych.cli import main


def test_no_command_prints_help_and_is_wrong_usage(capsys):
    assert main([]) == 2
    assert "convert" in capsys.readouterr().out


def test_a_valid_package_is_said_to_be_valid(package_path, capsys):
    assert main(["validate", str(package_path)]) == 0
    assert capsys.readouterr().out == "valid (tensors not read)\n"
    assert main(["validate", "--full", str(package_path)]) == 0
    assert capsys.readouterr().out == "valid\n"


def test_each_of_several_paths_gets_its_verdict(package_path, tmp_path, capsys):
    broken = tmp_path / "broken.triptych"
    broken.write_bytes(package_path.read_bytes()[:-7])
    assert main(["validate", str(package_path), str(broken)]) == 1
    out = capsys.readouterr().out
    assert f"{package_path}: valid" in out
    assert f"{broken}: 1 problem" in out


def test_the_json_report_is_data(package_path, capsys):
    assert main(["validate", "--format", "json", str(package_path)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["results"] == [{"path": str(package_path), "verdict": "valid", "problems": []}]


@pytest.mark.parametrize("content", [b"", b"hello, I am no model", b"\x80\x04\x95\x0c\x00\x00\x00"])
def test_what_is_no_model_could_not_be_told(content, tmp_path, capsys):
    path = tmp_path / "x.h5"
    path.write_bytes(content)
    assert main(["validate", str(path)]) == 3
    assert "valid" not in capsys.readouterr().out.replace("invalid", "")


def test_a_missing_file_could_not_be_told(tmp_path, capsys):
    assert main(["validate", str(tmp_path / "none")]) == 3
    assert main(["summary", str(tmp_path / "none")]) == 3
    assert "none" in capsys.readouterr().err


def test_convert_does_not_replace_unless_forced(package_path, tmp_path, capsys):
    target = tmp_path / "out"
    assert main(["convert", str(package_path), str(target)]) == 0
    assert main(["convert", str(package_path), str(target)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["convert", "--force", str(package_path), str(target)]) == 0


def test_an_option_of_another_layout_is_wrong_usage(package_path, tmp_path, capsys):
    assert main(["convert", "--yaml", str(package_path), str(tmp_path / "m.h5")]) == 2
    assert "--yaml" in capsys.readouterr().err
    assert not (tmp_path / "m.h5").exists()


def test_a_folder_that_is_no_package_is_never_replaced(package_path, tmp_path, capsys):
    target = tmp_path / "thesis"
    target.mkdir()
    (target / "chapter1.txt").write_text("years of work")
    assert main(["convert", "--force", str(package_path), str(target)]) == 2
    assert (target / "chapter1.txt").read_text() == "years of work"


def test_yaml_and_shards_and_panels(package_path, tmp_path):
    assert main(["convert", "--yaml", str(package_path), str(tmp_path / "y")]) == 0
    assert (tmp_path / "y" / "architecture.yaml").exists()
    assert main(["convert", "--max-shard-size", "64B", str(package_path), str(tmp_path / "s")]) == 0
    assert len(list((tmp_path / "s").glob("model-*.safetensors"))) > 1
    assert main(["convert", "--only", "architecture", str(package_path), str(tmp_path / "a.json")]) == 0
    loaded = [triptych.load(tmp_path / name) for name in ("y", "s", "a.json")]
    assert all(m.architecture == loaded[0].architecture for m in loaded)


def test_a_document_edited_by_hand_is_accepted_when_asked_and_sealed_anew(package_path, tmp_path, capsys):
    folder = tmp_path / "edited"
    assert main(["convert", str(package_path), str(folder)]) == 0
    text = (folder / "architecture.json").read_text()
    (folder / "architecture.json").write_text(text.replace('"name": "dense_1"', '"name": "head",\n      "weights": {"kernel": {"tensor": "dense_1.kernel"}, "bias": {"tensor": "dense_1.bias"}}'))
    assert main(["convert", str(folder), str(tmp_path / "refused")]) == 1
    assert "MEMBER_SIZE_MISMATCH" in capsys.readouterr().err
    assert not (tmp_path / "refused").exists()
    assert main(["convert", "--force", "--accept-edits", str(folder), str(folder)]) == 0
    assert main(["validate", "--full", str(folder)]) == 0
    assert [layer.name for layer in triptych.load(folder).architecture.layers] == ["dense_0", "head"]


@pytest.mark.parametrize(("text", "expected"), [("500", 500), ("2KB", 2000), ("2KiB", 2048), ("3 GB", 3 * 10**9)])
def test_sizes(text, expected):
    from triptych.cli.convert import size

    assert size(text) == expected


def test_summary_prints_shapes_and_counts(package_path, capsys):
    assert main(["summary", str(package_path)]) == 0
    out = capsys.readouterr().out
    assert "dense_0" in out
    assert "26" in out


def test_every_code_and_requirement_is_explained(capsys):
    from triptych.errors import registry

    for code in registry():
        assert main(["explain", code]) == 0
        assert code in capsys.readouterr().out
    assert main(["explain", "wgt-001"]) == 0
    assert "[WGT-001]" in capsys.readouterr().out


def test_explaining_what_does_not_exist_is_wrong_usage(capsys):
    assert main(["explain", "NO_SUCH_CODE"]) == 2
    assert "NO_SUCH_CODE" in capsys.readouterr().err


def test_schemas_are_listed_and_printed(capsys):
    assert main(["schema"]) == 0
    names = capsys.readouterr().out.split()
    assert {"architecture", "manifest", "training", "layers/Dense", "reports/validate", "reports/verify", "reports/diff"} <= set(names)
    assert main(["schema", "layers/Dense"]) == 0
    assert json.loads(capsys.readouterr().out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert main(["schema", "dense"]) == 2
    assert "layers/Dense" in capsys.readouterr().err


FIXTURES = Path(__file__).parents[1] / "fixtures" / "keras_yaml"


def test_yaml_that_no_keras_loads_any_more_becomes_text_of_todays(tmp_path, capsys):
    assert main(["convert", str(FIXTURES / "keras-1.2.2.yaml"), str(tmp_path / "new.json"), "--dialect", "keras3"]) == 0
    assert capsys.readouterr().err == ""
    written = json.loads((tmp_path / "new.json").read_text())
    assert written["module"] == "keras.src.models.functional"
    assert {layer["class_name"] for layer in written["config"]["layers"]} >= {"Conv2D", "Add", "Sequential"}
    assert main(["convert", str(tmp_path / "new.json"), str(tmp_path / "new.yaml"), "--dialect", "keras3"]) == 2
    assert "Keras 3 neither writes nor reads" in capsys.readouterr().err


def test_code_of_lambdas_is_left_out_and_said_so_unless_allowed(tmp_path, capsys):
    source, bare, full = FIXTURES / "tensorflow-1.15.0.json", tmp_path / "bare", tmp_path / "full"
    assert main(["convert", str(source), str(bare)]) == 0
    assert "--allow-code" in capsys.readouterr().err
    assert main(["convert", "--allow-code", str(source), str(full)]) == 0
    assert capsys.readouterr().err == ""
    code = json.loads(source.read_text())["config"]["layers"][2]["config"]["function"][0].split()[0]
    assert code not in (bare / "architecture.json").read_text()
    assert code in (full / "architecture.json").read_text()


def test_layers_that_only_keras_knows_and_code_left_out_are_noted(tmp_path, capsys):
    path = str(FIXTURES / "tensorflow-1.15.0.json")
    assert main(["summary", path]) == 0
    out = capsys.readouterr().out
    assert "Note: 'keras:Lambda' is an extension type: kept with its configuration and weights, not evaluated ('twice')" in out
    assert "Note: the code of the lambda" in out
    assert main(["validate", path]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [": note: " in line for line in out] == [True, True, False]
    assert out[-1] == "valid (tensors not read)"
    assert main(["validate", "--format", "json", path]) == 0
    assert len(json.loads(capsys.readouterr().out)["results"][0]["notes"]) == 2
