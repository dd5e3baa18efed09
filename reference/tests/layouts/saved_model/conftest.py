"""Models that TensorFlow's own Keras saves as directories, trained and with all that they predict and how they go on."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest


@dataclass
class Saved:
    """One directory, the arrays to feed the model, and what the live model made of them after it was saved."""

    path: Path
    x: list
    y: list
    predictions: list
    losses: list
    weights: list
    names: list


def saved(keras, model, x, y, path, steps=3, **options):
    """Train `model`, save it at `path` with `options`, and see how the live one goes on."""
    for _ in range(steps):
        model.train_on_batch(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path, save_format="tf", **options)
    predictions = model.predict(x, verbose=0)
    predictions = predictions if isinstance(predictions, list) else [predictions]
    weights, names = [np.array(one) for one in model.get_weights()], [one.name for one in model.weights]
    return Saved(path, x, y, predictions, losses(model, x, y), weights, names)


def losses(model, x, y):
    """The next five losses of a live model."""
    found = [model.train_on_batch(x, y) for _ in range(5)]
    return [float(np.ravel(one)[0]) for one in found]


@pytest.fixture(scope="session")
def graph_model(keras2, tmp_path_factory):
    """A layer that is called twice, recurrent parts both ways, two nested models whose layers have the same names, frozen and thawed; two outputs."""
    keras2.backend.clear_session()  # Keras numbers what has no name of its own, and other tests of this process have counted
    keras2.utils.set_random_seed(7)
    layers = keras2.layers

    def inner(name, units):
        model = keras2.Sequential([layers.Input((4,)), layers.Dense(units, name="d1"), layers.BatchNormalization(name="n"), layers.Dense(4, name="d2")], name=name)
        model.get_layer("d1").trainable = False
        return model

    a, b = keras2.Input((3, 3), name="a"), keras2.Input((3, 4), name="b")
    both = layers.Bidirectional(layers.LSTM(2, return_sequences=True, unroll=True), name="both")
    shared = layers.TimeDistributed(layers.Dense(4, activation="tanh"), name="shared")
    left, right = shared(both(a)), layers.Flatten(name="flat")(shared(b))
    cells = layers.RNN(layers.StackedRNNCells([layers.GRUCell(3), layers.LSTMCell(4)], name="stack"), name="cells", unroll=True)
    first, second = inner("first", 4), inner("second", 4)
    narrow = layers.Dense(4, name="narrow")(right)
    joined = layers.Concatenate(name="joined")([first(cells(left)), second(narrow)])
    model = keras2.Model([a, b], [layers.Dense(2, name="one")(joined), layers.Dense(1, activation="sigmoid", name="two")(first(narrow))], name="graph")
    model.compile(keras2.optimizers.Adam(0.01), {"one": "mse", "two": "binary_crossentropy"}, metrics={"one": ["mae"]}, loss_weights={"one": 1.0, "two": 0.5})
    generator = np.random.default_rng(1)
    x = [generator.standard_normal((8, 3, extent), dtype="float32") for extent in (3, 4)]
    y = [generator.standard_normal((8, 2), dtype="float32"), generator.integers(0, 2, (8, 1)).astype("float32")]
    return saved(keras2, model, x, y, tmp_path_factory.mktemp("saved") / "graph")
