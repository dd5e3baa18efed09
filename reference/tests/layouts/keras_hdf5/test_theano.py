"""Files that Keras wrote on Theano mean what they meant there: kernels turned round, ``same`` padding of other amounts."""

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import triptych

ARCHIVE = Path(__file__).parents[2] / "fixtures" / "theano_keras" / "keras-2.2.4.zip"
NAMES = sorted({name.split(".")[0] for name in zipfile.ZipFile(ARCHIVE).namelist()})
UNSAID = {"convlstm2d_even"}
"""Models whose padding cannot be said, so that their layer is kept and not evaluated."""


@pytest.fixture
def genuine(tmp_path):
    """Name -> the model, an input, and what Keras on Theano predicted."""

    def read(name):
        with zipfile.ZipFile(ARCHIVE) as archive:
            path = tmp_path / f"{name}.h5"
            path.write_bytes(archive.read(f"{name}.h5"))
            numbers = np.load(io.BytesIO(archive.read(f"{name}.npz")))
        return triptych.load(path), numbers["x"], numbers["y"]

    return read


@pytest.mark.parametrize("name", [name for name in NAMES if name not in UNSAID])
def test_predictions_are_those_of_theano(genuine, name):
    """Our formulas yield what the framework that wrote the file computed."""
    model, x, expected = genuine(name)
    np.testing.assert_allclose(model.predict(x), expected, rtol=0, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("name", UNSAID)
def test_what_cannot_be_said_is_not_said_wrongly(genuine, name):
    """A state that is padded by half an even kernel makes the layer an extension type."""
    model, x, _ = genuine(name)
    assert model.architecture.layers[0].type == "keras:ConvLSTM2D"
    with pytest.raises(triptych.UnsupportedError, match="keras:ConvLSTM2D"):
        model.predict(x)


def contents(path):
    """Every attribute, configurations as JSON, and the bytes of every array of a file."""
    found = {}
    with h5py.File(path) as file:
        found |= {("", name): json.loads(value) if name.endswith("_config") else value for name, value in file.attrs.items()}
        file.visititems(lambda name, item: found.update({(name, ""): item[()].tobytes() if isinstance(item, h5py.Dataset) else ""}))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_file_goes_back_to_what_it_was(genuine, tmp_path, name):
    """Written again, kernels and padding are Theano's once more, also after a package in between."""
    model, _, _ = genuine(name)
    triptych.save(model, tmp_path / "between.triptych")
    triptych.save(triptych.load(tmp_path / "between.triptych"), tmp_path / "again.h5")
    assert contents(tmp_path / "again.h5") == contents(tmp_path / f"{name}.h5")


@pytest.mark.parametrize("dialect", ["keras2", "keras3"])
def test_another_backend_is_told_what_it_cannot_pad(genuine, tmp_path, dialect):
    """For a Keras on TensorFlow, padding that it lacks is named."""
    model, _, _ = genuine("conv2d_even_same")
    notes = triptych.save(model, tmp_path / "other.h5", dialect=dialect)
    assert any("padding" in note for note in notes)


def test_keras_on_tensorflow_predicts_the_same(genuine, tmp_path):
    """Where padding is alike, what is written for TensorFlow computes what Theano computed: kernels are turned back."""
    import tensorflow as tf
    import tf_keras

    model, x, expected = genuine("conv2d_same")
    assert triptych.save(model, tmp_path / "other.h5", dialect="keras2") == ()
    loaded = tf_keras.models.load_model(tmp_path / "other.h5", compile=False)
    np.testing.assert_allclose(loaded(tf.constant(x)).numpy(), expected, rtol=0, atol=1e-5 * np.abs(expected).max())
