"""Whatever goes wrong in whichever file operation of a save, the old package or the new one is there, complete."""

import errno
import inspect
import os

import pytest
from conftest_package import Crash, Faulty, content_of, facts, make_panels, read_facts

from triptych.errors import SaveError
from triptych.package import FileSystem, read_package, write_package

OLD, NEW, LATER = make_panels(1), make_panels(2, extra=50), make_panels(3)
LACKING = {"nothing": (), "no exchange": ("exchange",), "plain renames": ("exchange", "rename_new"), "no locks": ("lock",),
           "no allocation": ("allocate", "start_writeback")}


def save(panels, target, fs=None):
    write_package(panels, target, fs=fs, durable=fs is not None)


def operations(target, lacking, *, over_old):
    """How many file operations a save takes that nothing happens to."""
    if over_old:
        save(OLD, target)
    fs = Faulty(lacking=lacking)
    save(NEW, target, fs)
    remove(target)
    return len(fs.log)


def remove(target):
    FileSystem().remove_tree(str(target))


def test_every_operation_goes_through_the_object():
    """The methods that reach the system are those that the tests fail, and no module but files.py changes anything on disk."""
    names = {name for name, _ in inspect.getmembers(FileSystem, inspect.isfunction)}
    assert names - set(FileSystem.OPERATIONS) == {"write_all", "pwrite_all", "remove_tree"}
    import triptych.package.atomic as atomic
    import triptych.package.streaming as streaming
    import triptych.package.write as write

    for module in (atomic, streaming, write):
        source = inspect.getsource(module)
        for word in ("os.open(", "os.write", "os.rename", "os.replace", "os.unlink", "os.remove", "os.mkdir", "os.fsync", "shutil", "write_bytes", "tempfile"):
            assert word not in source, (module.__name__, word)


FAULTS = [errno.EIO, errno.ENOSPC, "short write", "crash before", "crash after", "interrupt"]
MATRIX = [(fault, lacking) for fault in FAULTS for lacking in LACKING if lacking == "nothing" or fault in (errno.EIO, "crash after")]


@pytest.mark.parametrize("over_old", [True, False], ids=["over an old one", "new"])
@pytest.mark.parametrize(("fault", "lacking"), MATRIX)
def test_every_fault_leaves_old_or_new(target, lacking, over_old, fault):
    lacking = LACKING[lacking]
    seen = set()
    count = operations(target, lacking, over_old=over_old)
    old, new = facts(OLD), facts(NEW)
    for at in range(count):
        if over_old:
            save(OLD, target)
            before = content_of(target)
        fs = Faulty(at, fault, lacking=lacking)
        outcome = "returned"
        try:
            save(NEW, target, fs)
        except SaveError as error:
            outcome = "new stands" if "the new content stands there" in str(error) else "failed"
        except (Crash, KeyboardInterrupt):
            outcome = "stopped"
        fs.abandon()
        try:
            found = read_facts(target)
        except FileNotFoundError:
            found = None
        assert found in (old if over_old else None, new), (at, fs.log[at])
        if outcome == "returned" or outcome == "new stands":
            assert found == new, (at, fs.log[at])
        elif outcome == "failed":
            assert content_of(target) == before if over_old else found is None, (at, fs.log[at])
        if isinstance(fault, int) and outcome == "failed" and fs.log[at][0] not in ("rmdir", "unlink", "listdir"):
            assert os.listdir(target.parent) == ([target.name] if over_old else []), (at, fs.log[at])
        save(LATER, target)
        assert os.listdir(target.parent) == [target.name], (at, fs.log[at])
        seen.add((outcome, found == new))
        remove(target)
    if fault == "short write":
        assert seen == {("returned", True)}
    else:
        assert {("returned", True)} <= seen if isinstance(fault, int) else {("stopped", False), ("stopped", True)} <= seen


def test_an_unexpected_source_error_leaves_the_old(target):
    """The model's own tensors may fail while they are read."""
    from dataclasses import replace

    from triptych.model import Tensor, Weights

    save(OLD, target)
    before = content_of(target)

    def fail():
        raise RuntimeError("the source is gone")

    broken = replace(NEW, weights=Weights({**NEW.weights.tensors, "dense.kernel": Tensor("float32", (3, 5), fail)}))
    with pytest.raises(RuntimeError, match="the source is gone"):
        save(broken, target)
    assert content_of(target) == before
    assert os.listdir(target.parent) == [target.name]


def test_what_is_written_is_durable_before_it_counts(target):
    """Every file and folder is synchronised after its last write and before the exchange; the parent before anything is removed."""
    save(OLD, target)
    fs = Faulty()
    save(NEW, target, fs)
    names = [name for name, _, _ in fs.log]
    commit = names.index("exchange")
    written, made = {}, {}
    for number, (name, path, _) in enumerate(fs.log[:commit]):
        if name in ("writev", "pwrite", "chmod"):
            written[path] = number
        if name == "mkdir":
            made[path] = number
    synchronised = {path: number for number, (name, path, _) in enumerate(fs.log) if name == "fsync" and number < commit}
    assert written
    assert all(synchronised[path] > number for path, number in written.items())
    private = min(made, key=len)
    for path in made:
        if path != private:
            assert synchronised[path] > max(number for other, number in written.items() if other.startswith(path + os.sep))
    after = fs.log[commit + 1 :]
    parent = next(number for number, (name, path, _) in enumerate(after) if name == "fsync" and path == str(target.parent))
    removed = [number for number, (name, _, _) in enumerate(after) if name in ("unlink", "rmdir")]
    assert removed
    assert parent < min(removed)


def test_a_save_that_need_not_last_synchronises_nothing(target):
    fs = Faulty()
    write_package(NEW, target, fs=fs, durable=False)
    assert "fsync" not in {name for name, _, _ in fs.log}
    assert read_facts(target) == facts(NEW)


def test_a_failed_synchronisation_is_not_repeated(target):
    save(OLD, target)
    fs = Faulty()
    save(NEW, target, fs)
    first = next(number for number, (name, _, _) in enumerate(fs.log) if name == "fsync")
    save(OLD, target)
    fs = Faulty(first, errno.EIO)
    with pytest.raises(SaveError) as caught:
        save(NEW, target, fs)
    assert caught.value.errno == errno.EIO
    assert [name for name, _, _ in fs.log].count("fsync") == 1


def test_readers_find_the_old_folder_between_two_renames(tmp_path):
    target = tmp_path / "model"
    save(OLD, target)
    fs = Faulty(lacking=("exchange",))
    save(NEW, target, fs)
    moved = next(number for number, (name, path, more) in enumerate(fs.log) if name == "rename" and path == str(target))
    save(OLD, target)
    fs = Faulty(moved, "crash after", lacking=("exchange",))
    with pytest.raises(Crash):
        save(NEW, target, fs)
    fs.abandon()
    assert not target.exists()
    assert facts(read_package(target)) == facts(OLD)
