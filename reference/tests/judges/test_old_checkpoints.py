"""Checkpoints that TensorFlow 1.15 and 2.4 wrote are read bit for bit: V1 and V2, in one file and in several, with partitioned variables."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from triptych.layouts.tensorflow.bundle import open_bundle
from triptych.layouts.tensorflow.locate import locate

ARCHIVES = sorted((Path(__file__).parents[1] / "fixtures" / "tensorflow_checkpoints").glob("*.zip"))


@pytest.fixture(scope="module", params=ARCHIVES, ids=lambda path: path.stem)
def unpacked(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param.stem)
    with zipfile.ZipFile(request.param) as archive:
        archive.extractall(folder)
    return folder


def saved(folder):
    """Name -> dtype, shape and bytes, or strings; as the TensorFlow that saved says."""
    found = {}
    with np.load(folder / "values.npz") as values:
        for key in values.files:
            name, dtype, shape = key.split("|")
            extents = tuple(int(one) for one in shape.split("x") if one)
            content = values[key].tobytes()
            if dtype.startswith("string"):
                found.setdefault(name, ("string", extents, []))[2].append(content)
            else:
                found[name] = dtype, extents, content
    return found


def contents(bundle):
    return {
        key: (bundle.dtype_of(key), bundle.shape_of(key), list(bundle.strings(key)) if bundle.dtype_of(key) == "string" else bytes(bundle.tensor(key).read()))
        for key in bundle.keys
    }


def cases(folder):
    return sorted(path for path in folder.iterdir() if path.is_dir())


def test_what_was_saved_is_read(unpacked):
    values = saved(unpacked)
    by_name = {name: one for name, one in values.items() if "/.ATTRIBUTES" not in name}
    by_object = {name: one for name, one in values.items() if "/.ATTRIBUTES" in name}
    assert len(cases(unpacked)) == (6 if by_object else 4)
    for case in cases(unpacked):
        found = contents(open_bundle(locate(case)))
        if case.name in ("objects", "managed"):
            found = {key: one for key, one in found.items() if key in by_object}
            assert found == by_object
        else:
            assert list(found) == sorted(found)
            assert found == {name: one for name, one in by_name.items() if case.name.startswith("v2") or one[0] != "bfloat16"}


def test_partitioned_variables_are_there_once_and_whole(unpacked):
    for case in ("v1", "v1_sharded", "v2", "v2_sharded"):
        bundle = open_bundle(locate(unpacked / case))
        assert bundle.shape_of("rows") == (5, 2)
        assert bundle.shape_of("columns") == (2, 300)


def test_every_file_leads_to_its_checkpoint(unpacked):
    for case in cases(unpacked):
        prefix = locate(case)
        for path in case.iterdir():
            if path.name.startswith(("model", "ckpt-3", "ckpt.")):
                assert open_bundle(locate(path)).keys == open_bundle(prefix).keys
        assert locate(case / "checkpoint") == prefix if (case / "checkpoint").exists() else case.name == "objects"
    assert locate(unpacked / "v1_sharded" / "model.ckpt-7") == unpacked / "v1_sharded" / "model.ckpt-7"
    if (unpacked / "managed").exists():
        assert locate(unpacked / "managed").name == "ckpt-3"
        assert locate(unpacked / "managed" / "ckpt-2.index").name == "ckpt-2"
