"""Real Keras as the judge: models of many kinds, made and trained here, and what an HDF5 file holds down to its encodings.

Keras is imported when a fixture asks for it; what it warns about is its own affair.
"""

import json
import os
import sys
import warnings
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def tf():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        return tf


@pytest.fixture(scope="session")
def keras2(tf):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tf_keras

        return tf_keras


@pytest.fixture(scope="session")
def keras3(tf):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras

        return keras


@pytest.fixture(scope="session")
def examples():
    return EXAMPLES


def data(*shape, seed=0):
    """Reproducible float32 numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def classes(count, many, seed=1):
    return np.random.default_rng(seed).integers(0, many, size=count).astype("int32")


# --- models: Keras module, dialect -> model, inputs, targets. All compile; dropout makes the next losses depend on the seed.


def convolutional(k):
    layers = k.layers
    model = k.Sequential(
        [
            layers.Input((12, 12, 2), name="image"),
            layers.Conv2D(4, (3, 3), activation="relu", name="conv"),
            layers.DepthwiseConv2D((2, 2), name="depth"),
            layers.SeparableConv2D(5, (3, 3), strides=2, padding="same", name="separable"),
            layers.BatchNormalization(name="norm"),
            layers.Conv2DTranspose(3, 2, strides=2, name="up"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dropout(0.3, name="drop"),
            layers.Dense(3, activation="softmax", name="out"),
        ],
        name="convolutional",
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, data(16, 12, 12, 2), classes(16, 3)


def two_in_two_out(k):
    layers = k.layers
    a, b = layers.Input((6,), name="a"), layers.Input((4,), name="b")
    shared = layers.Dense(5, activation="tanh", name="shared")
    wide = layers.Dense(6, name="wide")(b)
    merged = layers.Concatenate(name="both")([shared(a), shared(wide)])
    merged = layers.LayerNormalization(name="norm")(merged)
    first = layers.Dense(1, name="first")(layers.Dropout(0.2, name="drop")(merged))
    second = layers.Dense(3, activation="softmax", name="second")(layers.Add(name="sum")([shared(a), shared(wide)]))
    model = k.Model([a, b], [first, second], name="two")
    model.compile(
        k.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
        loss=[k.losses.Huber(delta=2.0), "sparse_categorical_crossentropy"],
        loss_weights=[1.0, 0.5],
    )
    return model, [data(16, 6), data(16, 4, seed=3)], [data(16, 1, seed=4), classes(16, 3)]


def nested(k):
    layers = k.layers
    frozen = layers.Dense(4, name="frozen")
    inner = k.Sequential([layers.Input((4,)), frozen, layers.Dense(4, name="free"), layers.BatchNormalization(name="inner_norm")], name="inner")
    frozen.trainable = False
    x = layers.Input((4,), name="x")
    deep_in = layers.Input((4,), name="deep_in")
    deep = k.Model(deep_in, layers.Dense(2, name="deep_out")(inner(deep_in)), name="deep")
    model = k.Model(x, layers.Dense(1, name="head")(deep(layers.BatchNormalization(name="norm", trainable=False)(x))), name="nested")
    model.compile(k.optimizers.SGD(0.05, momentum=0.9, nesterov=True), "mse" if k.__name__ == "tf_keras" else k.losses.MeanSquaredError())
    return model, data(16, 4), data(16, 1, seed=5)


def recurrent(k):
    layers = k.layers
    model = k.Sequential(
        [
            layers.Input((7,), dtype="int32", name="words"),
            layers.Embedding(20, 6, name="embedding"),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True, dropout=0.1), merge_mode="sum", name="both_ways"),
            layers.GRU(5, return_sequences=True, name="gru"),
            layers.Bidirectional(layers.GRU(3, return_sequences=True, reset_after=False), name="concat"),
            layers.TimeDistributed(layers.Dense(4, activation="relu"), name="each"),
            layers.SimpleRNN(3, return_sequences=True, name="simple"),
            layers.LSTM(3, name="last"),
            layers.Dense(1, name="out"),
        ],
        name="recurrent",
    )
    model.compile(k.optimizers.Adam(0.01, amsgrad=True, clipnorm=1.0), k.losses.MeanSquaredError())
    return model, classes(8 * 7, 20).reshape(8, 7), data(8, 1)


def odd_names(k):
    layers = k.layers
    x = layers.Input((3,), name="x")
    y = layers.Dense(3, name="block.one")(x)
    y = layers.Dense(3, name="a-b>c_0")(y)
    if k.__name__ == "tf_keras":
        y = layers.Dense(3, name="block/two")(y)
        y = layers.Dense(3, name="block/two/three")(y)
    model = k.Model(x, layers.PReLU(name="p")(y), name="odd.model")
    model.compile("sgd", k.losses.MeanAbsoluteError())
    return model, data(8, 3), data(8, 3, seed=2)


MODELS = {f.__name__: f for f in (convolutional, two_in_two_out, nested, recurrent, odd_names)}


def trained(k, build, steps=3):
    """A model of `build` after a few steps of training, so that no slot is zero."""
    k.utils.set_random_seed(3)
    model, x, y = build(k)
    for _ in range(steps):
        model.train_on_batch(x, y)
    return model, x, y


def next_losses(k, model, x, y, steps=5):
    """What the next steps of training yield from seed 11."""
    k.utils.set_random_seed(11)
    return [np.asarray(model.train_on_batch(x, y)).tolist() for _ in range(steps)]


def flat(predictions):
    return predictions if isinstance(predictions, list) else [predictions]


# --- what an HDF5 file holds


def listing(path):
    """Every object and attribute of a file, with its encoding: name -> description and value."""
    import h5py

    found = {}

    def describe(attribute):
        kind = attribute.get_type()
        text = ""
        if kind.get_class() == h5py.h5t.STRING:
            text = f" {'vlen' if kind.is_variable_str() else 'fixed'} cset {kind.get_cset()}"
        return f"{attribute.dtype}{text} {attribute.shape}"

    def value(attribute):
        if isinstance(attribute, np.ndarray):
            return [x.decode() if isinstance(x, bytes) else x for x in attribute.tolist()]
        return attribute.decode() if isinstance(attribute, bytes) else attribute

    with h5py.File(path) as file:

        def visit(name, item):
            if isinstance(item, h5py.Dataset):
                found[name] = (f"dataset {item.dtype} {item.shape} {item.chunks} {item.compression}", item[()].tobytes())
            else:
                found[name] = ("group", None)
            for key in item.attrs:
                content = value(item.attrs[key])
                if key in ("model_config", "training_config"):
                    content = json.loads(content)
                found[f"{name}@{key}"] = (describe(item.attrs.get_id(key)), content)

        visit("/", file)
        file.visititems(visit)
    return found


def differences(first, second):
    """What two files hold differently, in words; empty when the same."""
    one, two = listing(first), listing(second)
    lines = [f"only in the first: {name}" for name in one.keys() - two.keys()]
    lines += [f"only in the second: {name}" for name in two.keys() - one.keys()]
    for name in one.keys() & two.keys():
        if one[name] != two[name]:
            lines.append(f"{name}: {str(one[name])[:200]} != {str(two[name])[:200]}")
    return sorted(lines)


@pytest.fixture(scope="session")
def judge():
    """The functions of this file, for tests that cannot import it."""
    from types import SimpleNamespace

    return SimpleNamespace(
        models=MODELS, data=data, classes=classes, trained=trained, next_losses=next_losses, flat=flat, listing=listing, differences=differences
    )
