"""What a save does with the place it saves to."""

import os
import stat
import time

import pytest
from conftest_package import Faulty, content_of, facts, make_panels, read_facts

from triptych.errors import SaveError, UsageError
from triptych.model import Panels
from triptych.package import FileSystem, atomic, read_package, replace_file, write_package

OLD, NEW = make_panels(1), make_panels(2)


def save(panels, target, **options):
    write_package(panels, target, durable=False, **options)


def test_a_model_comes_back_as_it_was(target):
    save(NEW, target)
    assert read_facts(target) == facts(NEW)


def test_the_form_follows_the_name_unless_it_is_said(tmp_path):
    save(NEW, tmp_path / "a.triptych")
    save(NEW, tmp_path / "b")
    save(NEW, tmp_path / "c.triptych", form="directory")
    save(NEW, tmp_path / "d", form="archive")
    assert [(tmp_path / name).is_dir() for name in ("a.triptych", "b", "c.triptych", "d")] == [False, True, True, False]


def test_a_package_is_saved_over_itself(target):
    save(OLD, target)
    opened = read_package(target)
    save(opened, target)
    save(NEW, target)
    assert facts(opened) == facts(OLD)  # what was opened stays readable when it is replaced
    assert read_facts(target) == facts(NEW)


def test_a_hard_linked_backup_is_a_backup(target):
    save(OLD, target)
    backup = target.parent / "backup"
    if target.is_file():
        os.link(target, backup)
    else:
        for file in sorted(path for path in target.rglob("*") if path.is_file()):
            (backup / file.relative_to(target)).parent.mkdir(parents=True, exist_ok=True)
            os.link(file, backup / file.relative_to(target))
    save(NEW, target)
    assert read_facts(backup) == facts(OLD)


def test_a_link_is_followed_once_and_stays(target):
    save(OLD, target)
    link = target.parent / "link"
    link.symlink_to(target.name)
    save(NEW, link, form="archive" if target.is_file() else "directory")
    assert link.is_symlink()
    assert read_facts(target) == facts(NEW)
    assert sorted(os.listdir(target.parent)) == sorted([target.name, "link"])


def test_permissions_are_kept(target):
    save(OLD, target)
    files = [target] if target.is_file() else [path for path in target.rglob("*") if path.is_file()]
    for file in files:
        file.chmod(0o640)
    if target.is_dir():
        target.chmod(0o750)
    save(NEW, target)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o640}
    if target.is_dir():
        assert stat.S_IMODE(target.stat().st_mode) == 0o750


def test_new_files_have_the_permissions_that_the_user_wants(target):
    before = os.umask(0o027)
    try:
        save(NEW, target)
    finally:
        os.umask(before)
    for path in (target, *target.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o750 if path.is_dir() else 0o640)


def test_a_folder_that_is_no_package_is_never_replaced(tmp_path):
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter.txt").write_text("years of work")
    with pytest.raises(UsageError, match="not replaced"):
        save(NEW, folder)
    (folder / "manifest.json").write_text('{"format": "something else", "members": {}}')
    with pytest.raises(UsageError, match="not replaced"):
        save(NEW, folder)
    assert (folder / "chapter.txt").read_text() == "years of work"
    assert os.listdir(tmp_path) == ["thesis"]


def test_a_package_with_somebody_elses_file_is_not_replaced(tmp_path):
    save(OLD, tmp_path / "model")
    (tmp_path / "model" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"notes\.txt"):
        save(NEW, tmp_path / "model")
    assert (tmp_path / "model" / "notes.txt").read_text() == "mine"


def test_an_empty_folder_becomes_a_package(tmp_path):
    (tmp_path / "model").mkdir()
    save(NEW, tmp_path / "model")
    assert read_facts(tmp_path / "model") == facts(NEW)


def test_a_file_is_not_replaced_by_a_folder_nor_the_other_way_round(tmp_path):
    (tmp_path / "a").write_text("a file")
    with pytest.raises(UsageError):
        save(NEW, tmp_path / "a")
    save(OLD, tmp_path / "b.triptych", form="directory")
    with pytest.raises(UsageError):
        save(NEW, tmp_path / "b.triptych")
    assert (tmp_path / "a").read_text() == "a file"


@pytest.mark.parametrize("lacking", [(), ("rename_new", "exchange")])
def test_nothing_is_replaced_against_the_callers_word(target, lacking):
    save(NEW, target, overwrite=False, fs=Faulty(lacking=lacking))
    before = content_of(target)
    with pytest.raises(UsageError, match="overwrite"):
        save(OLD, target, overwrite=False, fs=Faulty(lacking=lacking))
    assert content_of(target) == before


def test_what_appears_during_a_save_is_not_replaced_against_the_callers_word(target):
    class Racing(FileSystem):
        def rename_new(self, source, place):
            if not os.path.lexists(place):
                save(OLD, place, form="archive" if target.suffix else "directory")
            super().rename_new(source, place)

    with pytest.raises(UsageError, match="appeared"):
        save(NEW, target, overwrite=False, fs=Racing())
    assert read_facts(target) == facts(OLD)


def test_room_is_looked_for_before_anything_is_written(target):
    class Full(FileSystem):
        def free_bytes(self, path):
            return 1000

        def mkdir(self, path, mode=0o777):
            raise AssertionError(path)

    save(OLD, target)
    before = content_of(target)
    with pytest.raises(SaveError, match=r"expected \d+ free bytes .*, got 1000"):
        save(NEW, target, fs=Full())
    assert content_of(target) == before


@pytest.mark.parametrize("place", ["missing/model", "file/model", "x" * 300])
def test_an_impossible_place_is_one_typed_error(tmp_path, place):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(SaveError):
        save(NEW, tmp_path / place)
    assert os.listdir(tmp_path) == ["file"]


def test_the_longest_possible_name_is_possible(tmp_path):
    name = "\u00e9" * 127 + "x"
    save(OLD, tmp_path / name)
    save(NEW, tmp_path / name)
    assert os.listdir(tmp_path) == [name]


def test_a_model_of_nothing_is_not_saved(target):
    with pytest.raises(UsageError):
        save(Panels(), target)


def test_progress_counts_every_byte(target):
    seen = []
    save(NEW, target, progress=lambda done, total, name: seen.append((done, total, name)))
    done = [one for one, _, _ in seen]
    assert done == sorted(done)
    assert {total for _, total, _ in seen} == {sum(map(len, content_of(target).values()))} if target.is_dir() else done[-1] <= seen[0][1]
    assert {name for _, _, name in seen} >= {"manifest.json", "model.safetensors", "training.safetensors", "architecture.json"}


def test_an_interrupting_progress_leaves_the_old(target):
    def stop(done, total, name):
        if name == "training.safetensors":
            raise KeyboardInterrupt

    save(OLD, target)
    before = content_of(target)
    with pytest.raises(KeyboardInterrupt):
        save(NEW, target, progress=stop)
    assert content_of(target) == before
    assert os.listdir(target.parent) == [target.name]


# --- litter

def litter(target, boot, *, age=0.0):
    path = target.parent / f".{target.name}.{boot}{'0' * 24}.tmp"
    path.mkdir()
    (path / "new").write_text("half a model")
    if age:
        os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_litter_of_a_dead_process_is_swept(target):
    path = litter(target, atomic._boot())
    save(NEW, target)
    assert not path.exists()


def test_what_a_living_process_writes_is_left_alone(target):
    path = litter(target, atomic._boot(), age=1e6)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert FileSystem().lock(descriptor, wait=False)
        save(NEW, target)
        assert path.exists()
    finally:
        os.close(descriptor)
    save(NEW, target)
    assert not path.exists()


def test_litter_of_another_host_is_swept_when_it_is_a_day_old(target):
    young, old = litter(target, "0a0b0c0d"), litter(target, "1a1b1c1d", age=25 * 3600)
    save(NEW, target)
    assert young.exists()
    assert not old.exists()


def test_other_hidden_files_are_no_litter(target):
    for name in (f".{target.name}.tmp", f".{target.name}x.{'0' * 32}.tmp", f".other.{atomic._boot()}{'0' * 24}.tmp"):
        (target.parent / name).mkdir()
    (target.parent / f".{target.name}.{atomic._boot()}{'1' * 24}.tmp").symlink_to(".")
    before = sorted(os.listdir(target.parent))
    save(NEW, target)
    assert sorted(os.listdir(target.parent)) == sorted([*before, target.name])


def test_a_sweeper_that_is_quicker_than_the_lock_costs_nothing(target):
    """Between making its folder and locking it a save can lose the folder to a sweeper; it makes another."""
    class Swept(FileSystem):
        times = 0

        def lock(self, descriptor, *, wait):
            if wait and self.times < 2:
                self.times += 1
                atomic.sweep(os.path.realpath(target), FileSystem())
            return super().lock(descriptor, wait=wait)

    fs = Swept()
    save(NEW, target, fs=fs)
    assert fs.times == 2
    assert read_facts(target) == facts(NEW)
    assert os.listdir(target.parent) == [target.name]


def test_saves_at_the_same_time_end_with_one_of_them(target):
    children = []
    for seed in range(8):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for _ in range(10):
                    save(make_panels(seed), target)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert {os.waitpid(child, 0)[1] for child in children} == {0}
    assert read_facts(target) in [facts(make_panels(seed)) for seed in range(8)]
    save(NEW, target)
    assert os.listdir(target.parent) == [target.name]


# --- replacing a file by other means

def test_replace_file_commits_at_the_end_of_the_block(tmp_path):
    target = tmp_path / "model.h5"
    with replace_file(target) as path:
        with open(path, "wb") as file:
            file.write(b"first")
        assert not target.exists()
    assert target.read_bytes() == b"first"
    target.chmod(0o600)
    with replace_file(target) as path, open(path, "wb") as file:
        file.write(b"second")
    assert target.read_bytes() == b"second"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with pytest.raises(ZeroDivisionError), replace_file(target) as path, open(path, "wb") as file:
        file.write(b"third")
        1 / 0
    assert target.read_bytes() == b"second"
    assert os.listdir(tmp_path) == ["model.h5"]
