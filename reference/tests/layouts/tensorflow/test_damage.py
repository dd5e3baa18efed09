"""Damage is noticed wherever it is: every truncation and every flipped bit of an index, of data and of a V1 file."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from triptych.errors import InvalidModelError, TriptychError, TruncatedError
from triptych.layouts.tensorflow import saved_slices, sorted_table
from triptych.layouts.tensorflow.bundle import open_bundle
from triptych.limits import DEFAULT_LIMITS


def read(prefix):
    bundle = open_bundle(prefix)
    return {key: bundle.strings(key) if bundle.dtype_of(key) == "string" else bytes(bundle.tensor(key).read()) for key in bundle.keys}


def read_v1(path):
    return {key: one.strings() if one.dtype == "string" else bytes(one.read()) for key, one in saved_slices.read_slices([path], DEFAULT_LIMITS).items()}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A small bundle of TensorFlow's with every kind of entry: elements, strings, parts, nothing."""
    prefix = tmp_path_factory.mktemp("bundle") / "w"
    tensors = [np.arange(5, dtype=np.float32), np.array([b"one", b"", b"three"], object), np.ones((2, 2), np.int16), np.zeros((1, 2), np.int16), np.zeros(0, np.int8)]
    tf.raw_ops.SaveV2(prefix=str(prefix), tensor_names=["a/b", "words", "parts", "parts", "none"], shape_and_slices=["", "", "3 2 0,2:-", "3 2 2,1:-", ""], tensors=tensors)
    return prefix


def changed(path, changes, attempt):
    """What `attempt` says of each of the `changes` of the file at `path`: problems, or what it read."""
    whole = path.read_bytes()
    try:
        for change in changes(whole):
            path.write_bytes(change)
            try:
                yield change, attempt()
            except TriptychError as error:
                yield change, error
    finally:
        path.write_bytes(whole)


def truncations(whole):
    return (whole[:end] for end in range(len(whole)))


def flips(whole):
    for at in range(8 * len(whole)):
        copy = bytearray(whole)
        copy[at // 8] ^= 1 << at % 8
        yield bytes(copy)


def check(path, changes, attempt):
    good = attempt()
    count = 0
    for change, found in changed(path, changes, attempt):
        assert isinstance(found, InvalidModelError), (len(change), found)
        assert found.problems[0].place.startswith(path.name) or changes is flips, found
        assert found.problems[0].place, found
        count += 1
    assert count
    assert attempt() == good


@pytest.mark.parametrize("name", ["w.index", "w.data-00000-of-00001"])
def test_every_truncation_of_a_bundle_is_noticed(bundle, name):
    check(bundle.parent / name, truncations, lambda: read(bundle))


def test_every_flipped_bit_of_data_is_noticed(bundle):
    check(bundle.parent / "w.data-00000-of-00001", flips, lambda: read(bundle))


def noticed(whole):
    """Whether each flipped bit of a table is, before anything is done with what it says."""
    assert list(sorted_table.entries(memoryview(whole), "w", DEFAULT_LIMITS))
    for change in flips(whole):
        with pytest.raises(InvalidModelError) as caught:
            list(sorted_table.entries(memoryview(change), "w", DEFAULT_LIMITS))
        assert caught.value.problems[0].place.startswith("w@")
    return True


def test_every_flipped_bit_of_an_index_is_noticed(bundle):
    assert noticed((bundle.parent / "w.index").read_bytes())


@pytest.fixture(scope="module")
def v1_file(tmp_path_factory):
    archive = Path(__file__).parents[2] / "fixtures" / "tensorflow_checkpoints" / "tf-1.15.0.zip"
    path = tmp_path_factory.mktemp("v1") / "m"
    with zipfile.ZipFile(archive) as members:
        path.write_bytes(members.read("v1_sharded/model.ckpt-7-00001-of-00003"))
    return path


def test_every_truncation_of_a_v1_file_is_noticed(v1_file):
    check(v1_file, truncations, lambda: read_v1(v1_file))


def test_every_flipped_bit_of_a_v1_file_is_noticed(v1_file):
    assert noticed(v1_file.read_bytes())


def test_bytes_behind_are_noticed_and_data_may_have_some(bundle):
    index, data = bundle.parent / "w.index", bundle.parent / "w.data-00000-of-00001"
    good = read(bundle)
    check(index, lambda whole: [whole + b"\0", b"\0" + whole, whole + whole], lambda: read(bundle))
    # TensorFlow pads data where it was asked to, so bytes that no entry names are no damage.
    assert [found for _, found in changed(data, lambda whole: [whole + b"\0"], lambda: read(bundle))] == [good]


def test_a_missing_file_is_named(bundle):
    data = bundle.parent / "w.data-00000-of-00001"
    content = data.read_bytes()
    data.unlink()
    try:
        with pytest.raises(TruncatedError) as caught:
            open_bundle(bundle)
    finally:
        data.write_bytes(content)
    assert caught.value.problems[0].place == data.name
