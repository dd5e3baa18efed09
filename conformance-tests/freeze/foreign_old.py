"""Has one old Keras write small files, and keeps what that Keras says of them; Python 3.7 runs this, because the oldest of them do not run on any later one.

``python foreign_old.py keras FOLDER`` or ``python foreign_old.py tf.keras FOLDER``, in an environment of `ENVIRONMENTS`; then
``python make_foreign.py --old FOLDER`` takes what is in the folder into ``foreign.zip`` and ``foreign.json``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from exact_numbers import numbers

OLD_CPU = "Python 3.7; tensorflow-cpu==1.15.0 'h5py<3' 'numpy<1.19' 'protobuf<3.21' 'scipy<1.6' six; keras-applications==1.0.8 keras-preprocessing==1.1.0 --no-deps"
NEW_CPU = "Python 3.11; tensorflow-cpu==2.18.1 'numpy<2' 'jax[cpu]<0.5' and what Keras needs"
ENVIRONMENTS = {
    "keras 1.2.2": OLD_CPU, "keras 2.0.9": OLD_CPU, "keras 2.2.4": OLD_CPU, "keras 2.2.4 on theano": OLD_CPU + "; Theano==1.0.5, KERAS_BACKEND=theano THEANO_FLAGS=floatX=float32",
    "keras 2.3.1": OLD_CPU, "tf.keras 2.4.4": "Python 3.8; tensorflow-cpu==2.4.4 'protobuf<3.21'", "tf.keras 2.10.1": "Python 3.9; tensorflow-cpu==2.10.1 'numpy<2'",
    "tf.keras 2.15.1": "Python 3.11; tensorflow-cpu==2.15.1", "keras 3.0.5": NEW_CPU, "keras 3.3.3": NEW_CPU, "keras 3.8.0": NEW_CPU,
}
"""Writer -> where it ran. Each Keras of its own is installed with ``--no-deps --target`` and found by ``PYTHONPATH``."""


# --- models, each with what the specification calls its weights, in the order of get_weights()

CHANNELS = ("conv.kernel", "conv.bias", "norm.gamma", "norm.beta", "norm.moving_mean", "norm.moving_variance", "out.kernel", "out.bias")
RECURRENT = ("table.embeddings", "cell.kernel", "cell.recurrent_kernel", "cell.bias", "out.kernel", "out.bias")
BOTH_WAYS = (*(f"both.{way}.{role}" for way in ("forward", "backward") for role in ("kernel", "recurrent_kernel", "bias")), "each.layer.kernel", "each.layer.bias")
FROZEN = ("shared.kernel", "shared.bias", "inner.inside.kernel", "inner.inside.bias", "inner.still.kernel", "inner.still.bias", "out.kernel", "out.bias")
SMALL = ("out.kernel", "out.bias")
CELL = ("cell.kernel", "cell.recurrent_kernel", "cell.bias", *SMALL)


def channels_1(k):
    """Channels first, in the words of Keras 1."""
    layers = k.layers
    return k.models.Sequential([
        layers.Convolution2D(2, 2, 2, init="zero", dim_ordering="th", input_shape=(1, 3, 3), name="conv"), layers.BatchNormalization(axis=1, name="norm"),
        layers.Flatten(name="flat"), layers.Dense(2, init="zero", activation="softmax", name="out"),
    ], name="net")


def channels(k):
    """The same in the words of Keras 2."""
    layers = k.layers
    return k.models.Sequential([
        layers.Conv2D(2, 2, kernel_initializer="zeros", data_format="channels_first", input_shape=(1, 3, 3), name="conv"), layers.BatchNormalization(axis=1, name="norm"),
        layers.Flatten(data_format="channels_last", name="flat"), layers.Dense(2, kernel_initializer="zeros", activation="softmax", name="out"),
    ], name="net")


def recurrent(k):
    """A table of vectors and a cell with gates."""
    layers = k.layers
    zeros = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros"}
    return k.models.Sequential([
        layers.Embedding(5, 3, embeddings_initializer="zeros", input_length=4, name="table"), layers.LSTM(2, name="cell", **zeros),
        layers.Dense(1, kernel_initializer="zeros", name="out"),
    ], name="net")


def gated(k):
    """A cell with other gates, whose bias has two rows."""
    layers = k.layers
    given = layers.Input((4,), dtype="int32", name="ids")
    cell = layers.GRU(2, kernel_initializer="zeros", recurrent_initializer="zeros", name="cell")(layers.Embedding(5, 3, embeddings_initializer="zeros", name="table")(given))
    return k.models.Model(given, layers.Dense(1, kernel_initializer="zeros", name="out")(cell), name="net")


def both_ways(k):
    """A cell that reads both ways, and a layer that sees each step."""
    layers = k.layers
    given = layers.Input((4, 3), name="steps")
    cell = layers.LSTM(2, kernel_initializer="zeros", recurrent_initializer="zeros", return_sequences=True, name="cell")
    both = layers.Bidirectional(cell, name="both")(given)
    return k.models.Model(given, layers.TimeDistributed(layers.Dense(1, kernel_initializer="zeros", name="step"), name="each")(both), name="net")


def frozen(k):
    """A layer that is called twice, and a model inside whose first layer is not trained: its weights come last in that model."""
    layers = k.layers
    first, second, x = layers.Input((2,), name="first"), layers.Input((2,), name="second"), layers.Input((3,), name="x")
    shared = layers.Dense(3, kernel_initializer="zeros", activation="relu", name="shared")
    still = layers.Dense(3, kernel_initializer="zeros", trainable=False, name="still")
    inner = k.models.Model(x, layers.Dense(2, kernel_initializer="zeros", name="inside")(still(x)), name="inner")
    both = layers.Concatenate(name="both")([inner(shared(first)), shared(second)])
    return k.models.Model([first, second], layers.Dense(1, kernel_initializer="zeros", name="out")(both), name="net")


def small(k):
    """One layer."""
    given = k.layers.Input((3,), name="x")
    return k.models.Model(given, k.layers.Dense(2, kernel_initializer="zeros", name="out")(given), name="net")


# --- what a Keras is asked

def keras_of(name):
    """The Keras called `name`, its version as numbers, and what the file names as its writer."""
    if name == "tf.keras":
        import tensorflow as tf

        return tf.keras, numbers_of(tf.__version__), f"tf.keras of TensorFlow {tf.__version__}"
    import keras

    for module in ("layers", "models", "optimizers"):
        __import__(f"keras.{module}")
    return keras, numbers_of(keras.__version__), f"Keras {keras.__version__} on {keras.backend.backend()}"


def numbers_of(version):
    """A version as a tuple."""
    return tuple(int(one) for one in version.split(".")[:3])


def exact(model, names):
    """Gives `model` weights that are exact in any format, variances positive."""
    values = [numbers(f"old {name}", array.shape, step=1 / 8) for name, array in zip(names, model.get_weights())]
    model.set_weights([np.abs(value) + 1 if "variance" in name else value for name, value in zip(names, values)])


def inputs_of(model):
    """An array for each input."""
    found = []
    for index, one in enumerate(model.inputs):
        shape = (3, *(int(extent) for extent in getattr(one, "_keras_shape", one.shape)[1:]))
        whole = model.layers[0].__class__.__name__ == "Embedding" or "int" in str(one.dtype)
        found.append(np.arange(12).reshape(shape) % 5 if whole else numbers(f"old input {index}", shape))
    return found


def one_or_all(values):
    """The only one of `values`, or all."""
    return values if len(values) > 1 else values[0]


def slots(optimizer, named):
    """Slot -> weight -> array: the variables of an optimizer after its first ones, in turns of all the weights that are trained."""
    variables = optimizer.variables if hasattr(optimizer, "variables") else optimizer.weights
    variables = variables() if callable(variables) else variables
    arrays = [np.asarray(one) for one in optimizer.get_weights()] if hasattr(optimizer, "get_weights") else [np.asarray(one) for one in variables]
    titles = {"SGD": ["momentum"], "RMSprop": ["velocity"], "Adam": ["momentum", "velocity"]}[type(optimizer).__name__]
    labels = [getattr(one, "path", "") or getattr(one, "name", "") for one in variables]
    held = [array for array in arrays if array.ndim > 0][: len(titles) * len(named)]
    if titles == ["momentum", "velocity"] and any("_velocity" in label or "/v/" in label for label in labels):  # one weight after the other since TensorFlow 2.11
        return {title: dict(zip(named, held[index::2])) for index, title in enumerate(titles)}
    return {title: dict(zip(named, held[index * len(named) :])) for index, title in enumerate(titles)}


def variables_of(model):
    """The weights in the order of get_weights(), which was layer by layer before TensorFlow 2."""
    layered = [one for layer in model.layers for one in layer.weights]
    return layered if sorted(map(id, layered)) == sorted(map(id, model.weights)) else model.weights


def in_its_order(names, model):
    """`names` in the order of this model's weights, where the framework's own labels tell; those of a model inside differ from Keras to Keras."""
    labels = [(getattr(one, "path", "") or one.name).split(":")[0].split("/")[-2:] for one in variables_of(model)]
    found = [name for label in labels for name in names if name.split(".")[-2:] == label]
    return found if sorted(found) == sorted(names) else names


def trained_by(model):
    """The weights that the optimizer was given, in its order."""
    for one in (model, getattr(model, "model", None)):
        if hasattr(one, "_collected_trainable_weights"):
            return one._collected_trainable_weights
    return model.trainable_weights


def step_of(optimizer):
    """How many steps were counted."""
    value = optimizer.iterations
    if hasattr(value, "numpy"):
        return int(value.numpy())
    if hasattr(value, "get_value"):
        return int(value.get_value())
    import keras

    return int(keras.backend.get_value(value))


def row(keras, build, names, optimizer=None, canonical=None):
    """A model with exact weights, trained for two steps if it has an optimizer; what this Keras says of it; and its arrays."""
    keras.backend.clear_session() if hasattr(keras.backend, "clear_session") else None
    model = build(keras)
    if names is None:  # it has its weights already
        names = CELL
    else:
        names = in_its_order(names, model)
        exact(model, names)
    inputs = inputs_of(model)
    if optimizer is not None:
        kind, options = optimizer
        model.compile(getattr(keras.optimizers, kind)(**options), loss="mse")
        targets = one_or_all([numbers("old target", (3, *[int(n) for n in np.asarray(one).shape[1:]])) for one in as_list(model.predict(one_or_all(inputs)))])
        for _ in range(2):
            model.train_on_batch(one_or_all(inputs), targets)
    arrays = {f"tensors/{name}": array for name, array in zip(names, model.get_weights())}
    facts = {"config": json.loads(model.to_json())}
    if optimizer is not None:
        named = {id(one): name for name, one in zip(names, variables_of(model))}
        in_turn = [named[id(one)] for one in trained_by(model)]
        shaped = dict(zip(names, model.get_weights()))
        for slot, by_weight in slots(model.optimizer, in_turn).items():
            for name, array in by_weight.items():
                assert array.shape == shaped[name].shape, (slot, name, array.shape)
                arrays[f"state/optimizer.{slot}.{name}"] = array
        facts["step"] = step_of(model.optimizer)
        facts["optimizer"] = {name: value if value is None or isinstance(value, (bool, str)) else float(value) for name, value in model.optimizer.get_config().items()}
    outputs = as_list(model.predict(one_or_all(inputs)))
    arrays.update({f"inputs/{index}": one for index, one in enumerate(inputs)})
    arrays.update({f"outputs/{index}": one for index, one in enumerate(outputs)})
    for name in [name for name in arrays if canonical and name.split("/", 1)[1].endswith("conv.kernel")]:
        arrays[name] = canonical(arrays[name])
    return model, facts, arrays


def as_list(value):
    """A list of one or of several."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def filters_last(array):
    """A kernel that has its filters first, in canonical order."""
    return array.transpose(2, 3, 1, 0)


def turned_round(array):
    """A kernel that is convolved with, as one that is correlated with."""
    return array[::-1, ::-1]


def rows(keras, version):
    """Slug -> path of the file, how it is saved, the model, its names, its optimizer, and how its kernels are turned into the canonical order of axes."""
    rate = {"lr" if version < (2, 3) else "learning_rate": 0.25}
    sgd, adam, rmsprop = ("SGD", {**rate, "momentum": 0.5}), ("Adam", {**rate, "epsilon": 0.0625}), ("RMSprop", {**rate, "epsilon": 0.0625})
    whole, alone, folder = ("save", {}), ("save_weights", {}), ("save", {"save_format": "tf"})
    label = "".join(map(str, version))
    if version < (2,):
        return {f"old-{label}-model": ("model.h5", whole, channels_1, CHANNELS, sgd, filters_last), f"old-{label}-alone": ("model.h5", alone, channels_1, CHANNELS, None, filters_last)}
    if version == (2, 0, 9):
        return {f"old-{label}-model": ("model.h5", whole, recurrent, RECURRENT, adam, None)}
    if version == (2, 2, 4) and keras.backend.backend() == "theano":
        return {f"old-{label}-theano": ("model.h5", whole, channels, CHANNELS, None, turned_round)}
    if version == (2, 2, 4):
        return {f"old-{label}-model": ("model.h5", whole, frozen, FROZEN, rmsprop, None)}
    if version == (2, 3, 1):
        return {f"old-{label}-alone": ("model.h5", alone, both_ways, BOTH_WAYS, None, None)}
    if version == (2, 4, 4):
        return {
            f"old-{label}-model": ("model.h5", whole, gated, RECURRENT, adam, None), f"old-{label}-checkpoint": ("model", alone, frozen, FROZEN, adam, None),
            f"old-{label}-folder": ("model", folder, small, SMALL, adam, None),
        }
    if version == (2, 10, 1):
        return {
            f"old-{label}-named-archive": ("model.keras", whole, frozen, FROZEN, adam, None), f"old-{label}-named-weights": ("model.weights.h5", alone, gated, RECURRENT, None, None),
            f"old-{label}-folder": ("model", folder, small, SMALL, adam, None),
        }
    found = {f"old-{label}-archive": ("model.keras", whole, frozen, FROZEN, adam, None), f"old-{label}-weights": ("model.weights.h5", alone, gated, RECURRENT, None, None)}
    if version == (2, 15, 1):
        found[f"old-{label}-checkpoint"] = ("model", alone, frozen, FROZEN, adam, None)
        found[f"old-{label}-folder"] = ("model", folder, small, SMALL, adam, None)
    if version >= (3, 3):
        found[f"old-{label}-model"] = ("model.h5", whole, frozen, FROZEN, adam, None)
    return found


def cudnn(keras, path):
    """A cell for graphics processors, written to `path`; and what Keras makes of its weights for a cell of any machine, which is what it is to be read as.

    Nothing computes here: the operation that needs such a processor is left out.
    """
    layers = keras.layers
    layers.CuDNNGRU._process_batch = lambda self, inputs, state: (inputs[:, -1, : self.units], list(state))

    def build(cell):
        given = layers.Input((4, 3), name="steps")
        return keras.models.Model(given, layers.Dense(1, kernel_initializer="zeros", name="out")(cell(given)), name="net")

    zeros = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros", "name": "cell"}
    model = build(layers.CuDNNGRU(2, **zeros))
    exact(model, CELL)
    model.save(path)
    keras.backend.clear_session()

    def usual(k):
        plain = build(k.layers.GRU(2, recurrent_activation="sigmoid", reset_after=True, **zeros))
        plain.load_weights(path)
        return plain

    return row(keras, usual, None)


def keep(folder, slug, writer, facts, arrays):
    """Writes down what was said of the files of `slug`."""
    Path(folder, slug, "facts.json").write_text(json.dumps({"writer": writer, **facts}))
    np.savez(str(Path(folder, slug, "arrays.npz")), **arrays)
    files = Path(folder, slug, "files")
    print(slug, {str(one.relative_to(files)): one.stat().st_size for one in sorted(files.rglob("*")) if one.is_file()})


def main(name, folder):
    """Writes every row of the Keras called `name` into `folder`."""
    keras, version, writer = keras_of(name)
    for slug, (path, (method, options), build, names, optimizer, canonical) in rows(keras, version).items():
        target = Path(folder, slug, "files")
        target.mkdir(parents=True)
        model, facts, arrays = row(keras, build, names, optimizer, canonical)
        getattr(model, method)(str(target / path), **options)
        (target / "checkpoint").unlink() if (target / "checkpoint").exists() else None
        keep(folder, slug, writer, {"output_names": [str(one) for one in getattr(model, "output_names", ["out"])], **facts}, arrays)
    if version == (2, 2, 4) and keras.backend.backend() == "tensorflow":
        target = Path(folder, "old-224-cudnn", "files")
        target.mkdir(parents=True)
        _, facts, arrays = cudnn(keras, str(target / "model.h5"))
        keep(folder, "old-224-cudnn", writer, {"output_names": ["out"], **facts}, arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
