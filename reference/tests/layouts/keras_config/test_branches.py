"""Sequential models of Keras 1 that begin with a merge of others: files that Keras 1.2.2 wrote."""

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import triptych

ARCHIVE = Path(__file__).parents[2] / "fixtures" / "keras1_branches" / "keras-1.2.2.zip"
NAMES = ("concat", "sum", "nested")


@pytest.fixture(params=NAMES)
def genuine(request, tmp_path):
    """The folder of one model's files, its name, its inputs and what Keras predicted."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        for member in archive.namelist():
            if member.startswith((f"{request.param}.", f"{request.param}_")):
                (tmp_path / member).write_bytes(archive.read(member))
    numbers = np.load(io.BytesIO((tmp_path / f"{request.param}.npz").read_bytes()))
    return tmp_path, request.param, [numbers[f"x{index}"] for index in range(len(numbers) - 1)], numbers["y"]


def near(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


def test_branches_are_a_graph_that_predicts_what_keras_predicted(genuine):
    """Inputs are those of the branches in turn; every layer is of the vocabulary."""
    folder, name, inputs, expected = genuine
    model = triptych.load(folder / f"{name}.h5")
    assert not model.architecture.is_sequential
    assert len(model.architecture.inputs) == len(inputs)
    near(model.predict(inputs), expected)


def test_text_and_weights_apart_predict_the_same(genuine):
    folder, name, inputs, expected = genuine
    model = triptych.model_from_json((folder / f"{name}.json").read_text())
    model.load_weights(folder / f"{name}_weights.h5")
    near(model.predict(inputs), expected)


def test_the_file_and_the_text_go_back_to_what_they_were(genuine):
    """Also by way of a package: the merge stands at the head of a sequential model again."""
    folder, name, _, _ = genuine
    triptych.save(triptych.load(folder / f"{name}.h5"), folder / "between.triptych")
    triptych.save(triptych.load(folder / "between.triptych"), folder / "again.h5")
    with h5py.File(folder / f"{name}.h5") as before, h5py.File(folder / "again.h5") as after:
        for config in ("model_config", "training_config"):
            assert json.loads(after.attrs[config]) == json.loads(before.attrs[config])
        for group in ("model_weights", "optimizer_weights"):
            named, found = ({}, {})
            before[group].visititems(lambda path, item, named=named: named.update({path: item[()].tobytes()}) if isinstance(item, h5py.Dataset) else None)
            after[group].visititems(lambda path, item, found=found: found.update({path: item[()].tobytes()}) if isinstance(item, h5py.Dataset) else None)
            assert found == named
    text = (folder / f"{name}.json").read_text()
    assert json.loads(triptych.model_from_json(text).to_json(dialect="keras")) == json.loads(text)


def test_an_edited_graph_is_written_as_it_is_now(genuine):
    """What was kept of the source holds only where the graph is still that of the source."""
    folder, name, _, _ = genuine
    document = json.loads(triptych.load(folder / f"{name}.h5").to_json())
    changed = next(layer for layer in document["layers"] if layer["name"] == "out")
    changed["config"]["activation"] = "relu"
    written = json.loads(triptych.model_from_json(json.dumps(document)).to_json(dialect="keras"))
    assert written["class_name"] == "Model"
    assert next(layer for layer in written["config"]["layers"] if layer["name"] == "out")["config"]["activation"] == "relu"


def test_todays_keras_loads_it(genuine):
    """Keras 3, which reads no file of Keras 1, predicts what Keras 1 predicted."""
    import keras

    folder, name, inputs, expected = genuine
    triptych.save(triptych.load(folder / f"{name}.h5"), folder / "new.keras")
    found = keras.models.load_model(folder / "new.keras", compile=False)(inputs, training=False)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=0, atol=1e-5 * np.abs(expected).max())
