"""Cases of files that old frameworks wrote: Keras 1.2 to 2.3, the Keras in TensorFlow 2.4 to 2.15, Keras 3.0 to 3.8."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import _foreign_models as models
import _foreign_old_models as old
from _foreign import Frozen, Place, joined, read
from kit import Case


def cases() -> Iterable[Case]:
    yield from hdf5()
    yield from archives()
    yield from tensorflow()


def hdf5() -> Iterable[Case]:
    here = Place("keras-hdf5", "model.h5")
    sgd = models.training("SGD", 0, learning_rate=0.25, momentum=0.5)  # this Keras counts steps only where the rate decays
    yield read("cnv-020-keras-1", "Keras 1.2.2: channels first, kernels stored as Theano has them", of=Frozen("old-122-model", old.CHANNELS, sgd), place=here)
    yield joined("cnv-005-keras-1-alone", "Keras 1.2.2: weights alone, without a version", of=Frozen("old-122-alone", old.CHANNELS), place=here, cites=["CNV-020"])
    yield read("cnv-020-keras-2-0", "Keras 2.0.9: layers in a list, gates as hard sigmoids", of=Frozen("old-209-model", old.RECURRENT, old.adam(narrow=True)), place=here)
    rmsprop = models.training("RMSprop", None, learning_rate=0.25, rho=old.NARROW["beta_1"], epsilon=0.0625, epsilon_mode="outside")
    yield read("cnv-020-keras-2-2", "Keras 2.2.4: what is frozen inside comes last, steps are not counted", of=Frozen("old-224-model", old.FROZEN, rmsprop), place=here)
    yield read("cnv-020-theano", "Keras 2.2.4 on Theano, which turns kernels round", of=Frozen("old-224-theano", old.THEANO), place=here)
    yield read("cnv-020-cudnn", "Keras 2.2.4: a cell of CuDNN, whose kernels lie otherwise", of=Frozen("old-224-cudnn", old.CUDNN), place=here)
    yield joined("cnv-005-keras-2-3-alone", "Keras 2.3.1: weights alone, of a cell that reads both ways", of=Frozen("old-231-alone", old.BOTH_WAYS), place=here, cites=["CNV-020"])
    yield read("cnv-020-tensorflow-2-4", "TensorFlow 2.4: a bias of two rows, slots one kind after the other", of=Frozen("old-244-model", old.GRU, old.adam(narrow=True)), place=here)
    yield read("cnv-020-named-archive", "TensorFlow 2.10 writes HDF5 under the name of an archive", of=Frozen("old-2101-named-archive", old.FROZEN, old.adam(narrow=True)),
               place=replace(here, path="model.keras"))
    yield joined("cnv-005-named-weights", "TensorFlow 2.10 lists layers in weights that are named by object path", of=Frozen("old-2101-named-weights", old.GRU),
                 place=replace(here, path="model.weights.h5"), cites=["CNV-020"])
    yield read("cnv-020-keras-3-3", "Keras 3.3.3: names with the path of their object", of=Frozen("old-333-model", old.FROZEN, old.adam()), place=here)


def archives() -> Iterable[Case]:
    for name, version, label in (("tensorflow-2-15", "TensorFlow 2.15", "2151"), ("keras-3-0", "Keras 3.0.5", "305"), ("keras-3-3", "Keras 3.3.3", "333"), ("keras-3-8", "Keras 3.8.0", "380")):
        yield read(f"cnv-022-archive-{name}", f"An archive of {version} with a frozen layer in a model inside", of=Frozen(f"old-{label}-archive", old.FROZEN, old.adam()),
                   place=Place("keras-archive", "model.keras"))
        yield joined(f"cnv-005-weights-{name}", f"Weights of {version} by object path", of=Frozen(f"old-{label}-weights", old.GRU),
                     place=Place("keras-weights", "model.weights.h5"), cites=["CNV-022"])


def tensorflow() -> Iterable[Case]:
    for name, version, label in (("2-4", "TensorFlow 2.4", "244"), ("2-15", "TensorFlow 2.15", "2151")):
        yield joined(f"cnv-005-checkpoint-tensorflow-{name}", f"A checkpoint of {version}, with its slots", of=Frozen(f"old-{label}-checkpoint", old.FROZEN, old.COUNTED),
                     place=Place("tensorflow-checkpoint", "model"), cites=["CNV-026"])
    for name, version, label in (("2-4", "TensorFlow 2.4", "244"), ("2-10", "TensorFlow 2.10", "2101"), ("2-15", "TensorFlow 2.15", "2151")):
        yield read(f"cnv-028-tensorflow-{name}", f"A SavedModel of {version}", of=Frozen(f"old-{label}-folder", old.SMALL, old.adam(narrow=label != "2151")), place=Place("saved-model", "model", loses=True), cites=[
            "CNV-028", "CNV-008"])
