"""What the documents of the frozen foreign models say, written by hand: the frozen files hold the same in the words of their frameworks.

Of a config only what is not the default is said; ``defaults`` brings the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Json = Any
VOCABULARY = json.loads((Path(__file__).resolve().parents[2] / "schemas" / "1.0" / "vocabulary.json").read_bytes())
BEGIN = {"kernel_initializer": {"type": "GlorotUniform"}, "bias_initializer": {"type": "Zeros"}}


def dense(name: str, units: int, **config: Json) -> Json:
    """A Dense layer as Keras makes it."""
    return {"name": name, "type": "Dense", "config": {"units": units, **config, **BEGIN}}


def _document(**members: Json) -> Json:
    return {"format_version": "1.0", "name": "net", **members}


GRAPH = _document(
    inputs=[{"name": "first", "shape": [None, 2]}, {"name": "second", "shape": [None, 2]}],
    layers=[
        dense("shared", 3, activation="relu"),
        {"name": "inner", "type": "Model", "architecture": {"inputs": [{"name": "x", "shape": [None, 3]}], "layers": [dense("inside", 2)]}},
        {"name": "both", "type": "Concatenate"}, dense("out", 1),
    ],
    calls=[
        {"layer": "shared", "inputs": ["first"]}, {"layer": "shared", "inputs": ["second"], "outputs": ["again"]}, {"layer": "inner", "inputs": ["shared"]},
        {"layer": "both", "inputs": ["inner", "again"]}, {"layer": "out", "inputs": ["both"]},
    ],
    outputs=["out"],
)


SMALL = _document(inputs=[{"name": "x", "shape": [None, 3]}], layers=[dense("out", 2)])
NORM = {"beta_initializer": {"type": "Zeros"}, "gamma_initializer": {"type": "Ones"}, "moving_mean_initializer": {"type": "Zeros"}, "moving_variance_initializer": {"type": "Ones"}}
SEQUENCE = _document(
    inputs=[{"name": "image", "shape": [None, 3, 3, 1]}],
    layers=[
        {"name": "conv", "type": "Conv2D", "config": {"filters": 2, "kernel_size": [2, 2], **BEGIN}},
        {"name": "norm", "type": "BatchNormalization", "config": {"axis": 3, "momentum": 0.99, "epsilon": 0.001, **NORM}},
        {"name": "flat", "type": "Flatten"}, dense("out", 2, activation="softmax"),
    ],
)


NEGATIVE_AXIS = {**SEQUENCE, "layers": [
    {**one, "config": {name: value for name, value in one["config"].items() if name != "axis"}} if one["name"] == "norm" else one for one in SEQUENCE["layers"]]}
"""The same as Keras 3 says it, whose axis is the last one by default."""


def training(optimizer: str, step: int | None, **config: Json) -> Json:
    """A training document: the optimizer, the mean squared error, how far it got."""
    progress = {} if step is None else {"progress": {"step": step}}
    return {"format_version": "1.0", "optimizer": {"type": optimizer, "config": config}, "losses": [{"type": "MeanSquaredError"}], **progress}


ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07}


PLAIN_ADAM = {"format_version": "1.0", "optimizer": {"type": "Adam", "config": {"learning_rate": 0.25, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-08, "epsilon_mode": "plain"}}}
"""Adam as PyTorch computes it."""


def _plain(kind: str, **config: Json) -> Json:
    return {"format_version": "1.0", "optimizer": {"type": kind, "config": {"learning_rate": 0.25, **config}}}


_PLAIN_MOMENTS = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-08, "epsilon_mode": "plain"}
PLAIN: dict[str, Json] = {
    "torch-sgd": _plain("SGD", momentum=0.5, momentum_scaling="buffer", dampening=0.25, weight_decay=0.125, decay_mode="l2"),
    "torch-adam": {**_plain("Adam", **_PLAIN_MOMENTS, amsgrad=True), "progress": {"step": 2}},
    "torch-adamw": {**_plain("AdamW", **_PLAIN_MOMENTS, weight_decay=0.125), "progress": {"step": 2}},
    "torch-rmsprop": {**_plain("RMSprop", rho=0.75, epsilon=0.0625, epsilon_mode="outside", momentum=0.5, momentum_scaling="buffer", centered=True), "progress": {"step": 2}},
    "torch-groups-alike": {**_plain("Adam", **_PLAIN_MOMENTS), "progress": {"step": 2}},
}
"""Slug -> the training of PyTorch's optimizers, as PyTorch computes them."""
NORMED = _document(
    inputs=[{"name": "x", "shape": [None, 3]}],
    layers=[
        {"name": "first", "type": "Dense", "config": {"units": 4}},
        {"name": "norm", "type": "BatchNormalization", "config": {"momentum": 0.9, "epsilon": 1e-05}}, {"name": "second", "type": "Dense", "config": {"units": 2}},
    ],
)
"""The module whose optimizers these are, as an architecture."""


def _members(listed: Json) -> dict[str, Json]:
    return {one["name"]: one["default"] for one in listed if "default" in one}


def defaults(*documents: Json) -> dict[str, Json]:
    """Type or operation -> the members of its config that have a default, of all that occur in `documents`."""
    table = {name: one.get("config", []) for kind in ("types", "operations") for name, one in VOCABULARY[kind].items()}
    table |= {name: one.get("config", []) for family in VOCABULARY["training"].values() for name, one in family.items()}
    found: dict[str, Json] = {}

    def walk(node: Json) -> None:
        if isinstance(node, Mapping):
            name = node.get("type", node.get("op"))
            if isinstance(name, str) and (members := _members(table.get(name, []))):
                found[name] = members
            node = list(node.values())
        if isinstance(node, list):
            for one in node:
                walk(one)

    walk(list(documents))
    return dict(sorted(found.items()))
