"""SavedModels of tf-keras: architecture, weights, training and the optimizer's state are those of the live model that was saved."""

import warnings

import numpy as np
import pytest

import triptych

from .conftest import losses


def same_arrays(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def by_keras(keras, path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return keras.models.load_model(path, **options)


def goes_on_as(saved, model):
    for found, expected in zip(np.atleast_1d(model.predict(saved.x, verbose=0)) if len(saved.predictions) == 1 else model.predict(saved.x, verbose=0), saved.predictions, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(losses(model, saved.x, saved.y), saved.losses, rtol=1e-5)


def test_a_graph_of_layers_predicts_what_tensorflow_predicts(graph_model):
    model = triptych.load(graph_model.path)
    assert [layer.name for layer in model.architecture.layers] == ["both", "shared", "flat", "cells", "narrow", "first", "second", "joined", "one", "two"]
    for found, expected in zip(model.predict(graph_model.x), graph_model.predictions, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert triptych.validate(graph_model.path) == ()


def test_weights_are_bit_for_bit_those_of_the_layers_that_own_them(graph_model, keras2):
    """Layers of one name in two nested models, half of them frozen when the model was saved, keep their own."""
    model = triptych.load(graph_model.path)
    triptych_order = {name: array for name, array in zip(graph_model.names, graph_model.weights, strict=True)}
    assert len(model.weights) == len(graph_model.weights)
    loaded = by_keras(keras2, graph_model.path)
    for name in ("first", "second"):
        for inner in ("d1", "n", "d2"):
            for role, expected in zip([w.name.split("/")[-1][:-2] for w in loaded.get_layer(name).get_layer(inner).weights], loaded.get_layer(name).get_layer(inner).get_weights(), strict=True):
                np.testing.assert_array_equal(model.weights[f"{name}.{inner}.{role}"], expected)
    np.testing.assert_array_equal(model.weights["both.backward.recurrent_kernel"], triptych_order["both/backward_lstm/lstm_cell/recurrent_kernel:0"])


def test_training_goes_on_in_keras_as_if_nothing_had_happened(graph_model, keras2, tmp_path):
    notes = triptych.load(graph_model.path).save(tmp_path / "model.h5")
    goes_on_as(graph_model, by_keras(keras2, tmp_path / "model.h5"))
    assert all("metrics." in note for note in notes), notes
