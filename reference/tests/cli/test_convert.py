"""``triptych convert``: rehearsed, renamed, joined; what it prints and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import triptych
from triptych.cli import main
from triptych.layouts import LAYOUTS
from triptych.model import Panels, Tensor, Weights

EXAMPLE = Path(__file__).parents[3] / "examples" / "digits_cnn.h5"


def rehearsed(capsys, *arguments, status=0):
    assert main(["convert", *map(str, arguments), "--dry-run", "--format", "json"]) == status
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", ["x.pt", "x.h5", "x.keras", "x.weights.h5", "x.npz", "x.triptych", "x", "x.safetensors", "x.ckpt", "x.json", "x.yaml"])
def test_a_dry_run_writes_nothing_and_says_what_a_conversion_then_does(tmp_path, capsys, name):
    report = rehearsed(capsys, EXAMPLE, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    assert main(["convert", str(EXAMPLE), str(tmp_path / name), "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert list(tmp_path.iterdir()) == []
    assert "nothing was written" in out
    assert [line.removeprefix("not kept: ") for line in err.splitlines()] == report["not_kept"]
    assert all(row["target"] in out for row in report["tensors"])
    assert main(["convert", str(EXAMPLE), str(tmp_path / name)]) == 0
    assert capsys.readouterr().err == err
    assert report["source"] == {"path": str(EXAMPLE), "layout": "keras-hdf5", "tensors": 26, "bytes": 311_288}
    panels = [source["panel"] for row in report["tensors"] for source in row["sources"]] + [one["panel"] for one in report["left"]]
    assert (panels.count("weights"), panels.count("training")) == (10, 16)


def test_the_report_says_what_each_tensor_is_made_of(tmp_path, capsys):
    rows = {row["target"]: row for row in rehearsed(capsys, EXAMPLE, tmp_path / "x.keras")["tensors"]}
    assert rows["layers/conv2d/vars/0"] == {
        "target": "layers/conv2d/vars/0", "member": "model.weights.h5", "dtype": "float32", "shape": [3, 3, 3, 16], "changes": ["renamed"],
        "sources": [{"name": "conv_1.kernel", "panel": "weights", "dtype": "float32", "shape": [3, 3, 3, 16]}],
    }  # fmt: skip
    assert rows["optimizer/vars/0"]["changes"] == ["made"]
    assert rows["optimizer/vars/0"]["sources"] == []


def test_what_is_turned_round_or_cast_is_said(dense, tmp_path, capsys):
    """A kernel that lies as PyTorch has it is turned round for Keras; one of another dtype is cast for a model that asks for its own."""
    model = dense(4)
    reference = triptych.model.WeightReference("dense_0.kernel", (1, 0))
    (layer,) = model.architecture.layers
    turned = triptych.model.Architecture((triptych.model.Layer(layer.name, layer.type, layer.config, weights={"kernel": reference}),), model.architecture.inputs)
    weights = Weights.from_arrays({"dense_0.kernel": model.weights["dense_0.kernel"].T.copy(), "dense_0.bias": model.weights["dense_0.bias"]})
    triptych.save(triptych.Model(Panels(architecture=turned, weights=weights)), tmp_path / "turned.triptych")
    rows = rehearsed(capsys, tmp_path / "turned.triptych", tmp_path / "x.h5")["tensors"]
    assert [(row["shape"], row["changes"]) for row in rows] == [([3, 4], ["renamed", "re-laid"]), ([4], ["renamed"])]
    half = {name: array.astype(np.float16) for name, array in model.weights.items()}
    triptych.save(triptych.Model(Panels(weights=Weights.from_arrays(half))), tmp_path / "half.safetensors")
    triptych.save(model, tmp_path / "m.triptych")
    rows = rehearsed(capsys, tmp_path / "half.safetensors", tmp_path / "y.triptych", "--architecture", tmp_path / "m.triptych")["tensors"]
    assert [(row["dtype"], row["changes"]) for row in rows] == [("float32", ["cast"])] * 2


def test_a_dry_run_fails_as_the_conversion_would(tmp_path, capsys):
    (tmp_path / "there.triptych").write_bytes(b"")
    assert main(["convert", str(EXAMPLE), str(tmp_path / "there.triptych"), "--dry-run"]) == 2
    assert main(["convert", str(EXAMPLE), str(tmp_path / "x.unknown"), "--dry-run"]) == 2
    assert main(["convert", str(tmp_path / "there.triptych"), str(tmp_path / "x"), "--dry-run"]) == 3
    assert main(["convert", str(EXAMPLE), str(tmp_path / "x.h5"), "--format", "json"]) == 2
    assert "--dry-run" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["there.triptych"]


def test_weights_alone_become_a_whole_model_again(tmp_path, capsys):
    triptych.save(triptych.load(EXAMPLE, rename={"**": "net.$1"}), tmp_path / "w.safetensors", only="weights")
    (tmp_path / "names.yaml").write_text("net.**: $1\n")
    arguments = [str(tmp_path / "w.safetensors"), str(tmp_path / "m.h5"), "--architecture", str(EXAMPLE)]
    assert main(["convert", *arguments]) == 1
    assert "expected this weight in the source, found none; there is 'net.conv_1.kernel'" in capsys.readouterr().err
    assert not (tmp_path / "m.h5").exists()
    report = rehearsed(capsys, *arguments, "--rename", tmp_path / "names.yaml")
    assert report["tensors"][0]["sources"][0]["name"] == "net.conv_1.kernel"
    assert main(["convert", *arguments, "--rename", str(tmp_path / "names.yaml")]) == 0
    before, after = triptych.load(EXAMPLE), triptych.load(tmp_path / "m.h5")
    assert all((before.weights[name] == after.weights[name]).all() for name in before.weights)


def test_rules_that_cannot_be_are_listed_and_nothing_is_written(tmp_path, capsys):
    (tmp_path / "names.json").write_text('{"conv_9.*": "x.$1", "conv_1.kernel": "conv_1.bias"}')
    assert main(["convert", str(EXAMPLE), str(tmp_path / "m"), "--rename", str(tmp_path / "names.json")]) == 1
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 2
    assert err[0].startswith("triptych: RENAME_INVALID at names.json#/conv_9.*: ")
    assert main(["convert", str(EXAMPLE), str(tmp_path / "m"), "--rename", str(tmp_path / "none.json")]) == 3
    assert [one.name for one in tmp_path.iterdir()] == ["names.json"]


@pytest.mark.parametrize("target", ["x.h5", "x.keras", "x.weights.h5", "x.pt", "x.npz", "x.triptych", "x", "x.safetensors", "x.ckpt"])
def test_an_interrupted_conversion_leaves_nothing_behind(tmp_path, target, monkeypatch, capsys):
    model = triptych.load(EXAMPLE)
    names = list(model.weights)

    def interrupted():
        raise KeyboardInterrupt

    last = model.weights.tensor(names[-1])
    tensors = {**model.weights.tensors, names[-1]: Tensor(last.dtype, last.shape, interrupted)}
    broken = Panels(architecture=model.architecture, weights=Weights(tensors))
    monkeypatch.setattr("triptych.surface.opening.read", lambda *_, **__: broken)
    assert main(["convert", str(EXAMPLE), str(tmp_path / target)]) == 130
    assert "nothing was changed" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_signal_ends_a_conversion_and_leaves_nothing_behind(tmp_path):
    arrays = {f"t{i}": np.zeros(1 << 22, np.float32) for i in range(24)}
    triptych.save(triptych.Model(Panels(weights=Weights.from_arrays(arrays))), tmp_path / "m.safetensors")
    run = subprocess.Popen([sys.executable, "-m", "triptych", "convert", tmp_path / "m.safetensors", tmp_path / "x.npz"], stderr=subprocess.PIPE, env={**os.environ})
    while run.poll() is None and len(list(tmp_path.iterdir())) == 1:
        time.sleep(0.005)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate()
    if run.returncode:
        assert (run.returncode, b"interrupted" in err) == (130, True)
        assert [one.name for one in tmp_path.iterdir()] == ["m.safetensors"]


@pytest.mark.parametrize("layout", [one for one in LAYOUTS if one.name != "tfjs" and not one.name.startswith("architecture")], ids=lambda one: one.name)
def test_a_dry_run_refuses_the_folder_that_a_conversion_would_not_replace(dense, tmp_path, layout, capsys):
    dense(4).save(tmp_path / "m.triptych")
    target = tmp_path / f"thesis{max(layout.suffixes, default='')}"
    target.mkdir()
    (target / "chapter1.txt").write_text("years of work")
    arguments = ["convert", "-f", str(tmp_path / "m.triptych"), str(target), "--layout", layout.name]
    rehearsal = main([*arguments, "--dry-run"])
    assert rehearsal == main(arguments)
    assert (target / "chapter1.txt").read_text() == "years of work"
