"""What the documents of the files say that old frameworks wrote, by hand: their own words for them stand under ``config`` in ``freeze/foreign.json``."""

from __future__ import annotations

import _foreign_models as models

Json = models.Json
ZEROS = {"type": "Zeros"}
BEGIN = {"kernel_initializer": ZEROS, "bias_initializer": ZEROS}


def dense(name: str, units: int, **config: Json) -> Json:
    """A Dense layer that begins with zeros."""
    return {"name": name, "type": "Dense", "config": {"units": units, **config, **BEGIN}}


def listed(**members: Json) -> Json:
    """An architecture of a file that holds its layers in a list, which has no name."""
    return {"format_version": "1.0", **members}


def document(**members: Json) -> Json:
    """An architecture called ``net``."""
    return listed(name="net", **members)


def channels(**begin: Json) -> Json:
    """Channels first, without a name; `begin` says how biases and what a normalization learns begin, which Keras 1 does not."""
    bias = {name: one for name, one in begin.items() if name == "bias_initializer"}
    norm = {name: one for name, one in begin.items() if name not in bias}
    first = {"kernel_initializer": ZEROS, **bias}
    return listed(
        inputs=[{"name": "conv_input", "shape": [None, 1, 3, 3]}],
        layers=[
            {"name": "conv", "type": "Conv2D", "config": {"filters": 2, "kernel_size": [2, 2], "data_format": "channels_first", **first}},
            {"name": "norm", "type": "BatchNormalization", "config": {"axis": 1, "momentum": 0.99, "epsilon": 0.001, **norm}},
            {"name": "flat", "type": "Flatten"}, {"name": "out", "type": "Dense", "config": {"units": 2, "activation": "softmax", **first}},
        ],
    )


CHANNELS, THEANO = channels(), {**channels(bias_initializer=ZEROS, **models.NORM), "name": "net"}


TABLE = {"name": "table", "type": "Embedding", "config": {"input_dim": 5, "output_dim": 3, "embeddings_initializer": ZEROS}}
GATED = {"kernel_initializer": ZEROS, "recurrent_initializer": ZEROS, "bias_initializer": ZEROS}
RECURRENT = listed(
    inputs=[{"name": "table_input", "shape": [None, 4]}],
    layers=[TABLE, {"name": "cell", "type": "LSTM", "config": {"units": 2, "activation": "tanh", "recurrent_activation": "hard_sigmoid_keras2", **GATED}}, dense("out", 1)],
)
"""Before Keras 2.3 a gate is a hard sigmoid, whose slope is a fifth."""
GRU = document(
    inputs=[{"name": "ids", "shape": [None, 4], "dtype": "int32"}],
    layers=[TABLE, {"name": "cell", "type": "GRU", "config": {"units": 2, "activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": True, **GATED}}, dense("out", 1)],
    calls=[{"layer": "table", "inputs": ["ids"]}, {"layer": "cell", "inputs": ["table"]}, {"layer": "out", "inputs": ["cell"]}],
    outputs=["out"],
)
CUDNN = document(
    inputs=[{"name": "steps", "shape": [None, 4, 3]}], layers=[{"name": "cell", "type": "GRU", "config": {
        "units": 2, "activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": True, **GATED}}, dense("out", 1)],
    calls=[{"layer": "cell", "inputs": ["steps"]}, {"layer": "out", "inputs": ["cell"]}], outputs=["out"],
)
LSTM = {"type": "LSTM", "config": {"units": 2, "activation": "tanh", "recurrent_activation": "sigmoid", "return_sequences": True, **GATED}}
BOTH_WAYS = document(
    inputs=[{"name": "steps", "shape": [None, 4, 3]}],
    layers=[
        {"name": "both", "type": "Bidirectional", "sublayers": {"forward": LSTM, "backward": {**LSTM, "config": {**LSTM["config"], "go_backwards": True}}}},
        {"name": "each", "type": "TimeDistributed", "sublayers": {"layer": {"type": "Dense", "config": {"units": 1, **BEGIN}}}},
    ],
    calls=[{"layer": "both", "inputs": ["steps"]}, {"layer": "each", "inputs": ["both"]}],
    outputs=["each"],
)
FROZEN = document(
    inputs=[{"name": "first", "shape": [None, 2]}, {"name": "second", "shape": [None, 2]}],
    layers=[
        dense("shared", 3, activation="relu"),
        {"name": "inner", "type": "Model", "architecture": {
            "inputs": [{"name": "x", "shape": [None, 3]}], "layers": [{**dense("still", 3), "trainable": False}, dense("inside", 2)],
            "calls": [{"layer": "still", "inputs": ["x"]}, {"layer": "inside", "inputs": ["still"]}], "outputs": ["inside"]}},
        {"name": "both", "type": "Concatenate"}, dense("out", 1),
    ],
    calls=models.GRAPH["calls"], outputs=["out"],
)
SMALL = document(inputs=[{"name": "x", "shape": [None, 3]}], layers=[dense("out", 2)], calls=[{"layer": "out", "inputs": ["x"]}], outputs=["out"])

NARROW = {"beta_1": 0.8999999761581421, "beta_2": 0.9990000128746033}
"""0.9 and 0.999, where a Keras kept them in float32 and wrote them so."""


def adam(*, narrow: bool = False) -> Json:
    """Adam after two steps, as every Keras of these computes it."""
    return models.training("Adam", 2, learning_rate=0.25, **(NARROW if narrow else {"beta_1": 0.9, "beta_2": 0.999}), epsilon=0.0625)


COUNTED = {"format_version": "1.0", "progress": {"step": 2}}
"""What weights and slots without a configuration say of a training."""
