"""Folders as the model hubs have them: read, written, and adopted where they lie; the safetensors library and PyTorch are the judges."""

import errno
import hashlib
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import triptych
from triptych.cli import main
from triptych.errors import ConversionError, InvalidModelError, UnsupportedError, UsageError
from triptych.layouts.hub.adoption import adopt
from triptych.model import Architecture, Layer

PARTS = [
    {"embed.weight": np.arange(12, dtype="float32").reshape(4, 3), "norm.scale": np.ones(3, "float16")},
    {"head.weight": np.full((4, 3), 2, "float32"), "count": np.array(7, "int64")},
]
WHOLE = {name: array for part in PARTS for name, array in part.items()}


def beside(folder):
    """Writes what lies beside the weights in a hub's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text('{"model_type": "small"}')
    (folder / "README.md").write_text("# A model\n")
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text("{}")
    return folder


def whole(folder):
    save_file(WHOLE, beside(folder) / "model.safetensors", metadata={"format": "pt"})
    return folder


def sharded(folder):
    beside(folder)
    placed = {}
    for number, part in enumerate(PARTS, 1):
        name = f"model-{number:05}-of-00002.safetensors"
        save_file(part, folder / name, metadata={"format": "pt"})
        placed.update(dict.fromkeys(part, name))
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {"total_size": 110}, "weight_map": placed}))
    return folder


def pickled(folder):
    import torch

    torch.save({name: torch.from_numpy(array) for name, array in WHOLE.items()}, beside(folder) / "pytorch_model.bin")
    return folder


def sharded_pickles(folder):
    import torch

    beside(folder)
    placed = {}
    for number, part in enumerate(PARTS, 1):
        name = f"pytorch_model-{number:05}-of-00002.bin"
        torch.save({key: torch.from_numpy(array) for key, array in part.items()}, folder / name)
        placed.update(dict.fromkeys(part, name))
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": placed}))
    return folder


def contents(folder):
    return {str(one.relative_to(folder)): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


@pytest.mark.parametrize("make", [whole, sharded, pickled, sharded_pickles])
def test_a_folder_is_read_with_what_lies_beside_the_weights(tmp_path, make):
    model = triptych.load(make(tmp_path / "m"))
    assert set(model.weights) == set(WHOLE)
    for name, array in WHOLE.items():
        np.testing.assert_array_equal(model.weights[name], array)
        assert model.weights[name].dtype == array.dtype
    assert {name: bytes(asset.read()) for name, asset in model.panels.assets.items()} == contents(beside(tmp_path / "other"))
    assert model.notes == ()


@pytest.mark.parametrize("limit", [None, 60])
def test_a_folder_that_is_written_loads_elsewhere_and_comes_back(tmp_path, limit):
    """Through a package, too; tensors, metadata and assets are the same."""
    triptych.save(triptych.load(whole(tmp_path / "m")), tmp_path / "p.triptych")
    package = triptych.load(tmp_path / "p.triptych")
    assert triptych.save(package, tmp_path / "b", layout="hub", max_shard_bytes=limit) == ()
    names = [one.name for one in (tmp_path / "b").glob("*.safetensors")]
    assert (len(names) > 1) is (limit is not None)
    loaded = {name: array for one in names for name, array in load_file(tmp_path / "b" / one).items()}
    assert set(loaded) == set(WHOLE)
    for name, array in WHOLE.items():
        np.testing.assert_array_equal(loaded[name], array)
    again = triptych.load(tmp_path / "b")
    assert (set(again.weights), set(again.panels.assets), again.panels.metadata) == (set(WHOLE), set(package.panels.assets), {"format": "pt"})


def test_what_a_hub_folder_cannot_hold_is_named(tmp_path):
    from dataclasses import replace

    panels = replace(triptych.load(whole(tmp_path / "m")).panels, architecture=Architecture((Layer("a", "Flatten"),)))
    assert triptych.save(triptych.Model(panels), tmp_path / "b", layout="hub") == ("architecture: a hub folder holds weights and the files beside them",)


def test_a_folder_with_files_in_it_is_not_replaced(tmp_path):
    model = triptych.load(whole(tmp_path / "m"))
    before = contents(tmp_path / "m")
    with pytest.raises(UsageError, match="it is not replaced"):
        triptych.save(model, tmp_path / "m", layout="hub")
    assert contents(tmp_path / "m") == before


def test_weights_in_other_forms_are_named_and_not_read(tmp_path):
    folder = pickled(whole(tmp_path / "m"))
    (folder / "training_args.bin").write_bytes(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.")
    (folder / ".gitattributes").write_text("x")
    model = triptych.load(folder)
    assert [note.partition(":")[0] for note in model.notes] == [".gitattributes", "pytorch_model.bin", "training_args.bin"]
    triptych.save(model, tmp_path / "p")
    assert triptych.validate(tmp_path / "p") == ()


@pytest.mark.parametrize("make", [whole, sharded])
def test_a_folder_is_adopted_without_touching_a_byte_of_it(tmp_path, make, capsys):
    folder = make(tmp_path / "m")
    before, numbers = contents(folder), {one.name: one.stat().st_ino for one in folder.iterdir()}
    assert main(["adopt", str(folder)]) == 0
    assert "4 tensors" in capsys.readouterr().out
    after = contents(folder)
    manifest = json.loads(after.pop("manifest.json"))
    assert after == before
    assert {name: (folder / name).stat().st_ino for name in numbers} == numbers
    assert triptych.validate(folder, full=True) == ()
    model = triptych.load(folder, verify="full")
    assert set(model.panels.assets) == set(contents(beside(tmp_path / "other")))
    for name, array in WHOLE.items():
        np.testing.assert_array_equal(model.weights[name], array)
    assert manifest["members"]["config.json"]["digest"] == "sha256:" + hashlib.sha256(before["config.json"]).hexdigest()
    assert load_file(next(folder.glob("*.safetensors")))


def test_an_adopted_folder_that_is_changed_is_found_out(tmp_path):
    folder = whole(tmp_path / "m")
    adopt(folder)
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    assert triptych.validate(folder, full=True)[0].code == "TENSOR_DIGEST_MISMATCH"


def test_what_cannot_be_adopted_stays_as_it_is(tmp_path):
    folder = pickled(tmp_path / "pickled")
    with pytest.raises(ConversionError, match="expected safetensors to adopt"):
        adopt(folder)
    linked = whole(tmp_path / "linked")
    os.symlink("/etc/passwd", linked / "vocab.txt")
    with pytest.raises(ConversionError, match="got a link"):
        adopt(linked)
    damaged = whole(tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes((damaged / "model.safetensors").read_bytes() + b"x")
    with pytest.raises(InvalidModelError):
        adopt(damaged)
    done = whole(tmp_path / "done")
    adopt(done)
    with pytest.raises(UsageError, match="without manifest"):
        adopt(done)
    assert not any((one / "manifest.json").exists() for one in (folder, linked, damaged))


@pytest.mark.parametrize(("home", "call", "member"), [(Path, "lstat", "config.json"), (os, "scandir", "1_Pooling")])
def test_a_disk_that_fails_makes_no_smaller_model(tmp_path, home, call, member, monkeypatch):
    folder = whole(tmp_path / "m")
    before = contents(folder)
    plain = getattr(home, call)

    def broken(path, *arguments, **options):
        if os.fspath(path) == str(folder / member):
            raise OSError(errno.EIO, "Input/output error")  # as a walk says it: without a name
        return plain(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(home, call, broken)
        for attempt in (triptych.load, adopt):
            with pytest.raises(OSError, match=re.escape(str(folder))) as caught:
                attempt(folder)
            assert caught.value.errno == errno.EIO
    assert contents(folder) == before


def test_links_lead_nowhere_but_to_the_blobs_of_the_hubs_own_cache(tmp_path):
    cache = tmp_path / "models--a--b"
    snapshot, blobs = cache / "snapshots" / "0123", cache / "blobs"
    blobs.mkdir(parents=True)
    for name in contents(whole(tmp_path / "m")):
        if "/" not in name:
            (tmp_path / "m" / name).rename(blobs / name)
            snapshot.mkdir(parents=True, exist_ok=True)
            os.symlink(f"../../blobs/{name}", snapshot / name)
    os.symlink("/etc/passwd", snapshot / "vocab.txt")
    model = triptych.load(snapshot)
    assert set(model.panels.assets) == {"README.md", "config.json"}
    assert model.notes == ("vocab.txt: hidden, a link, or weights in another form",)
    (snapshot / "model.safetensors").unlink()
    os.symlink(tmp_path / "elsewhere.safetensors", snapshot / "model.safetensors")
    with pytest.raises(UnsupportedError):
        triptych.load(snapshot)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda placed: placed.update({"missing": "model-00001-of-00002.safetensors"}), "it is not there"),
        (lambda placed: placed.update({"count": "model-00001-of-00002.safetensors"}), "has one too"),
        (lambda placed: placed.update({"count": "../other.safetensors"}), "beside the index"),
        (lambda placed: placed.update({"count": "/etc/passwd"}), "beside the index"),
        (lambda placed: placed.update({"count": "none.safetensors"}), "got none or a link"),
        (lambda placed: placed.update({"count": 3}), "weight_map"),
    ],
)
def test_an_index_that_does_not_fit_its_shards_is_refused(tmp_path, change, said):
    folder = sharded(tmp_path / "m")
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    change(index["weight_map"])
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(triptych.TriptychError, match=said):
        triptych.load(folder)


def test_a_hostile_pickle_among_the_shards_is_refused(tmp_path):
    folder = sharded_pickles(tmp_path / "m")
    (folder / "pytorch_model-00002-of-00002.bin").write_bytes(b"PK\x03\x04" + bytes(60))
    with pytest.raises(triptych.TriptychError):
        triptych.load(folder)


def test_the_training_lies_beside_the_weights_and_comes_back(tmp_path):
    """Where trainers put theirs: in files of its own, which loaders of weights pass over; adopted, it is the package's."""
    model = triptych.load(Path(__file__).parents[4] / "examples" / "digits_cnn.h5")
    assert triptych.save(model, tmp_path / "b", layout="hub", max_shard_bytes=50_000) == (
        "architecture: a hub folder holds weights and the files beside them",
    )
    loaded = triptych.load(tmp_path / "b")
    assert loaded.notes == ()
    assert loaded.panels.assets == {}
    assert loaded.training.optimizer == model.training.optimizer
    assert loaded.training.progress == model.training.progress
    assert loaded.training.losses == model.training.losses
    for name, array in model.training.state.items():
        np.testing.assert_array_equal(loaded.training.state[name], array)
    assert main(["adopt", str(tmp_path / "b")]) == 0
    assert triptych.validate(tmp_path / "b", full=True) == ()
    assert triptych.load(tmp_path / "b").training.state.keys() == model.training.state.keys()


@pytest.mark.parametrize("content", [b"{}", b'{"epochs": 3}', b"not JSON", b'{"format_version": "1.0", "epochs": 3}'])
def test_a_training_document_of_somebody_else_is_an_asset(tmp_path, content):
    folder = whole(tmp_path / "m")
    (folder / "training.json").write_bytes(content)
    model = triptych.load(folder)
    assert model.training is None
    assert bytes(model.panels.assets["training.json"].read()) == content
