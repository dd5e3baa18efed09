"""A reader never mixes two saves: it waits for one that is placing its files, and says when one was interrupted."""

import os
import shutil
import threading
import time

import numpy as np
import pytest

from triptych.errors import InvalidModelError
from triptych.layouts.tensorflow import bundle as bundle_module
from triptych.layouts.tensorflow.bundle import open_bundle, write_bundle
from triptych.model import Tensor
from triptych.package import FileSystem


def items(number, count=3):
    return [(f"t{at}", Tensor.from_array(np.full(5, number, np.float32))) for at in range(count)]


def values(prefix):
    bundle = open_bundle(prefix)
    return {float(one) for key in bundle.keys for one in bundle.tensor(key).array()}


class Stops(FileSystem):
    """A file system on which something happens before the index is placed."""

    def __init__(self, instead):
        self.instead = instead

    def rename(self, source, target):
        if source.endswith("/files/w.index"):
            self.instead()
        super().rename(source, target)


def interrupted(tmp_path):
    """New data beside the old index, as a kill between two renames leaves them."""
    write_bundle(tmp_path / "w", items(1))
    killed = tmp_path.parent / "killed"
    write_bundle(tmp_path / "w", items(2), fs=Stops(lambda: shutil.copytree(tmp_path, killed, copy_function=os.link)))
    return killed / "w"


def test_an_interrupted_save_is_said_and_the_next_one_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle_module, "_PATIENCE_SECONDS", 0.1)
    (tmp_path / "good").mkdir()
    prefix = interrupted(tmp_path / "good")
    assert sorted(path.name for path in prefix.parent.iterdir())[1:] == ["w.data-00000-of-00001", "w.index"]
    with pytest.raises(InvalidModelError, match="it was interrupted: save again, or move the files in .*/files beside it") as caught:
        open_bundle(prefix)
    folder = str(caught.value).partition("the files in ")[2].partition(" beside")[0]
    # What the message says does help.
    twin = prefix.parent.parent / "by hand"
    shutil.copytree(prefix.parent, twin, copy_function=os.link)
    for path in sorted((twin / os.path.relpath(folder, prefix.parent)).iterdir()):
        path.rename(twin / path.name)
    assert values(twin / "w") == {2}
    write_bundle(prefix, items(3))
    assert values(prefix) == {3}
    assert sorted(path.name for path in prefix.parent.iterdir()) == ["w.data-00000-of-00001", "w.index"]


def test_a_save_waits_for_another_that_places_its_files(tmp_path):
    """Otherwise the first one's index would end up beside the second one's data."""
    placing, go_on = threading.Event(), threading.Event()

    def pause():
        placing.set()
        assert go_on.wait(10)

    first = threading.Thread(target=lambda: write_bundle(tmp_path / "w", items(1), fs=Stops(pause)))
    second = threading.Thread(target=lambda: write_bundle(tmp_path / "w", items(2)))
    first.start()
    assert placing.wait(10)
    second.start()
    second.join(0.2)
    assert second.is_alive()
    go_on.set()
    first.join()
    second.join()
    assert values(tmp_path / "w") == {2}
    assert len(list(tmp_path.iterdir())) == 2


def test_a_reader_waits_for_a_save_that_places_its_files(tmp_path):
    write_bundle(tmp_path / "w", items(1))
    placing, go_on = threading.Event(), threading.Event()

    def pause():
        placing.set()
        assert go_on.wait(10)

    saver = threading.Thread(target=lambda: write_bundle(tmp_path / "w", items(2), fs=Stops(pause)))
    saver.start()
    assert placing.wait(10)
    found = []
    reader = threading.Thread(target=lambda: found.append(values(tmp_path / "w")))
    reader.start()
    time.sleep(0.1)
    assert not found
    go_on.set()
    saver.join()
    reader.join()
    assert found == [{2}]


def test_readers_beside_saves_read_one_of_them(tmp_path):
    """While one save follows the other, each reader has the tensors of one of them, and none an error."""
    write_bundle(tmp_path / "w", items(0), durable=False)
    enough = threading.Event()

    def save():
        number = 0
        while not enough.is_set():
            number += 1
            write_bundle(tmp_path / "w", items(number), max_shard_bytes=(None, 20)[number % 2], durable=False)

    saver = threading.Thread(target=save)
    saver.start()
    try:
        seen = set()
        for _ in range(2000):
            found = values(tmp_path / "w")
            assert len(found) == 1
            seen |= found
            if len(seen) > 20:
                break
        assert len(seen) > 20
    finally:
        enough.set()
        saver.join()


def test_savers_beside_each_other_leave_one_of_their_saves(tmp_path):
    """Four savers of different shards at once, and again: what stands in the end is one save, and nothing beside it."""
    for around in range(15):
        savers = [
            threading.Thread(target=lambda number=number: write_bundle(tmp_path / "w", items(10 * around + number), max_shard_bytes=(None, 20, 40, None)[number], durable=False))
            for number in range(4)
        ]
        for saver in savers:
            saver.start()
        for saver in savers:
            saver.join()
        assert len(values(tmp_path / "w")) == 1
        assert len({path.name.rpartition("-of-")[2] for path in tmp_path.glob("w.data-*")}) == 1
        assert not [path for path in tmp_path.iterdir() if path.is_dir()]
