"""Every writer of the project survives a fault in each of its file operations: the old files stand, or the new ones, and nothing lies beside them."""

import errno
import os
import resource
from pathlib import Path

import pytest
from conftest_package import Faulty
from faults.__main__ import main as faults_command
from faults.operations import AFTER, FAULTS, GONE, everywhere
from faults.report import as_text
from faults.trials import Bench, Tally, exhaust, scratch, trial
from faults.writers import NEW, OLD, all_writers

from triptych.errors import SaveError
from triptych.layouts import LAYOUTS

WRITERS = all_writers()
LIBRARY = [one for one in WRITERS if not one.name.startswith(("convert", "plot"))]


def test_every_layout_that_writes_is_here():
    here = {word for one in WRITERS for word in [getattr(one.save, "args", ("", ""))[1:2]] for word in word}
    assert {one.name for one in LAYOUTS if one.name != "tfjs"} <= here


@pytest.mark.parametrize("writer", WRITERS, ids=lambda one: one.name)
def test_every_failed_operation_leaves_old_or_new(writer):
    tally = exhaust(writer, ["EIO"], step=1 if writer in LIBRARY else 4)
    assert (tally.lost, tally.leftovers) == ([], [])
    assert tally.old + tally.new + tally.between == tally.faults
    assert tally.old
    assert tally.new


@pytest.mark.parametrize("writer", LIBRARY, ids=lambda one: one.name)
def test_every_crash_leaves_old_or_new(writer):
    tally = exhaust(writer, [AFTER], step=2)
    assert (tally.lost, tally.leftovers) == ([], [])


@pytest.mark.parametrize("name", ["package, folder", "TensorFlow checkpoint"])
def test_a_disk_that_is_gone_leaves_old_or_new(name):
    """Nothing can be cleaned up then, so that this is two faults in succession and more."""
    tally = exhaust(next(one for one in WRITERS if one.name == name), [GONE])
    assert (tally.lost, tally.leftovers) == ([], [])


def test_old_files_that_cannot_be_put_back_are_finished_by_the_next_save():
    """Two faults: a new file cannot be placed, and then an old one cannot get its name again."""
    writer = next(one for one in WRITERS if one.name == "TensorFlow checkpoint")
    tally = Tally(writer.name)
    with scratch() as folder:
        bench = Bench(writer, folder)
        probe = Faulty()
        bench.saved(probe)
        placing = [at for at, (name, path, _) in enumerate(probe.log) if name == "rename" and "/files/w" not in str(path) and "/files/ckpt." in str(path)][-2:]
        for at in placing:
            length = len(trial(bench, {at: "EIO"}, Tally(""), "").log)
            for later in range(at + 1, length):
                trial(bench, {at: "EIO", later: "EIO"}, tally, "")
    assert (tally.lost, tally.leftovers) == ([], [])
    assert tally.old
    assert tally.new


@pytest.mark.parametrize("name", ["Keras HDF5", "Keras archive", "Keras weights, shards", "plot, SVG", "safetensors"])
def test_a_file_that_may_not_grow_is_one_typed_error(name):
    """The system itself refuses, at every 997th byte; libhdf5 read memory that it had freed then."""
    writer = next(one for one in WRITERS if one.name == name)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with scratch() as folder:
        bench = Bench(writer, folder)
        longest = max(map(len, bench.contents[NEW].values()))
        refused = 0
        for limit in range(0, longest + 1, 997):
            bench.restore()
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
            try:
                writer.save(bench.place, NEW)
            except SaveError as error:
                refused += 1
                assert error.errno == errno.EFBIG or os.strerror(errno.EFBIG) in str(error)
                assert bench.state() == "old"
            else:
                assert bench.state() == "new"
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert refused


def test_the_source_of_a_conversion_is_not_touched():
    writer = next(one for one in WRITERS if one.name == "convert, to a package")
    with scratch() as folder:
        writer.prepare(folder)
        before = {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.iterdir()}
        fs = Faulty()
        with everywhere(fs):
            writer.save(folder, OLD)
        assert not [path for name, path, more in fs.log if "source" in str(path) or any("source" in str(one) for one in more)]
        assert {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in before} == before


def test_the_page_about_durability_names_every_writer_and_no_loss():
    """Its figures add up as the command prints them."""
    lines = Path(__file__).parents[3].joinpath("docs/durability.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    rows = [(name, *(int(cell.replace(",", "")) for cell in cells)) for name, *cells in rows if cells[0][0].isdigit()]
    assert {one.name for one in WRITERS} <= {row[0] for row in rows}
    for _, _, faults, old, new, said, lost, leftovers in rows:
        assert faults == old + new + said
        assert (lost, leftovers) == (0, 0)


def test_the_command_prints_what_it_counted(capsys):
    """And says by its exit status whether anything was lost."""
    assert faults_command(["operations", "--writer", "architecture, JSON"]) == 0
    *_, row, total = capsys.readouterr().out.splitlines()
    tally = exhaust(next(one for one in WRITERS if one.name == "architecture, JSON"), FAULTS)
    assert row.split()[-2:] == total.split()[-2:] == ["0", "0"]
    assert int(row.split()[3].replace(",", "")) > tally.faults > 300
    lost = [Tally("a writer", faults=2, old=1, lost=["a writer: something"])]
    assert as_text(lost).splitlines()[1].split()[-2:] == ["1", "0"]
    assert as_text(lost).splitlines()[-1] == "a writer: something"
