"""Digests compared by ``triptych verify``: what differs is named, and no flipped bit goes unnoticed."""

import json
import random
import shutil
from dataclasses import replace

import numpy as np
import pytest

import triptych
from triptych.cli import main
from triptych.model import Tensor
from triptych.package.verify import verify_package

FLIPS = 600
"""Bits flipped in each form of the package."""


@pytest.fixture
def model(dense):
    """A model with weights, an optimizer's state and an asset."""
    made = dense(4, 2)
    asset = Tensor("uint8", (5,), lambda: memoryview(b"words"))
    return triptych.Model(replace(made.panels, assets={"assets/vocabulary.txt": asset}, metadata={"note": "written by hand"}))


@pytest.fixture(params=["folder", "archive"])
def package(model, tmp_path, request):
    path = tmp_path / ("pack" if request.param == "folder" else "pack.triptych")
    model.save(path)
    return path


def names(capsys, *arguments):
    """The exit status and the places that differ."""
    status = main(["verify", "--format", "json", *map(str, arguments)])
    (row,) = json.loads(capsys.readouterr().out)["results"]
    return status, row


def test_what_is_whole_is_verified_and_its_identity_said(package, capsys):
    status, row = names(capsys, package)
    assert (status, row["verdict"], row["members"], row["tensors"]) == (0, "verified", 3, 4)
    assert names(capsys, package, "--expect", row["identity"])[0] == 0
    assert names(capsys, package, "--expect", "sha256:" + "0" * 64)[0] == 1
    assert main(["verify", str(package), "--expect", "0"]) == 2


def test_every_flipped_bit_is_detected(package, tmp_path):
    """Of a folder's manifest the identity speaks: nothing else covers it. An archive has a checksum for it."""
    identity = verify_package(package).identity
    files = [package] if package.is_file() else sorted(one for one in package.rglob("*") if one.is_file())
    sizes = np.cumsum([one.stat().st_size for one in files])
    generator = random.Random(6)
    missed = []
    for bit in generator.sample(range(8 * int(sizes[-1])), FLIPS):
        which = int(np.searchsorted(sizes, bit // 8, side="right"))
        content = files[which].read_bytes()
        changed = bytearray(content)
        changed[bit // 8 - (int(sizes[which - 1]) if which else 0)] ^= 1 << bit % 8
        files[which].write_bytes(changed)
        covered = package.is_file() or files[which].name != "manifest.json"
        try:
            found = verify_package(package)
            if not found.problems and (covered or found.identity == identity):
                missed.append((files[which].name, bit))
        except triptych.UnsupportedError:
            pass  # the flip made a later version or an excess of it, which is not verified either
        files[which].write_bytes(content)
    assert missed == []
    assert verify_package(package).problems == ()


def test_each_member_and_tensor_that_differs_is_named(model, tmp_path, capsys):
    path = tmp_path / "pack"
    model.save(path)
    data = bytearray((path / "model.safetensors").read_bytes())
    for name in ("dense_0.kernel", "dense_1.bias"):
        data[data.index(model.weights[name].tobytes())] ^= 4
    (path / "model.safetensors").write_bytes(data)
    (path / "assets" / "vocabulary.txt").write_bytes(b"worms")
    (path / "architecture.json").write_text((path / "architecture.json").read_text() + "\n")
    (path / "extra").write_text("")
    status, row = names(capsys, path)
    assert status == 1
    places = {problem["place"] for problem in row["problems"]}
    assert places >= {"model.safetensors#/dense_0.kernel", "model.safetensors#/dense_1.bias", "assets/vocabulary.txt", "architecture.json", "extra"}
    assert not any("dense_0.bias" in place or "dense_1.kernel" in place for place in places)


def test_hundreds_of_tensors_that_differ_are_all_named(tmp_path, capsys):
    arrays = {f"t{number:03}": np.full(2, number, np.float32) for number in range(300)}
    triptych.Model(triptych_panels(arrays)).save(tmp_path / "pack")
    file = tmp_path / "pack" / "model.safetensors"
    content = file.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    file.write_bytes(content[:start] + bytes(byte ^ 1 for byte in content[start:]))
    status, row = names(capsys, tmp_path / "pack")
    assert status == 1
    assert {problem["place"] for problem in row["problems"]} == {f"model.safetensors#/{name}" for name in arrays}


def triptych_panels(arrays):
    from triptych.model import Panels, Weights

    return Panels(weights=Weights.from_arrays(arrays))


def test_what_has_no_digests_could_not_be_verified(model, tmp_path, capsys):
    model.save(tmp_path / "weights.safetensors")
    assert names(capsys, tmp_path / "weights.safetensors")[0] == 3
    assert names(capsys, tmp_path / "absent")[0] == 3
    assert main(["verify", str(tmp_path)]) == 3
    model.save(tmp_path / "pack.triptych")
    shutil.copytree(tmp_path, tmp_path / "deep")
    capsys.readouterr()
    assert main(["verify", str(tmp_path)]) == 0
    assert [line.partition(": ")[0] for line in capsys.readouterr().out.splitlines()] == [str(tmp_path / "deep/pack.triptych"), str(tmp_path / "pack.triptych")]
