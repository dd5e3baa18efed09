"""Preprocessing computes what Keras computes, with statistics that are given and that are weights."""

import warnings

import numpy as np
import pytest
from sequence_judges import Case, error, keras_of, record

import triptych
from triptych.model import Architecture, Call, Input, Layer
from triptych.vocabulary.evaluator import evaluate

GENERATIONS = pytest.mark.parametrize("generation", ["tf_keras", "keras"])


def ours(name, config, x, weights=None, **arguments):
    inputs = [Input("x", (None, *x.shape[1:]), x.dtype.name), *(Input(key, (None, *a.shape[1:]), a.dtype.name) for key, a in arguments.items())]
    call = Call("layer", ("x",), {key: {"value": key} for key in arguments})
    return evaluate(Architecture((Layer("layer", name, config),), tuple(inputs), (call,), ("layer",)), weights or {}, [x, *arguments.values()]).outputs[0]


def theirs(keras, name, config, x, **arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(getattr(keras.layers, name)(**{key: tuple(v) if key == "axis" and isinstance(v, list) else v for key, v in config.items()})(x, **arguments))


X = np.random.default_rng(0).standard_normal((6, 3, 4)).astype(np.float32) * 3 + 1


@GENERATIONS
@pytest.mark.parametrize("config", [
    {"axis": None, "mean": 2.0, "variance": 0.3}, {"mean": [1.0, 2.0, 3.0, 4.0], "variance": [1.0, 0.5, 0.0, 4.0]}, {"mean": 0.0, "variance": 2.0},
    {"axis": 1, "mean": [1.0, 2.0, 3.0], "variance": [1.0, 0.5, 2.0]}, {"mean": [1.0, 2.0, 3.0, 4.0], "variance": [1.0, 0.5, 2.0, 4.0], "invert": True},
])
def test_normalization_with_given_statistics(generation, config):
    expected = theirs(keras_of(generation), "Normalization", config, X)
    worst = error(ours("Normalization", config, X), expected)
    record("Normalization", generation, str(config), worst)
    assert worst <= 1e-6


@GENERATIONS
@pytest.mark.parametrize("axis", [-1, 1, [1, 2], None])
def test_normalization_with_statistics_of_data(generation, axis, tmp_path):
    """Adapted by Keras, saved by Keras, loaded here: mean, variance and the count of what was seen."""
    keras = keras_of(generation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = keras.layers.Normalization(axis=tuple(axis) if isinstance(axis, list) else axis)
        layer.adapt(X)
        model = keras.Sequential([keras.Input((3, 4)), layer])
        expected = np.asarray(model(X))
        model.save(tmp_path / "model.h5")
    loaded = triptych.load(tmp_path / "model.h5")
    assert loaded.architecture.layers[-1].type == "Normalization"
    worst = error(loaded.predict(X), expected)
    record("Normalization", generation, f"adapted along {axis}", worst)
    assert worst <= 1e-6


BOUNDARIES = [-1.0, 0.0, 0.5, 2.0]


@GENERATIONS
@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
def test_bins(generation, mode):
    """A number on a boundary is above it. Keras 3 yields indices of 32 bits."""
    x = np.array([[-1.0, 0.0, 0.4999], [2.0, -3.0, 100.0]], np.float32)
    config = {"bin_boundaries": BOUNDARIES, "output_mode": mode}
    if mode == "one_hot":
        x = x.reshape(6, 1)
    expected = theirs(keras_of(generation), "Discretization", config, x)
    got = ours("Discretization", {**config, "output_dtype": "int32" if generation == "keras" else None}, x)
    assert got.dtype == expected.dtype
    record("Discretization", generation, mode, error(got, expected))
    assert np.array_equal(got, expected)


@GENERATIONS
@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
def test_categories(generation, mode):
    config = {"num_tokens": 5, "output_mode": mode}
    keras = keras_of(generation)
    for x in (np.array([[0], [4]]), *([np.array([[0, 3, 3], [4, 1, 0]])] if mode != "one_hot" or generation == "keras" else [])):
        got, expected = ours("CategoryEncoding", config, x), theirs(keras, "CategoryEncoding", config, x)
        record("CategoryEncoding", generation, mode, error(got, expected))
        assert np.array_equal(got, expected)


@GENERATIONS
def test_weighted_counts(generation):
    x, weights = np.array([[0, 3, 3], [4, 1, 0]]), np.array([[0.5, 2.0, 1.0], [1.0, 1.0, 3.0]], np.float32)
    config = {"num_tokens": 5, "output_mode": "count"}
    expected = theirs(keras_of(generation), "CategoryEncoding", config, x, count_weights=weights)
    worst = error(ours("CategoryEncoding", config, x, count_weights=weights), expected)
    record("CategoryEncoding", generation, "count, weighted", worst)
    assert worst <= 1e-6


def test_a_count_is_an_integer():
    """Statistics are three weights that are not trained, the count no floating-point number."""
    slots = Case(Layer("layer", "Normalization", {}), ((2, 3),)).slots()
    assert [(slot.role, slot.shape, slot.dtype, slot.trainable) for slot in slots] == [("mean", (3,), "float32", False), ("variance", (3,), "float32", False), ("count", (), "int64", False)]
