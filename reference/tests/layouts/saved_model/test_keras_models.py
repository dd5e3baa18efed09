"""SavedModels of tf-keras: architecture, weights, training and the optimizer's state are those of the live model that was saved."""

import warnings

import numpy as np
import pytest
import tensorflow as tf

import triptych

from .conftest import losses, saved


def by_keras(keras, path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return keras.models.load_model(path, **options)


def goes_on_as(saved, model):
    """The live `model` predicts what the saved one predicted, and its next five losses are those of that one."""
    predictions = model.predict(saved.x, verbose=0)
    for found, expected in zip(predictions if isinstance(predictions, list) else [predictions], saved.predictions, strict=True):
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
    assert len(model.weights) == len(graph_model.weights)
    by_name = dict(zip(graph_model.names, graph_model.weights, strict=True))
    np.testing.assert_array_equal(model.weights["both.backward.recurrent_kernel"], by_name["both/backward_lstm/lstm_cell/recurrent_kernel:0"])
    live = by_keras(keras2, graph_model.path)
    for name in ("first", "second"):
        for layer in live.get_layer(name).layers:
            for weight in layer.weights:
                role = weight.name.rpartition("/")[2].removesuffix(":0")
                np.testing.assert_array_equal(model.weights[f"{name}.{layer.name}.{role}"], weight.numpy())


def test_training_goes_on_in_keras_as_if_nothing_had_happened(graph_model, keras2, tmp_path):
    notes = triptych.load(graph_model.path).save(tmp_path / "model.h5")
    goes_on_as(graph_model, by_keras(keras2, tmp_path / "model.h5"))
    assert all("metrics." in note for note in notes), notes


def test_what_is_saved_without_traces_has_its_weights_where_attributes_lead(keras2, tmp_path):
    """Its layers list no variables: cells, projections, depthwise kernels and a nested model, half of it frozen."""
    k = keras2
    k.backend.clear_session()
    images = k.Input((4, 4, 2))
    steps = k.layers.Reshape((4, 8))(k.layers.DepthwiseConv2D(2, padding="same")(k.layers.BatchNormalization()(images)))
    both = k.layers.Bidirectional(k.layers.GRU(2, return_sequences=True))(steps)
    seen = k.layers.MultiHeadAttention(2, 3)(both, both)
    inner = k.Sequential([k.Input((4,)), k.layers.Dense(3, trainable=False), k.layers.Dense(4)])
    stack = k.layers.RNN([k.layers.LSTMCell(3), k.layers.SimpleRNNCell(2)])(k.layers.TimeDistributed(inner)(seen))
    model = k.Model(images, k.layers.Dense(2)(stack))
    model.compile(k.optimizers.Adam(0.01), "mse")
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(6, 4, 4, 2)).astype("float32"), generator.normal(size=(6, 2)).astype("float32")
    one = saved(keras2, model, x, y, tmp_path / "model", save_traces=False)
    triptych.load(one.path).save(tmp_path / "model.h5")
    goes_on_as(one, by_keras(keras2, tmp_path / "model.h5"))


def test_a_layer_of_somebodys_class_has_its_weights_without_traces_too(keras2, tmp_path):
    """It lists none, so that all are its own that it leads to."""
    @keras2.saving.register_keras_serializable("untraced")
    class Gate(keras2.layers.Layer):
        def build(self, shape):
            self.inner, self.scale = keras2.layers.Dense(2), self.add_weight(name="scale", shape=(2,), initializer="ones")
            super().build(shape)

        def call(self, x):
            return self.inner(x) * self.scale

    model = keras2.Sequential([keras2.Input((2,)), Gate(name="gate"), keras2.layers.Dense(2, name="out")])
    model.save(tmp_path / "model", save_format="tf", save_traces=False)
    gate, out = model.layers
    found = triptych.load(tmp_path / "model").weights
    assert sorted(found) == ["gate.bias", "gate.kernel", "gate.scale", "out.bias", "out.kernel"]
    for name, expected in (("gate.kernel", gate.inner.kernel), ("gate.scale", gate.scale), ("out.kernel", out.kernel)):
        np.testing.assert_array_equal(found[name], expected.numpy())


def test_archives_of_keras_3_predict_and_go_on_the_same(graph_model, keras3, tmp_path):
    triptych.load(graph_model.path).save(tmp_path / "model.keras")
    goes_on_as(graph_model, by_keras(keras3, tmp_path / "model.keras"))


def optimizers(keras2):
    new, old = keras2.optimizers, keras2.optimizers.legacy
    return {
        "RMSprop": new.RMSprop(0.01, momentum=0.5, centered=True),
        "AdamW": new.AdamW(new.schedules.ExponentialDecay(0.05, 2, 0.5), use_ema=True),
        "old Adam": old.Adam(0.01, amsgrad=True),
        "old Nadam": old.Nadam(0.01),
    }


@pytest.mark.parametrize("name", ["RMSprop", "AdamW", "old Adam", "old Nadam"])
def test_the_state_of_optimizers_of_both_kinds_goes_on_in_keras(name, keras2, tmp_path):
    keras2.utils.set_random_seed(2)
    model = keras2.Sequential([keras2.layers.Dense(3, activation="tanh", name="one", input_shape=(3,)), keras2.layers.Dense(2, name="two")], name="chain")
    model.compile(optimizers(keras2)[name], "mse")
    generator = np.random.default_rng(4)
    x, y = (generator.standard_normal((8, extent), dtype="float32") for extent in (3, 2))
    one = saved(keras2, model, x, y, tmp_path / "chain")
    notes = triptych.load(one.path).save(tmp_path / "chain.h5")
    assert all("metrics." in note for note in notes), notes
    goes_on_as(one, by_keras(keras2, tmp_path / "chain.h5"))


def test_layers_that_prepare_data_have_what_they_learnt(keras2, tmp_path):
    """Vocabularies stand in tables that a graph fills from constants or from a file; means and idf weights in variables without a list."""
    layers = keras2.layers
    (tmp_path / "colours.txt").write_text("red\ngreen\n")
    learnt = layers.StringLookup(name="learnt", output_mode="one_hot")
    learnt.adapt(["b", "a", "b", "c"])
    listed = layers.StringLookup(name="listed", vocabulary=str(tmp_path / "colours.txt"), output_mode="one_hot")
    text = layers.TextVectorization(name="text", output_mode="tf_idf", pad_to_max_tokens=False)
    text.adapt(["hello world", "foo hello"])
    scale = layers.Normalization(name="scale")
    scale.adapt(np.arange(12, dtype="float32").reshape(4, 3))
    words, colours, lines = (keras2.Input((1,), dtype="string") for _ in range(3))
    numbers = keras2.Input((3,))
    joined = layers.Concatenate()([learnt(words), listed(colours), text(lines), scale(numbers)])
    model = keras2.Model([words, colours, lines, numbers], layers.Dense(2, name="out")(joined))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "model", save_format="tf")
    x = [np.array([["a"], ["zz"]]), np.array([["green"], ["blue"]]), np.array([["hello foo hello"], ["bar"]]), np.array([[1, 2, 3], [4, 5, 6]], "float32")]
    found = triptych.load(tmp_path / "model")
    np.testing.assert_allclose(found.predict(x), model.predict([tf.constant(one) for one in x], verbose=0), rtol=1e-5, atol=1e-6)
    assert bytes(found.panels.assets["assets/colours.txt"].read()) == b"red\ngreen\n"
