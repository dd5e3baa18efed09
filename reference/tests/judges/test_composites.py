"""Composites in real Keras: each use is a nested model with its weights in place, and computes what it computed."""

import numpy as np
import pytest

import triptych
import triptych.keras
from triptych.errors import ConversionError
from triptych.model import Panels, Tensor, Weights
from triptych.surface.model import Model

EXCITE = {
    "parameters": {"activation": {"default": "relu"}, "channels": {}, "reduced": {}},
    "inputs": ["x"],
    "layers": [
        {"name": "down", "type": "Dense", "config": {"units": {"parameter": "reduced"}, "activation": {"parameter": "activation"}}},
        {"name": "up", "type": "Dense", "config": {"units": {"parameter": "channels"}, "activation": "sigmoid"}},
    ],
    "calls": [
        {"op": "mean", "config": {"axes": [1, 2]}, "inputs": ["x"], "outputs": ["pooled"]},
        {"layer": "down", "inputs": ["pooled"]},
        {"layer": "up", "inputs": ["down"]},
        {"op": "expand_dims", "config": {"axes": [1, 2]}, "inputs": ["up"], "outputs": ["gates"]},
        {"op": "multiply", "inputs": ["x", "gates"], "outputs": ["excited"]},
    ],
    "outputs": ["excited"],
}
TWICE = {"layers": [{"name": "first", "type": "Dense", "config": {"units": 5}}, {"name": "second", "type": "Dense", "config": {"units": 2}}]}


def model(**changes):
    """A network with three uses of two composites, one of them called twice, with random weights."""
    import json

    excite = {"channels": 4, "reduced": 2}
    text = {
        "format_version": "1.0",
        "name": "composed",
        "inputs": [{"name": "image", "shape": [None, 6, 6, 3]}],
        "composites": {"Excite": EXCITE, "Twice": TWICE},
        "layers": [
            {"name": "conv", "type": "Conv2D", "config": {"filters": 4, "kernel_size": [3, 3]}},
            {"name": "one", "type": "Excite", "config": {**excite, "activation": "tanh"}},
            {"name": "two", "type": "Excite", "config": excite},
            {"name": "pool", "type": "GlobalAveragePooling2D"},
            {"name": "scores", "type": "Twice"},
        ],
        "calls": [
            {"layer": "conv", "inputs": ["image"]},
            {"layer": "one", "inputs": ["conv"]},
            {"layer": "two", "inputs": ["one"]},
            {"layer": "two", "inputs": ["two"], "outputs": ["again"]},
            {"layer": "pool", "inputs": ["again"]},
            {"layer": "scores", "inputs": ["pool"]},
        ],
        "outputs": ["scores"],
        **changes,
    }
    built = triptych.model_from_json(json.dumps(text))
    random = np.random.default_rng(0)
    slots = triptych.vocabulary.weight_slots(built.architecture)
    tensors = {slot.tensor: Tensor.from_array(random.normal(size=slot.shape).astype("float32")) for slot in slots}
    return Model(Panels(architecture=built.architecture, weights=Weights(tensors)))


@pytest.mark.parametrize("dialect", ["keras2", "keras3"])
def test_a_composite_becomes_a_nested_model_of_the_layers_name(keras2, keras3, tmp_path, dialect):
    source = model()
    images = np.random.default_rng(1).normal(size=(3, 6, 6, 3)).astype("float32")
    before = source.predict(images)
    notes = triptych.save(source, tmp_path / "a.h5", dialect=dialect)
    assert notes == tuple(f"layer {name}: the composite {kind} became a nested model" for name, kind in (("one", "Excite"), ("two", "Excite"), ("scores", "Twice")))
    loaded = {"keras2": keras2, "keras3": keras3}[dialect].models.load_model(tmp_path / "a.h5")
    assert np.allclose(loaded.predict(images, verbose=0), before, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(loaded.get_layer("two").get_layer("up").get_weights()[0], source.weights["two.up.kernel"])
    back = triptych.load(tmp_path / "a.h5")
    assert back.architecture.composites == {}
    assert [one.type for one in back.architecture.layers] == ["Conv2D", "Model", "Model", "GlobalAveragePooling2D", "Model"]
    assert np.allclose(back.predict(images), before, rtol=1e-6, atol=1e-7)
    assert set(back.weights) == set(source.weights)


def test_a_composite_that_is_called_with_different_ranks_is_no_nested_model(tmp_path):
    inputs = [{"name": "row", "shape": [None, 3]}, {"name": "rows", "shape": [None, 2, 3]}]
    calls = [{"layer": "scores", "inputs": ["row"]}, {"layer": "scores", "inputs": ["rows"], "outputs": ["more"]}]
    source = model(inputs=inputs, layers=[{"name": "scores", "type": "Twice"}], calls=calls, outputs=["scores", "more"])
    with pytest.raises(ConversionError, match="expected all calls of a composite to give as many axes"):
        triptych.save(source, tmp_path / "a.h5")


def test_composites_that_no_layer_uses_are_not_written(tmp_path):
    source = model(layers=[{"name": "pool", "type": "GlobalAveragePooling2D"}], calls=[{"layer": "pool", "inputs": ["image"]}], outputs=["pool"])
    assert triptych.save(source, tmp_path / "a.h5") == ()


@pytest.mark.parametrize("framework", ["keras", "tf_keras"])
def test_a_composite_is_a_nested_model_of_live_keras_too(framework):
    source = model()
    images = np.random.default_rng(1).normal(size=(3, 6, 6, 3)).astype("float32")
    live = triptych.keras.from_model(source, framework=framework)
    assert np.allclose(np.asarray(live([images])), source.predict(images), rtol=1e-5, atol=1e-6)
