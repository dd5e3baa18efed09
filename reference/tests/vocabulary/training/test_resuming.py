"""Training goes on from a Keras file: the state that the file holds, and our update, lead where Keras itself goes on to."""

import numpy as np
import pytest

import triptych
from triptych.model import Component
from triptych.vocabulary.training import loss, metric, step

pytestmark = pytest.mark.filterwarnings("ignore")
X = np.random.default_rng(1).standard_normal((16, 4)).astype(np.float32)
Y = np.random.default_rng(2).integers(0, 3, 16)
OPTIMIZERS = {
    "sgd": lambda o: o.SGD(0.05),
    "momentum": lambda o: o.SGD(0.05, momentum=0.9, nesterov=True),
    "rmsprop": lambda o: o.RMSprop(0.01, momentum=0.9, centered=True),
    "adam": lambda o: o.Adam(0.01, weight_decay=0.1),
    "amsgrad": lambda o: o.Adam(0.01, amsgrad=True),
    "adamw": lambda o: o.AdamW(0.01),
    "adamax": lambda o: o.Adamax(0.01),
    "nadam": lambda o: o.Nadam(0.01),
    "adagrad": lambda o: o.Adagrad(0.05),
    "adadelta": lambda o: o.Adadelta(1.0),
    "ftrl": lambda o: o.Ftrl(0.05),
    "lion": lambda o: o.Lion(0.01),
    "schedule": lambda o: o.Adam(o.schedules.ExponentialDecay(0.05, 3, 0.5)),
    "clipped": lambda o: o.Adam(0.01, global_clipnorm=0.1),
}


def framework(name):
    if name == "keras":
        import keras

        return keras
    import tf_keras

    return tf_keras


@pytest.mark.parametrize("which", ["keras", "tf_keras"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_keras_and_triptych_go_on_alike(which, name, tmp_path):
    import tensorflow as tf

    keras = framework(which)
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5, activation="tanh", name="one"), keras.layers.Dense(3, activation="softmax", name="two")])
    term = keras.losses.SparseCategoricalCrossentropy()
    model.compile(OPTIMIZERS[name](keras.optimizers), term, metrics=["accuracy"], run_eagerly=True)
    for _ in range(6):
        model.train_on_batch(X, Y)
    model.save(tmp_path / "m.h5")
    loaded = triptych.load(tmp_path / "m.h5")
    training = loaded.training
    assert ":" not in training.optimizer.type
    weights = {key: loaded.weights[key] for key in loaded.weights}
    state = {key: training.state[key] for key in training.state} if training.state else {}
    assert not [key for key in state if key.startswith("keras.")]
    assert training.progress.step == 6

    predictions = model.predict(X, verbose=0)
    assert float(loss(training.losses[0], Y, predictions)) == pytest.approx(float(term(Y, predictions)), rel=1e-5)
    assert float(metric(training.metrics[0], Y, predictions)) == np.mean(predictions.argmax(-1) == Y)
    for count in range(6, 11):
        with tf.GradientTape() as tape:
            value = term(Y, model(X, training=True))
        variables = model.trainable_variables
        gradients = tape.gradient(value, [getattr(one, "value", one) if which == "keras" else one for one in variables])
        model.optimizer.apply_gradients(list(zip(gradients, variables, strict=True)))
        ours = dict(zip(("one.kernel", "one.bias", "two.kernel", "two.bias"), (g.numpy() for g in gradients), strict=True))
        stepped = step(Component(training.optimizer.type, training.optimizer.config), weights, ours, state, count=count)
        weights, state = stepped.weights, stepped.state
    for found, expected in zip(weights.values(), model.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
