"""SavedModels that TensorFlow 1.15, 2.4, 2.10 and 2.15 wrote, against what those versions themselves made of them."""

import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

import triptych

from .conftest import losses

ARCHIVES = Path(__file__).parents[2] / "fixtures" / "saved_models"
KERAS = ["2.4.4", "2.10.1", "2.15.1"]


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory):
    def unpack(version):
        folder = tmp_path_factory.mktemp(f"tensorflow-{version}")
        with zipfile.ZipFile(ARCHIVES / f"tensorflow-{version}.zip") as archive:
            archive.extractall(folder)
        return folder

    found = {}
    return lambda version: found[version] if version in found else found.setdefault(version, unpack(version))


def arrays(kept, letter):
    return [kept[name] for name in sorted(kept) if name[0] == letter and name[1:].isdecimal()]


@pytest.mark.parametrize("version", KERAS)
def test_keras_models_of_every_generation_predict_and_go_on_as_they_did(version, unpacked, keras2, tmp_path):
    folder = unpacked(version)
    kept = dict(np.load(folder / "graph.npz"))
    model = triptych.load(folder / "graph")
    for found, expected in zip(model.predict(arrays(kept, "x")), arrays(kept, "p"), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert sorted(one.tobytes() for one in model.weights.values()) == sorted(one.tobytes() for one in arrays(kept, "w"))
    model.save(tmp_path / "graph.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        live = keras2.models.load_model(tmp_path / "graph.h5")
    assert ("legacy" in type(live.optimizer).__module__) == (version != "2.15.1")
    np.testing.assert_allclose(losses(live, arrays(kept, "x"), arrays(kept, "y")), kept["losses"], rtol=1e-5)


@pytest.mark.parametrize("version", KERAS)
def test_modules_have_variables_by_the_way_that_leads_to_them_and_constants_of_their_graph(version, unpacked):
    folder = unpacked(version)
    kept = dict(np.load(folder / "module.npz"))
    model = triptych.load(folder / "module")
    assert list(model.weights) == ["rows.0", "rows.1", "inside.count", "Const"]
    for name in ("rows.0", "rows.1", "inside.count"):
        np.testing.assert_array_equal(model.weights[name], kept[name])
    np.testing.assert_array_equal(model.weights["Const"], kept["constant"])
    told = model.panels.extensions["tensorflow"]
    assert told["saved_model"]["constants"] == ["Const"]
    assert told["saved_model"]["tags"] == ["serve"]
    assert told["saved_model"]["version"] == version
    signature = told["signatures"]["serving_default"]
    assert signature["method"] == "tensorflow/serving/predict"
    assert signature["inputs"]["x"] | {"tensor": ""} == {"dtype": "float32", "shape": [None, 2], "tensor": ""}
    assert signature["outputs"]["y"] | {"tensor": ""} == {"dtype": "float32", "shape": [None, 2], "tensor": ""}


def test_a_graph_of_tensorflow_1_has_its_variables_whole_and_the_constants_that_its_signature_uses(unpacked):
    folder = unpacked("1.15.0")
    kept = dict(np.load(folder / "simple.npz"))
    model = triptych.load(folder / "simple")
    assert set(model.weights) == {"layer/bias", "table/rows", "frozen"}
    assert model.training.progress.step == kept["global_step"]
    for name in model.weights:
        np.testing.assert_array_equal(model.weights[name], kept[name])
    assert model.panels.extensions["tensorflow"]["saved_model"]["constants"] == ["frozen"]


def test_of_several_graphs_that_for_serving_is_read_and_what_it_reaches_outside_is_named(unpacked):
    folder = unpacked("1.15.0")
    model = triptych.load(folder / "two_graphs")
    np.testing.assert_array_equal(model.weights["w"], np.load(folder / "two_graphs.npz")["w"])
    assert bytes(model.panels.assets["assets/words.txt"].read()) == b"one\ntwo\nthree\n"
    told = model.panels.extensions["tensorflow"]["saved_model"]
    assert (told["tags"], told["other_tags"]) == (["serve"], [["train"]])
    assert {one["op"]: (one["effect"], one["nodes"]) for one in told["operations"]} == {
        "InitializeTableFromTextFileV2": ("reads files", ["string_to_index/hash_table/table_init/InitializeTableFromTextFileV2"]),
        "Print": ("prints", ["Print"]),
        "ReadFile": ("reads files", ["ReadFile"]),
    }
    assert "operation ReadFile, which reads files: 'ReadFile'" in model.notes
    assert "the graph tagged train: one is read, that tagged serve" in model.notes
