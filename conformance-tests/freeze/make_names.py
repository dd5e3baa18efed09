"""Asks tf-keras and Keras 3 under which names they keep each weight of some models, and freezes the answers in ``names.json``.

``python conformance-tests/freeze/make_names.py``. Every weight gets numbers that no other has, so that a name is known by what stands there.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # without it SpectralNormalization of tf-keras makes parts of Keras 3
import h5py
import keras
import numpy as np
import tensorflow as tf
import tf_keras

Json = Any
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
SIMPLE = {"units": 2, "activation": "tanh"}
GATED = {**SIMPLE, "recurrent_activation": "sigmoid"}
STEPS = {**GATED, "return_sequences": True}
WEIGHING = ("word", "number", "part")
"""Names of lookups."""


def convolutional(k: Any) -> Any:
    """Convolutions and normalisation, one after the other."""
    layers = k.layers
    return k.Sequential(
        [
            layers.Input((6, 6, 2), name="image"), layers.Conv2D(2, 2, name="conv"), layers.DepthwiseConv2D(2, name="depth"),
            layers.SeparableConv2D(3, 2, name="separable"), layers.BatchNormalization(name="norm"), layers.Dropout(0.5, name="drop"),
            layers.Conv2DTranspose(1, 2, name="up"), layers.PReLU(name="slope"), layers.Flatten(name="flat"), layers.Dense(1, name="out"),
        ],
        name="convolutional",
    )


def recurrent(k: Any) -> Any:
    """Recurrent layers, alone and in wrappers."""
    layers = k.layers
    return k.Sequential(
        [
            layers.Input((3,), dtype="int32", name="words"), layers.Embedding(5, 2, name="table"),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True), name="both"), layers.GRU(2, return_sequences=True, name="gates"),
            layers.TimeDistributed(layers.Dense(2), name="each"), layers.SimpleRNN(2, return_sequences=True, name="simple"),
            layers.RNN(layers.LSTMCell(2), name="cells"), layers.Dense(1, name="out"),
        ],
        name="recurrent",
    )


def assembled(k: Any) -> Any:
    """Layers that keep their weights in unlike ways: statistics, cells of convolutions, cells on one another."""
    layers = k.layers
    return k.Sequential(
        [
            layers.Input((3, 4, 2), name="frames"), layers.Normalization(name="level"), layers.ConvLSTM1D(2, 2, name="seen"),
            layers.RNN([layers.SimpleRNNCell(2), layers.GRUCell(2), layers.SimpleRNNCell(2)], return_sequences=True, name="stack"), layers.SimpleRNN(2, name="last"),
        ],
        name="assembled",
    )


def branched(k: Any) -> Any:
    """A graph: a layer that is called twice, a model inside, several heads."""
    layers = k.layers
    first, second = layers.Input((3, 4), name="first"), layers.Input((3, 4), name="second")
    shared = layers.Dense(4, name="shared")
    inner = k.Sequential([layers.Input((3, 4)), layers.Dense(4, name="inside"), layers.LayerNormalization(name="level")], name="inner")
    x = layers.Add(name="sum")([shared(first), inner(shared(second))])
    x = layers.MultiHeadAttention(2, 2, name="heads")(x, x)
    return k.Model([first, second], layers.Dense(1, name="out")(layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d", name="sums")(x)), name="branched")


def parts(k: Any) -> Any:
    """Cells, stacks of them and wrapped layers, more than one of each class."""
    layers = k.layers
    return k.Sequential(
        [
            layers.Input((3, 2), name="x"), layers.RNN([layers.GRUCell(2), layers.SimpleRNNCell(2)], return_sequences=True, name="first"),
            layers.RNN([layers.SimpleRNNCell(2), layers.GRUCell(2)], return_sequences=True, name="second"), layers.GRU(2, return_sequences=True, name="gates"),
            layers.RNN(layers.GRUCell(2), return_sequences=True, name="alone"), layers.Bidirectional(layers.SimpleRNN(2, return_sequences=True), name="both"),
            layers.Bidirectional(layers.RNN(layers.GRUCell(2), return_sequences=True), name="turned"), layers.Bidirectional(layers.SimpleRNN(2, return_sequences=True), name="again"),
            layers.TimeDistributed(layers.Dense(2), name="each"), layers.TimeDistributed(layers.Dense(2), name="every"),
        ],
        name="parts",
    )


def wrapped(k: Any) -> Any:
    """Wrappers that keep a weight of the layer inside."""
    layers = k.layers
    return k.Sequential([layers.Input((4,), name="x"), layers.SpectralNormalization(layers.Dense(3), name="bound"), layers.SpectralNormalization(layers.Dense(2), name="tied")], name="wrapped")


def tokens(k: Any) -> Any:
    """Lookups that weigh their tokens."""
    layers = k.layers
    inputs = layers.Input((3,), dtype="string", name="words"), layers.Input((3,), dtype="int64", name="numbers"), layers.Input((1,), dtype="string", name="text")
    looked = (
        layers.StringLookup(vocabulary=["a", "b"], output_mode="tf_idf", idf_weights=[0.5, 0.25], name="word")(inputs[0]),
        layers.IntegerLookup(vocabulary=[3, 4], output_mode="tf_idf", idf_weights=[2.5, 2.25], name="number")(inputs[1]),
        layers.TextVectorization(vocabulary=["a", "b"], output_mode="tf_idf", idf_weights=[4.5, 4.25], name="part")(inputs[2]),
    )
    return k.Model(list(inputs), [layers.Dense(1, name=f"of_{name}")(value) for name, value in zip(WEIGHING, looked, strict=True)], name="tokens")


def layer(name: str, type_: str, config: Json = None, **more: Json) -> Json:
    """A layer of a document."""
    return {"name": name, "type": type_, **({"config": config} if config else {}), **more}


DOCUMENTS: dict[str, Json] = {
    "convolutional": {
        "inputs": [{"name": "image", "shape": [None, 6, 6, 2]}],
        "layers": [
            layer("conv", "Conv2D", {"filters": 2, "kernel_size": [2, 2]}), layer("depth", "DepthwiseConv2D", {"kernel_size": [2, 2]}),
            layer("separable", "SeparableConv2D", {"filters": 3, "kernel_size": [2, 2]}), layer("norm", "BatchNormalization", {"momentum": 0.99, "epsilon": 0.001}), layer("drop", "Dropout", {"rate": 0.5}),
            layer("up", "Conv2DTranspose", {"filters": 1, "kernel_size": [2, 2]}), layer("slope", "PReLU"), layer("flat", "Flatten"), layer("out", "Dense", {"units": 1}),
        ],
    },
    "recurrent": {
        "inputs": [{"name": "words", "shape": [None, 3], "dtype": "int32"}],
        "layers": [
            layer("table", "Embedding", {"input_dim": 5, "output_dim": 2}),
            layer("both", "Bidirectional", sublayers={"forward": {"type": "LSTM", "config": STEPS}, "backward": {"type": "LSTM", "config": {**STEPS, "go_backwards": True}}}),
            layer("gates", "GRU", {**STEPS, "reset_after": True}), layer("each", "TimeDistributed", sublayers={"layer": {"type": "Dense", "config": {"units": 2}}}),
            layer("simple", "SimpleRNN", {**SIMPLE, "return_sequences": True}), layer("cells", "RNN", sublayers={"cell": {"type": "LSTMCell", "config": GATED}}), layer("out", "Dense", {"units": 1}),
        ],
    },
    "assembled": {
        "inputs": [{"name": "frames", "shape": [None, 3, 4, 2]}],
        "layers": [
            layer("level", "Normalization"), layer("seen", "ConvLSTM1D", {"filters": 2, "kernel_size": [2], "activation": "tanh", "recurrent_activation": "sigmoid"}),
            layer("stack", "RNN", {"return_sequences": True}, sublayers={"cell": {"type": "StackedRNNCells", "sublayers": {
                "cell_0": {"type": "SimpleRNNCell", "config": SIMPLE}, "cell_1": {"type": "GRUCell", "config": {**GATED, "reset_after": True}},
                "cell_2": {"type": "SimpleRNNCell", "config": SIMPLE}}}}),
            layer("last", "SimpleRNN", SIMPLE),
        ],
    },
    "branched": {
        "inputs": [{"name": "first", "shape": [None, 3, 4]}, {"name": "second", "shape": [None, 3, 4]}],
        "layers": [
            layer("shared", "Dense", {"units": 4}),
            layer("inner", "Model", architecture={
                "inputs": [{"name": "x", "shape": [None, 3, 4]}], "layers": [layer("inside", "Dense", {"units": 4}), layer("level", "LayerNormalization", {"epsilon": 0.001})]}),
            layer("sum", "Add"), layer("heads", "MultiHeadAttention", {"num_heads": 2, "key_dim": 2}),
            layer("sums", "EinsumDense", {"equation": "abc,cd->abd", "output_shape": [None, 3], "bias_axes": "d"}), layer("out", "Dense", {"units": 1}),
        ],
        "calls": [
            {"layer": "shared", "inputs": ["first"]}, {"layer": "shared", "inputs": ["second"], "outputs": ["again"]}, {"layer": "inner", "inputs": ["again"]},
            {"layer": "sum", "inputs": ["shared", "inner"]}, {"layer": "heads", "inputs": ["sum", "sum"]}, {"layer": "sums", "inputs": ["heads"]}, {"layer": "out", "inputs": ["sums"]},
        ],
        "outputs": ["out"],
    },
}
GATES = ("kernel", "recurrent_kernel", "bias")


def cell(type_: str) -> Json:
    """A cell of two units."""
    return {"type": f"{type_}Cell", "config": {**GATED, "reset_after": True} if type_ == "GRU" else SIMPLE}


def stack(*types: str) -> Json:
    """A cell of cells."""
    return {"cell": {"type": "StackedRNNCells", "sublayers": {f"cell_{number}": cell(type_) for number, type_ in enumerate(types)}}}


def directions(type_: str, config: Json, **more: Json) -> Json:
    """Two layers that read a sequence from both ends."""
    return {"forward": {"type": type_, "config": config, **more}, "backward": {"type": type_, "config": {**config, "go_backwards": True}, **more}}


ALL = {"return_sequences": True}
DOCUMENTS["parts"] = {
    "inputs": [{"name": "x", "shape": [None, 3, 2]}],
    "layers": [
        layer("first", "RNN", ALL, sublayers=stack("GRU", "SimpleRNN")), layer("second", "RNN", ALL, sublayers=stack("SimpleRNN", "GRU")),
        layer("gates", "GRU", {**GATED, "reset_after": True, **ALL}), layer("alone", "RNN", ALL, sublayers={"cell": cell("GRU")}),
        layer("both", "Bidirectional", sublayers=directions("SimpleRNN", {**SIMPLE, **ALL})),
        layer("turned", "Bidirectional", sublayers=directions("RNN", ALL, sublayers={"cell": cell("GRU")})),
        layer("again", "Bidirectional", sublayers=directions("SimpleRNN", {**SIMPLE, **ALL})),
        *(layer(name, "TimeDistributed", sublayers={"layer": {"type": "Dense", "config": {"units": 2}}}) for name in ("each", "every")),
    ],
}
DOCUMENTS["wrapped"] = {
    "inputs": [{"name": "x", "shape": [None, 4]}],
    "layers": [layer(name, "SpectralNormalization", {"units": units}, sublayers={"layer": {"type": "Dense", "config": {"units": units}}}) for name, units in (("bound", 3), ("tied", 2))],
}
DOCUMENTS["tokens"] = {
    "inputs": [{"name": "words", "shape": [None, 3], "dtype": "string"}, {"name": "numbers", "shape": [None, 3], "dtype": "int64"}, {"name": "text", "shape": [None, 1], "dtype": "string"}],
    "layers": [
        layer("word", "StringLookup", {"vocabulary": ["a", "b"], "output_mode": "tf_idf"}), layer("number", "IntegerLookup", {"vocabulary": [3, 4], "output_mode": "tf_idf"}),
        layer("part", "TextVectorization", {"vocabulary": ["a", "b"], "output_mode": "tf_idf"}), *(layer(f"of_{name}", "Dense", {"units": 1}) for name in WEIGHING),
    ],
    "calls": [
        {"layer": "word", "inputs": ["words"]}, {"layer": "number", "inputs": ["numbers"]}, {"layer": "part", "inputs": ["text"]},
        *({"layer": f"of_{name}", "inputs": [name]} for name in WEIGHING),
    ],
    "outputs": [f"of_{name}" for name in WEIGHING],
}
DENSE = [f"of_{name}.{role}" for name in WEIGHING for role in ("kernel", "bias")]
TENSORS: dict[str, list[str]] = {
    "convolutional": [
        "conv.kernel", "conv.bias", "depth.kernel", "depth.bias", "separable.depthwise_kernel", "separable.pointwise_kernel", "separable.bias", "norm.gamma", "norm.beta",
        "norm.moving_mean", "norm.moving_variance", "up.kernel", "up.bias", "slope.alpha", "out.kernel", "out.bias"],
    "recurrent": [
        "table.embeddings", *(f"both.{way}.{role}" for way in ("forward", "backward") for role in GATES), *(f"gates.{role}" for role in GATES), "each.layer.kernel",
        "each.layer.bias", *(f"simple.{role}" for role in GATES), *(f"cells.cell.{role}" for role in GATES), "out.kernel", "out.bias"],
    "assembled": [
        "level.mean", "level.variance", "level.count", *(f"seen.{role}" for role in GATES),
        *(f"stack.cell.cell_{number}.{role}" for number in range(3) for role in GATES), *(f"last.{role}" for role in GATES)],
    "branched": [
        "shared.kernel", "shared.bias", "inner.inside.kernel", "inner.inside.bias", "inner.level.gamma", "inner.level.beta",
        *(f"heads.{part}_{role}" for part in ("query", "key", "value", "output") for role in ("kernel", "bias")), "sums.kernel", "sums.bias", "out.kernel", "out.bias"],
    "parts": [
        *(f"{name}.cell.cell_{number}.{role}" for name in ("first", "second") for number in range(2) for role in GATES), *(f"gates.{role}" for role in GATES),
        *(f"alone.cell.{role}" for role in GATES), *(f"both.{way}.{role}" for way in ("forward", "backward") for role in GATES),
        *(f"turned.{way}.cell.{role}" for way in ("forward", "backward") for role in GATES), *(f"again.{way}.{role}" for way in ("forward", "backward") for role in GATES),
        *(f"{name}.layer.{role}" for name in ("each", "every") for role in ("kernel", "bias"))],
    "wrapped": [f"{name}.{role}" for name in ("bound", "tied") for role in ("layer.kernel", "layer.bias", "vector_u")],
    "tokens": [*(f"{name}.idf_weights" for name in WEIGHING), *DENSE],
}
"""Model -> this specification's names of its weights, in the order of Keras' ``get_weights()``."""
OF_KERAS_3 = {
    "wrapped": [f"{name}.{role}" for name in ("bound", "tied") for role in ("layer.kernel", "vector_u", "layer.bias")],
    "tokens": DENSE,
}
"""The same where Keras 3 has another order, or lists less."""
TITLES = {
    "convolutional": "Each Keras has names for the weights of a convolutional model",
    "recurrent": "Names of weights in cells and wrappers say the parts they are in",
    "assembled": "Names of weights in statistics, cells of convolutions and stacks",
    "branched": "Names of weights in a graph count layers in the order of Keras",
    "parts": "Names count cells and wrapped layers over the whole model",
    "wrapped": "Names of a kernel that a wrapper keeps, too",
    "tokens": "Names of the weights of tokens",
}


def datasets(file: h5py.File, start: str = "") -> dict[str, np.ndarray]:
    """Path -> array, of every dataset at or below `start`."""
    found: dict[str, np.ndarray] = {}
    (file[start] if start else file).visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def objects(prefix: str) -> dict[str, np.ndarray]:
    """Path from the root -> value, of every variable in a checkpoint."""
    reader = tf.train.load_checkpoint(prefix)
    return {key.removesuffix(SUFFIX): reader.get_tensor(key) for key in reader.get_variable_to_shape_map() if key.endswith(SUFFIX)}


def places(k: Any, build: Any, folder: str) -> tuple[dict[str, np.ndarray], dict[str, dict[str, np.ndarray]]]:
    """The weights of a model by name, and how one Keras spells them in each of its forms."""
    k.backend.clear_session()
    model = build(k)
    weights = [np.arange(array.size, dtype="float32").reshape(array.shape) + 1000 * (number + 1) for number, array in enumerate(model.get_weights())]
    model.set_weights(weights)
    slug = build.__name__
    tensors = dict(zip(OF_KERAS_3.get(slug, TENSORS[slug]) if k is keras else TENSORS[slug], weights, strict=True))
    tensors |= idf_weights(model) if k is keras else {}
    stem = f"{folder}/{k.__name__}"
    tf.train.Checkpoint(model).write(stem)
    if k is tf_keras:
        model.save_weights(stem + ".h5", save_format="h5")
        with h5py.File(stem + ".h5") as file:
            return tensors, {"objects": objects(stem), "hdf5": datasets(file)}
    model.save(stem + ".h5")
    model.save_weights(stem + ".weights.h5")
    with h5py.File(stem + ".h5") as file, h5py.File(stem + ".weights.h5") as by_path:
        return tensors, {"objects": objects(stem), "hdf5": datasets(file, "model_weights"), "paths": datasets(by_path)}


def named(forms: dict[str, dict[str, np.ndarray]], value: np.ndarray) -> dict[str, str]:
    """The one name in each form under which `value` stands; none where it stands nowhere."""
    found = {}
    for form, arrays in forms.items():
        names = [name for name, array in arrays.items() if np.shape(array) == value.shape and np.array_equal(array, value)]
        if names:  # Keras 3 writes a kernel that a wrapper keeps twice, and what the lookup inside a TextVectorization has
            found[form] = min(names, key=lambda name: ("_lookup_layer" not in name, name.count("/")))
    return found


def idf_weights(model: Any) -> dict[str, np.ndarray]:
    """What the lookups of a model keep without listing it among their weights."""
    lookups = [(one.name, getattr(one, "_lookup_layer", one)) for one in model.layers if hasattr(one, "_lookup_layer") or hasattr(one, "idf_weights")]
    return {f"{name}.idf_weights": np.asarray(one.idf_weights) for name, one in lookups}


def row(build: Any, folder: str) -> Json:
    """One model with the names of its weights."""
    slug = build.__name__
    said: dict[str, Json] = {name: {} for name in TENSORS[slug]}
    for dialect, k in (("keras2", tf_keras), ("keras3", keras)):
        tensors, forms = places(k, build, folder)
        for name, value in tensors.items():
            said[name][dialect] = named(forms, value)
    return {"slug": slug, "title": TITLES[slug], "architecture": {"format_version": "1.0", "name": slug, **DOCUMENTS[slug]}, "names": said}


def main() -> None:
    """Write ``names.json``."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [row(build, folder) for build in (convolutional, recurrent, assembled, branched, parts, wrapped, tokens)]
    versions = {"tensorflow": tf.__version__, "tf_keras": tf_keras.__version__, "keras": keras.__version__}
    text = json.dumps({"versions": versions, "rows": rows}, indent=1) + "\n"
    (Path(__file__).parent / "names.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
