"""The state file says to TensorFlow and to us what was written last; a path leads to the checkpoint that is meant."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.checkpoint.checkpoint_management import update_checkpoint_state_internal

from triptych.errors import InvalidModelError, SaveError, TruncatedError, UnsupportedError
from triptych.layouts.tensorflow import state_file
from triptych.layouts.tensorflow.bundle import open_bundle, write_bundle
from triptych.layouts.tensorflow.locate import locate, prefix_of
from triptych.limits import Limits
from triptych.model import Tensor

ONE = [("a", Tensor.from_array(np.zeros(2, np.float32)))]


def write(prefix, **options):
    write_bundle(prefix, ONE, **options)
    return prefix


def test_tensorflow_finds_the_latest(tmp_path):
    for name in ("ck-1", "ck-2", "ck-1", "caf\u00e9"):
        write(tmp_path / name, noted=True)
        assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / name)
        assert state_file.latest(tmp_path) == locate(tmp_path) == tmp_path / name
    assert list(tf.train.get_checkpoint_state(str(tmp_path)).all_model_checkpoint_paths) == [str(tmp_path / name) for name in ("ck-2", "ck-1", "caf\u00e9")]


def test_the_text_is_tensorflows(tmp_path):
    (tmp_path / "theirs").mkdir()
    path = str(tmp_path / "theirs" / 'ck "1" \u00e9')
    update_checkpoint_state_internal(str(tmp_path / "theirs"), path, [path], save_relative_paths=True)
    write(tmp_path / "ck \"1\" \u00e9", noted=True)
    assert (tmp_path / "checkpoint").read_bytes() == (tmp_path / "theirs" / "checkpoint").read_bytes()


def test_what_a_manager_keeps_is_kept(tmp_path):
    """Times that TensorFlow's manager notes stay, and the new checkpoint gets one: the manager opens the folder and goes on."""
    checkpoint = tf.train.Checkpoint(a=tf.Variable(1.0))
    manager = tf.train.CheckpointManager(checkpoint, str(tmp_path), max_to_keep=3, keep_checkpoint_every_n_hours=1)
    for _ in range(2):
        manager.save()
    before = tf.train.get_checkpoint_state(str(tmp_path))
    write(tmp_path / "ck", noted=True)
    after = tf.train.get_checkpoint_state(str(tmp_path))
    assert list(after.all_model_checkpoint_paths) == [*before.all_model_checkpoint_paths, str(tmp_path / "ck")]
    assert list(after.all_model_checkpoint_timestamps)[:2] == list(before.all_model_checkpoint_timestamps)
    assert after.last_preserved_timestamp == before.last_preserved_timestamp
    again = tf.train.CheckpointManager(checkpoint, str(tmp_path), max_to_keep=3)
    assert again.latest_checkpoint == str(tmp_path / "ck")
    again.save()
    assert locate(tmp_path).name == "ckpt-3"


@pytest.mark.parametrize(("said", "name"), [
    ("ck", "ck"), ("/home/somebody/run/ck", "ck"), ("C:\\\\runs\\\\ck", "ck"), ("D:/runs/ck", "ck"), ("deep/ck", "deep/ck"), ("deep\\\\ck", "deep/ck"), ("a:b", "a:b"),
])
def test_a_folder_that_has_moved_still_has_its_latest(tmp_path, said, name):
    (tmp_path / "deep").mkdir()
    write(tmp_path / name)
    (tmp_path / "checkpoint").write_text(f'model_checkpoint_path: "{said}"\n')
    assert locate(tmp_path) == tmp_path / name


@pytest.mark.parametrize("said", ["../ck", "deep/../../ck", "/..", "..", "a/..", "..\\\\ck", "C:\\\\..", "x\\000y"])
def test_a_state_file_leads_nowhere_else(tmp_path, said):
    folder = tmp_path / "inside"
    folder.mkdir()
    write(tmp_path / "ck")
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "{said}"\n')
    with pytest.raises(InvalidModelError) as caught:
        locate(folder)
    assert caught.value.problems[0].place == "checkpoint"


@pytest.mark.parametrize("content", [b"model_checkpoint_path: [", b"\xff\xfe", b"model_checkpoint_path: 3", b"a {" * 20_000, b"x: " + b"[" * 20_000, b'model_checkpoint_path: "gone"'])
def test_what_is_no_state_file_is_refused(tmp_path, content):
    write(tmp_path / "ck")
    (tmp_path / "checkpoint").write_bytes(content)
    with pytest.raises(InvalidModelError):
        locate(tmp_path)
    if b"gone" not in content:
        before = (tmp_path / "ck.index").read_bytes()
        with pytest.raises(InvalidModelError):
            write_bundle(tmp_path / "ck", [], noted=True)
        assert (tmp_path / "ck.index").read_bytes() == before
        assert (tmp_path / "checkpoint").read_bytes() == content


def test_a_state_file_beyond_the_limit_is_refused(tmp_path):
    (tmp_path / "checkpoint").write_bytes(b"# " + b"x" * 100)
    with pytest.raises(UnsupportedError):
        state_file.read_state(tmp_path, limits=Limits(yaml_bytes=100))
    assert state_file.latest(tmp_path, limits=Limits(yaml_bytes=102)) is None


def test_a_path_leads_to_the_only_checkpoint(tmp_path):
    prefix = write(tmp_path / "ck", max_shard_bytes=1)
    (tmp_path / "other.index").write_text("no table")
    for path in (prefix, tmp_path / "ck.index", tmp_path / "ck.data-00000-of-00001", tmp_path):
        assert locate(path) == prefix
    (tmp_path / "ck.meta").write_bytes(b"")
    assert prefix_of(tmp_path / "ck.meta") == prefix
    write(tmp_path / "second")
    with pytest.raises(InvalidModelError, match="'ck', 'second'"):
        locate(tmp_path)


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", None], ids=["empty", "a pointer", "cut short"])
def test_a_checkpoint_with_a_broken_index_is_found_and_refused(tmp_path, content):
    prefix = write(tmp_path / "w[1]")
    index = tmp_path / "w[1].index"
    index.write_bytes(index.read_bytes()[:-7] if content is None else content)
    for path in (prefix, index, tmp_path / "w[1].data-00000-of-00001", tmp_path):
        assert locate(path) == prefix
        with pytest.raises(TruncatedError) as caught:
            open_bundle(locate(path))
        assert caught.value.problems[0].place.startswith("w[1].index")


def test_where_there_is_none_it_is_said(tmp_path):
    for path in (tmp_path, tmp_path / "ck", tmp_path / "ck.index", tmp_path / "no folder" / "ck"):
        with pytest.raises(FileNotFoundError):
            locate(path)
        with pytest.raises(FileNotFoundError):
            open_bundle(path)
    (tmp_path / "model-00001-of-00002").write_bytes(b"nothing of TensorFlow's, and not complete")
    with pytest.raises((FileNotFoundError, InvalidModelError)):
        locate(tmp_path / "model")


def test_a_state_file_that_cannot_be_replaced_is_said(tmp_path):
    (tmp_path / "checkpoint").mkdir()
    with pytest.raises((SaveError, ValueError)):
        write(tmp_path / "ck", noted=True)
