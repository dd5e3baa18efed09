"""SavedModels that say no architecture: exports of Keras 3, modules, models of somebody's own class; TensorFlow's own loader is the judge."""

import shutil
import warnings

import numpy as np
import pytest
import tensorflow as tf

import triptych


@pytest.fixture(scope="module")
def exported(keras3, tmp_path_factory):
    """A model of Keras 3 and the directory that it is exported to."""
    keras3.backend.clear_session()  # Keras numbers what has no name of its own, and other tests of this process have counted
    keras3.utils.set_random_seed(5)
    layers = keras3.layers
    model = keras3.Sequential([layers.Input((3,)), layers.Dense(4, name="first"), layers.Dropout(0.5, seed=1), layers.BatchNormalization(name="norm"), layers.Dense(2, name="last")], name="inside")
    for weight in model.weights:
        weight.assign(np.random.default_rng(3).standard_normal(weight.shape) ** 2)
    path = tmp_path_factory.mktemp("exported") / "model"
    model.export(path, verbose=False)
    return model, path


def test_an_export_of_keras_3_has_each_weight_once_under_the_name_of_its_layer(exported):
    model, path = exported
    found = triptych.load(path)
    assert found.architecture is None
    assert list(found.weights) == [f"{weight.path.partition('/')[2].replace('/', '.')}" for weight in model.weights]
    for weight in model.weights:
        np.testing.assert_array_equal(found.weights[weight.path.partition("/")[2].replace("/", ".")], weight.numpy())
    assert list(found.training.state) == ["random.seed_generator/seed_generator_state"]


def test_an_export_loads_into_the_architecture_that_it_lost(exported):
    model, path = exported
    twin = triptych.model_from_json(model.to_json())
    report = twin.load_weights(path)
    assert (len(report.loaded), report.missing, report.unexpected) == (8, (), ())
    x = np.random.default_rng(1).standard_normal((5, 3), dtype="float32")
    served = tf.saved_model.load(path).signatures["serving_default"]
    (name,) = triptych.load(path).panels.extensions["tensorflow"]["signatures"]["serving_default"]["inputs"]
    (expected,) = served(**{name: tf.constant(x)}).values()
    np.testing.assert_allclose(twin.predict(x), expected, rtol=1e-5, atol=1e-6)


def test_a_model_of_keras_3_that_tensorflow_saved_loads_into_its_architecture(exported, tmp_path):
    model, _ = exported
    tf.saved_model.save(model, tmp_path / "saved")
    found = triptych.load(tmp_path / "saved")
    assert len(found.weights) == len(model.weights)
    assert found.panels.extensions["tensorflow"]["signatures"]["serving_default"]["inputs"]
    twin = triptych.model_from_json(model.to_json())
    twin.load_weights(tmp_path / "saved")
    for weight in model.weights:
        np.testing.assert_array_equal(twin.weights[weight.path.partition("/")[2].replace("/", ".")], weight.numpy())


def test_a_model_of_somebodys_class_keeps_layers_classes_training_and_slots(keras2, tmp_path):
    class Own(keras2.Model):
        def __init__(self):
            super().__init__()
            self.first = keras2.layers.Dense(3, name="first")
            self.more = [keras2.layers.BatchNormalization(name="norm")]
            self.shift = self.add_weight("shift", (3,))

        def call(self, x):
            return self.more[0](self.first(x)) + self.shift

    model = Own()
    model.compile(keras2.optimizers.SGD(0.1, momentum=0.9), "mse", metrics=["mae"])
    x, y = np.ones((4, 2), "float32"), np.zeros((4, 3), "float32")
    for _ in range(2):
        model.train_on_batch(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "own", save_format="tf")
    found = triptych.load(tmp_path / "own")
    expected = {"first.kernel": model.first.kernel, "first.bias": model.first.bias, "shift": model.shift}
    norm = model.more[0]
    expected |= {f"norm.{name}": getattr(norm, name) for name in ("gamma", "beta", "moving_mean", "moving_variance")}
    assert set(found.weights) == set(expected)
    for name, weight in expected.items():
        np.testing.assert_array_equal(found.weights[name], weight.numpy())
    told = found.panels.extensions["tensorflow"]["saved_model"]
    assert told["classes"] == {"first": "Dense", "norm": "BatchNormalization"}
    assert "the architecture: what a model of the class 'Own' computes stands in its code; its weights are read" in found.notes
    assert (found.training.optimizer.type, found.training.progress.step) == ("SGD", 2)
    slots = dict(zip([v.name for v in model.trainable_variables], model.optimizer.momentums, strict=True))
    np.testing.assert_array_equal(found.training.state["optimizer.momentum.first.kernel"], slots[model.first.kernel.name].numpy())
    np.testing.assert_array_equal(found.training.state["optimizer.momentum.shift"], slots[model.shift.name].numpy())
    np.testing.assert_array_equal(found.training.state["metrics.mae.total"], model.metrics[1].total.numpy())


def test_what_is_written_for_serving_loads_into_the_architecture_that_it_lost(dense, tmp_path):
    model = dense(4, 2)
    model.save(tmp_path / "served", layout="saved-model")
    shutil.rmtree(tmp_path / "served" / "assets.extra")  # where the architecture lies
    found = triptych.load(tmp_path / "served")
    assert set(found.weights) == {"dense_0/kernel", "dense_0/bias", "dense_1/kernel", "dense_1/bias"}
    twin = triptych.model_from_json(model.to_json())
    assert len(twin.load_weights(tmp_path / "served").loaded) == 4
    for name, array in model.weights.items():
        np.testing.assert_array_equal(twin.weights[name], array)
