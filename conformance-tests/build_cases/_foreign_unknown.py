"""Cases of layers of somebody's own class: what they compute nobody knows, what their weights are called the file says."""

from __future__ import annotations

from collections.abc import Iterable

import _foreign_models as models
from _foreign import READS, Frozen, Place, case
from kit import Case

ADAM = models.training("Adam", 2, learning_rate=0.25, **models.ADAM)


def cases() -> Iterable[Case]:
    hdf5, archive, saved_model = Place("keras-hdf5", "model.h5"), Place("keras-archive", "model.keras"), Place("saved-model", "model", loses=True)
    yield kept("hdf5-keras2", "Layers of somebody's class, some inside models, in HDF5, with slots", of=Frozen("unknown-hdf5-keras2", {}, ADAM), place=hdf5)
    yield kept("hdf5-keras3", "Layers of somebody's class in HDF5 of Keras 3", of=Frozen("unknown-hdf5-keras3", {}), place=hdf5)
    yield kept("archive-keras2", "Layers of somebody's class, one private, in an archive of tf-keras", of=Frozen("unknown-archive-keras2", {}), place=archive)
    yield kept("archive-keras3", "Layers of somebody's class in an archive of Keras 3", of=Frozen("unknown-archive-keras3", {}), place=archive)
    yield kept("saved-model", "Layers of somebody's class in a SavedModel, with their slots", of=Frozen("unknown-saved-model", {}, ADAM), place=saved_model)
    yield kept("whole-keras2", "A model of somebody's class in an archive of tf-keras", of=Frozen("unknown-whole-keras2", {}), place=archive)
    yield kept("whole-keras3", "A model of somebody's class in an archive of Keras 3", of=Frozen("unknown-whole-keras3", {}), place=archive)


def kept(word: str, title: str, *, of: Frozen, place: Place) -> Case:
    """A file whose architecture only its framework could build is read: weights and slots count."""
    seen = {name: value for name, value in of.observed.items() if name != "architecture"}
    owed = [name for name in of.owed if name != "CNV-002"]
    return case(f"cnv-009-{word}", title, cites=["CNV-009", *owed, READS[place.layout], *(["CNV-008"] if place.loses else [])], place=place, op="import", files=of.files, accepted=seen)
