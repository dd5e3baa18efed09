"""A power cut at any instant of a save, whatever of what was not synchronised the disk kept: the old files, or the new ones; the new ones once the save returned."""

import pytest
from conftest_package import Faulty
from faults.power import exhaust_cuts
from faults.trials import Bench, scratch
from faults.writers import NEW, all_writers

import triptych
from triptych.layouts.keras_v3 import reader
from triptych.package.file_group import unfinished

WRITERS = {one.name: one for one in all_writers()}


@pytest.mark.parametrize("name", ["package, folder", "package, archive", "TensorFlow checkpoint", "checkpoint series", "adopt, a hub's folder", "safetensors"])
def test_every_power_cut_leaves_old_or_new(name):
    tally = exhaust_cuts(WRITERS[name], most=400, tidied_every=20)
    assert (tally.lost, tally.leftovers) == ([], [])
    assert tally.old + tally.new + tally.between == tally.faults
    assert tally.old
    assert tally.new


def test_a_save_that_forgets_to_synchronise_is_found_out(monkeypatch):
    """The judge of power cuts is one: without the synchronisation of folders it finds files that are lost."""
    from triptych.package import atomic

    monkeypatch.setattr(atomic, "sync_folder", lambda path, fs: None)
    assert exhaust_cuts(WRITERS["package, archive"], most=400, tidied_every=400).lost


def test_readers_are_told_of_shards_whose_save_was_interrupted(monkeypatch):
    """New shards beside the old index are no model: until the next save, loading says so."""
    monkeypatch.setattr(reader, "_PATIENCE_SECONDS", 0.1)
    writer = WRITERS["Keras weights, shards"]
    with scratch() as folder:
        bench = Bench(writer, folder)
        probe = Faulty()
        bench.saved(probe)
        first = next(at for at, (name, path, _) in enumerate(probe.log) if name == "rename" and str(path).endswith("/files/model_00000.weights.h5"))
        outcome, _ = bench.saved(Faulty(first, "crash after"))
        assert (outcome, bench.state()) == ("stopped", "between")
        assert unfinished(bench.place / writer.target) is not None
        with pytest.raises(triptych.InvalidModelError, match="it was interrupted: save again"):
            triptych.load(bench.place / writer.target)
        writer.save(bench.place, NEW)
        assert bench.state() == "new"
        assert triptych.load(bench.place / writer.target).weights
