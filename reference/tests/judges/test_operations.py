"""Files of models with operations between their layers: weights find their places, and each Keras loads what the other wrote."""

import json
import warnings
import zipfile

import h5py
import numpy as np
import pytest

import triptych

ROWS = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")


def network(k, where):
    """Operations before, between and after layers of which some are shared, nested, or of equal shapes."""
    inner_x = k.Input((6,))
    inner = k.Model(inner_x, k.layers.Dense(6, name="deep")(inner_x * 2.0) + 1.0, name="inner")
    x, shared = k.Input((6,), name="x"), k.layers.Dense(6, name="shared")
    joined = shared(x / 2.0) - inner(shared(-x)) * np.arange(6, dtype="float32")
    y = k.layers.Dense(6, name="last")(where(joined > 0, joined, 0.1 * joined))
    return k.Model(x, [y[:, 1:4] ** 2, k.layers.Add(name="sum")([x, y])])


def same(one, other):
    return all(np.allclose(a, b, rtol=1e-5, atol=1e-5) for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def written(keras2, keras3, tf, tmp_path_factory):
    """A file of each Keras with what it predicts."""
    folder = tmp_path_factory.mktemp("written")
    two, three = network(keras2, tf.where), network(keras3, keras3.ops.where)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        two.save(folder / "two.h5")
        three.save(folder / "three.keras")
    return {"two.h5": (folder / "two.h5", two.predict(ROWS, verbose=0)), "three.keras": (folder / "three.keras", three.predict(ROWS, verbose=0))}


@pytest.mark.parametrize("name", ["two.h5", "three.keras"])
def test_we_predict_what_keras_predicts(written, name):
    path, theirs = written[name]
    model = triptych.load(path)
    assert [one.name for one in model.architecture.layers] == ["shared", "inner", "last", "sum"]
    assert same(model.predict(ROWS), theirs)


def test_hdf5_comes_back_with_the_groups_of_operations(written, tmp_path):
    path, _ = written["two.h5"]
    triptych.save(triptych.load(path), tmp_path / "back.h5")
    with h5py.File(path) as one, h5py.File(tmp_path / "back.h5") as other:
        assert list(one["model_weights"].attrs["layer_names"]) == list(other["model_weights"].attrs["layer_names"])
        assert json.loads(one.attrs["model_config"]) == json.loads(other.attrs["model_config"])


def test_an_archive_comes_back(written, tmp_path):
    path, _ = written["three.keras"]
    triptych.save(triptych.load(path), tmp_path / "back.keras")
    one, other = (json.loads(zipfile.ZipFile(file).read("config.json")) for file in (path, tmp_path / "back.keras"))
    assert one == other


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_what_keras_2_wrote_is_loaded_by_keras_3(keras3, written, tmp_path, suffix):
    path, theirs = written["two.h5"]
    assert triptych.save(triptych.load(path), tmp_path / f"three{suffix}", dialect="keras3") == ()
    assert same(keras3.models.load_model(tmp_path / f"three{suffix}").predict(ROWS, verbose=0), theirs)


def test_what_keras_3_wrote_is_loaded_by_keras_2(keras2, written, tmp_path):
    path, theirs = written["three.keras"]
    assert triptych.save(triptych.load(path), tmp_path / "two.h5", dialect="keras2") == ()
    assert same(keras2.models.load_model(tmp_path / "two.h5", compile=False).predict(ROWS, verbose=0), theirs)


def test_only_layers_have_groups_in_the_hdf5_of_keras_3(written, tmp_path):
    path, _ = written["two.h5"]
    triptych.save(triptych.load(path), tmp_path / "three.h5", dialect="keras3")
    with h5py.File(tmp_path / "three.h5") as file:
        assert sorted(file["model_weights"].attrs["layer_names"]) == ["inner", "last", "shared", "sum", "x"]
