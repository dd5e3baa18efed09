"""Bad input: each fault gives a precise error with code and place, exit status 1, and changes nothing on disk."""

import hashlib
import json
import struct
from pathlib import Path

import pytest

import triptych
from triptych.cli import main


def snapshot(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


def edit_json(path: Path, edit, manifest: bool = True) -> None:
    """Edit a JSON document of a folder package; with `manifest`, keep its size and digest in the manifest true."""
    data = json.loads(path.read_text())
    edit(data)
    replace_document(path, (json.dumps(data, indent=2) + "\n").encode(), manifest)


def replace_document(path: Path, content: bytes, manifest: bool = True) -> None:
    path.write_bytes(content)
    if manifest:
        target = path.parent / "manifest.json"
        listing = json.loads(target.read_text())
        listing["members"][path.name] = {"size": len(content), "digest": f"sha256:{hashlib.sha256(content).hexdigest()}"}
        target.write_text(json.dumps(listing, indent=2) + "\n")


@pytest.fixture
def folder(dense, tmp_path):
    path = tmp_path / "model"
    dense(4, 2).save(path)
    return path


@pytest.fixture
def archive(dense, tmp_path):
    path = tmp_path / "model.triptych"
    dense(4, 2).save(path)
    return path


def truncated_archive(folder, archive):
    archive.write_bytes(archive.read_bytes()[:-100])
    return archive, "ARCHIVE", ""


def flipped_bit(folder, archive):
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 0x10
    path.write_bytes(data)
    return folder, "DIGEST_MISMATCH", "model.safetensors"


def wrong_digest(folder, archive):
    def edit(manifest):
        manifest["members"]["architecture.json"]["digest"] = "sha256:" + "0" * 64

    edit_json(folder / "manifest.json", edit, manifest=False)
    return folder, "DIGEST_MISMATCH", "architecture.json"


def missing_shard(folder, archive):
    model = triptych.load(folder)
    target = folder.parent / "sharded"
    model.save(target, max_shard_bytes=64)
    next(target.glob("model-00002-of-*.safetensors")).unlink()
    return target, "MEMBER_MISSING", "model-00002"


def duplicate_key(folder, archive):
    path = folder / "architecture.json"
    replace_document(path, path.read_bytes().replace(b'"layers"', b'"name": "a",\n  "name": "b",\n  "layers"', 1))
    return folder, "OBJECT_DUPLICATE_NAME", "architecture.json"


def alias_bomb(folder, archive):
    lines = ['a: &a ["x","x"]'] + [f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)},*{chr(97 + i)}]" for i in range(20)]
    (folder / "architecture.json").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sections"]["architecture"] = "architecture.yaml"
    del manifest["members"]["architecture.json"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    replace_document(folder / "architecture.yaml", "\n".join(lines).encode())
    return folder, "YAML", "architecture.yaml"


def unknown_layer_type(folder, archive):
    edit_json(folder / "architecture.json", lambda data: data["layers"][1].update(type="Densee"))
    return folder, "LAYER_TYPE_UNKNOWN", "architecture.json#/layers/1/type"


def weight_of_the_wrong_shape(folder, archive):
    edit_json(folder / "architecture.json", lambda data: data["layers"][0]["config"].update(units=128))
    return folder, "WEIGHT_SHAPE_MISMATCH", "model.safetensors#/dense_0.kernel"


def escaping_member_name(folder, archive):
    def edit(manifest):
        manifest["members"]["../evil.txt"] = {"size": 0, "digest": "sha256:" + hashlib.sha256(b"").hexdigest()}

    edit_json(folder / "manifest.json", edit, manifest=False)
    return folder, "MEMBER_NAME_INVALID", "manifest.json#/members/..~1evil.txt"


def escaping_name_in_an_archive(folder, archive):
    data = archive.read_bytes()
    archive.write_bytes(data.replace(b"architecture.json", b"../hitecture.json"))
    return archive, "MEMBER_NAME_INVALID", ""


def trailing_bytes(folder, archive):
    archive.write_bytes(archive.read_bytes() + struct.pack("<I", 7))
    return archive, "ARCHIVE", ""


FAULTS = [
    truncated_archive, flipped_bit, wrong_digest, missing_shard, duplicate_key, alias_bomb, unknown_layer_type,
    weight_of_the_wrong_shape, escaping_member_name, escaping_name_in_an_archive, trailing_bytes,
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_validate_names_the_fault_and_its_place(fault, folder, archive, capsys):
    path, code, place = fault(folder, archive)
    before = snapshot(path.parent)
    assert main(["validate", "--full", str(path)]) == 1
    out = capsys.readouterr().out
    assert code in out
    assert place in out
    assert "Traceback" not in out
    assert snapshot(path.parent) == before


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_convert_refuses_and_leaves_the_old_target_alone(fault, folder, archive, capsys):
    path, code, _ = fault(folder, archive)
    target = path.parent / "target.triptych"
    target.write_bytes(b"the old file")
    before = snapshot(path.parent)
    assert main(["convert", "--force", str(path), str(target)]) == 1
    err = capsys.readouterr().err
    assert code in err
    assert snapshot(path.parent) == before


def test_one_edited_number_names_every_weight_that_no_longer_fits(folder, capsys):
    edit_json(folder / "architecture.json", lambda data: data["layers"][0]["config"].update(units=128))
    assert main(["validate", str(folder)]) == 1
    out = capsys.readouterr().out
    for name, expected, found in (("dense_0.kernel", "(3, 128)", "(3, 4)"), ("dense_0.bias", "(128)", "(4)"), ("dense_1.kernel", "(128, 2)", "(4, 2)")):
        assert any(name in line and expected in line and found in line for line in out.splitlines()), name
    assert "dense_1.bias" not in out
    assert "3 problems" in out
