"""Whatever goes wrong while files that belong together are replaced, the old ones or the new ones are there, or it is said that a save was interrupted."""

import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from conftest_package import MEMORY, Crash, Faulty

from triptych.errors import SaveError, UsageError
from triptych.layouts.tensorflow.bundle import write_bundle
from triptych.model import Tensor
from triptych.package import FileSystem, atomic
from triptych.package.file_group import replacing_group, settle, unfinished

OLD = {"w.data-0": b"old 0", "w.data-1": b"old 1", "w.index": b"old"}
NEW = {"w.data-0": b"new 0", "w.more": b"new more", "w.index": b"new"}
LATER = {"w.data-1": b"later", "w.index": b"later"}
OTHERS = {"w.txt": b"not of the group", "v.index": b"another"}


def belongs(name):
    return name.startswith("w.data-") or name == "w.more"


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as path:
        yield Path(path)


def fill(folder, group):
    for path in folder.iterdir():
        FileSystem().remove_tree(str(path))
    for name, content in {**group, **OTHERS}.items():
        (folder / name).write_bytes(content)


def save(folder, group, fs=None, **options):
    fs = fs or FileSystem()
    with replacing_group(folder / "w.index", belongs, fs, **options) as new:
        for name, content in group.items():
            descriptor = fs.open(f"{new}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            try:
                fs.write_all(descriptor, [memoryview(content)])
                fs.fsync(descriptor)
            finally:
                fs.close(descriptor)


def group_in(folder):
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert OTHERS.items() <= found.items()
    return {name: content for name, content in found.items() if name not in OTHERS}


def litter(folder):
    return [path for path in folder.iterdir() if path.is_dir()]


FAULTS = [errno.EIO, errno.ENOSPC, "crash before", "crash after", "interrupt", "short write"]


@pytest.mark.parametrize("lacking", [(), ("link",), ("lock",), ("link", "exchange", "rename_new")], ids="-".join)
@pytest.mark.parametrize("old", [OLD, {}], ids=["over old ones", "new"])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_leaves_old_or_new(folder, fault, old, lacking):
    fill(folder, old)
    fs = Faulty(lacking=lacking)
    save(folder, NEW, fs)
    assert group_in(folder) == NEW
    assert litter(folder) == []
    seen = set()
    for at in range(len(fs.log)):
        fill(folder, old)
        fs = Faulty(at, fault, lacking=lacking)
        outcome = "returned"
        try:
            save(folder, NEW, fs)
        except SaveError:
            outcome = "failed"
        except (Crash, KeyboardInterrupt):
            outcome = "stopped"
        fs.abandon()
        operation = fs.log[at]
        if unfinished(folder / "w.index") is None:
            found = group_in(folder)
            # An old file that is of no use any more may outlive a fault in its removal.
            assert found == old or NEW.items() <= found.items() <= {**OLD, **NEW}.items(), operation
        else:
            assert outcome == "stopped", operation
            seen.add("between")
        if outcome == "failed":
            assert group_in(folder) == old, operation
            assert litter(folder) == [] or operation[0] in ("rmdir", "unlink", "listdir"), operation
        if outcome == "returned":
            assert NEW.items() <= group_in(folder).items(), operation
        atomic.sweep(str(folder / "w.index"), FileSystem(), settle)
        assert litter(folder) == [], operation
        assert group_in(folder) == old or NEW.items() <= group_in(folder).items(), operation
        save(folder, LATER)
        assert group_in(folder) == LATER, operation
        assert litter(folder) == [], operation
        seen.add(outcome)
    if fault == "short write":
        assert seen == {"returned"}
    elif isinstance(fault, int):
        assert seen == {"returned", "failed"}
    else:
        assert seen >= ({"stopped"} if fault == "interrupt" else {"stopped", "between"})


@pytest.mark.parametrize("fault", [errno.EIO, errno.ENOSPC, "interrupt"])
def test_every_fault_in_writing_a_checkpoint_leaves_the_old_or_the_new(folder, fault):
    """The files of a real group are written through the same operations, so that none of them fails unseen."""
    def tensors(number):
        return [(name, Tensor.from_array(np.full(3, number, np.float32))) for name in ("a", "b", "c")]

    def group():
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    write_bundle(folder / "w", tensors(2), max_shard_bytes=24)
    new = group()
    write_bundle(folder / "w", tensors(1))
    old = group()
    assert len(new) == len(old) + 1
    fs, number, outcomes = Faulty(), 0, set()
    while number < 500:
        fs = Faulty(number, fault)
        try:
            write_bundle(folder / "w", tensors(2), max_shard_bytes=24, fs=fs)
        except (SaveError, KeyboardInterrupt):
            assert group() == old or (fault == "interrupt" and new.items() <= group().items()), fs.log[number]
            outcomes.add("refused")
        else:
            # Of the old files those that have no successor may be left when their removal fails; the next save takes them away.
            assert new.items() <= group().items(), fs.log[number]
            outcomes.add("returned")
        fs.abandon()
        if len(fs.log) <= number:
            break
        write_bundle(folder / "w", tensors(1))
        assert group() == old, fs.log[number]
        number += 1
    assert 30 < number < 500
    assert outcomes == {"returned", "refused"}


def test_what_somebody_else_wrote_after_an_interrupted_save_stays(folder):
    fill(folder, OLD)
    fs = Faulty()
    save(folder, NEW, fs)
    first = next(number for number, (name, path, _) in enumerate(fs.log) if name == "rename" and "/files/" in path)
    for rewrite in (lambda path: path.write_bytes(b"theirs"), lambda path: os.replace(folder / "their own", path)):
        fill(folder, OLD)
        fs = Faulty(first, "crash after")
        with pytest.raises(Crash):
            save(folder, NEW, fs)
        fs.abandon()
        assert unfinished(folder / "w.index") is not None
        (folder / "their own").write_bytes(b"theirs")
        rewrite(folder / "w.index")
        os.utime(folder / "w.index", (2e9, 2e9))
        assert unfinished(folder / "w.index") is None
        atomic.sweep(str(folder / "w.index"), FileSystem(), settle)
        assert litter(folder) == []
        assert (folder / "w.index").read_bytes() == b"theirs"


def test_the_new_files_are_durable_before_the_old_ones_are_touched(folder):
    fill(folder, OLD)
    fs = Faulty()
    save(folder, NEW, fs)
    names = [(name, path) for name, path, _ in fs.log]
    first = next(number for number, (name, path) in enumerate(names) if name == "rename")
    synchronised = [path for name, path in names[:first] if name == "fsync"]
    assert [path.rpartition("/")[2] for path in synchronised] == [*NEW, "files", synchronised[-3].rpartition("/")[2], "before", folder.name]
    placed = [path.rpartition("/")[2] for name, path in names if name == "rename"]
    assert placed == ["w.data-0", "w.more", "w.index"]
    rest = names[first + len(placed) :]
    assert ("fsync", str(folder)) in rest
    assert rest.index(("fsync", str(folder))) < min(number for number, (name, _) in enumerate(rest) if name == "unlink")


def test_a_group_that_need_not_last_synchronises_nothing_of_its_own(folder):
    fill(folder, OLD)
    fs = Faulty()
    save(folder, NEW, fs, durable=False)
    assert [path.rpartition("/")[2] for name, path, _ in fs.log if name == "fsync"] == [*NEW]
    assert group_in(folder) == NEW


@pytest.mark.parametrize("name", sorted(OLD))
def test_what_may_not_be_replaced_is_not(folder, name):
    fill(folder, {name: b"there"})
    with pytest.raises(UsageError, match="something is there"):
        save(folder, NEW, overwrite=False)
    assert group_in(folder) == {name: b"there"}
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(UsageError, match="got something else"):
        save(folder, NEW)
    assert (folder / name).is_dir()
    (folder / name).rmdir()
    (folder / name).symlink_to("v.index")
    with pytest.raises(UsageError, match="got something else"):
        save(folder, NEW)
    assert litter(folder) == []


def test_more_than_fits_is_refused_before_anything_is_written(folder):
    fill(folder, OLD)
    with pytest.raises(SaveError) as caught:
        save(folder, NEW, size=1 << 60)
    assert caught.value.errno == errno.ENOSPC
    assert group_in(folder) == OLD
