"""Writes ``constraints.json``: what Keras' constraints make of kernels, applied by its optimizer after one step.

``python conformance-tests/freeze/make_constraints.py``. Norms lie below, between, at and above the bounds, one of them is 0; Keras' epsilon is one of its settings.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np

TARGET = Path(__file__).resolve().parent / "constraints.json"
Json = Any
DENSE = [[0.0, 0.25, 0.75, 3.0, -1.5], [0.0, -0.25, 1.0, 4.0, 0.0]]
"""A kernel whose columns have the norms 0, 0.354, 1.25, 5 and 1.5."""
CONV = np.round(np.random.default_rng(3).standard_normal((2, 2, 2, 3)) * np.array([0.05, 0.25, 2.0]) * 64) / 64
"""A kernel of three filters: a small, a middling and a large one."""
ROWS: list[tuple[str, str, Json, float, str]] = [
    ("dense", "MaxNorm", {"max_value": 1.5, "axis": 0}, 0.25, "of columns"),
    ("dense", "MaxNorm", {"max_value": 1.0, "axis": 1}, 1e-7, "of rows"),
    ("conv", "MaxNorm", {"max_value": 1.0, "axis": [0, 1, 2]}, 0.25, "of filters"),
    ("dense", "NonNeg", {}, 1e-7, "of a kernel"),
    ("dense", "UnitNorm", {"axis": 0}, 0.25, "of columns"),
    ("dense", "UnitNorm", {"axis": 1}, 1e-7, "of rows"),
    ("conv", "UnitNorm", {"axis": [0, 1, 2]}, 0.25, "of filters"),
    ("conv", "UnitNorm", {"axis": [0, 1]}, 1e-7, "of planes"),
    ("dense", "MinMaxNorm", {"min_value": 0.5, "max_value": 1.5, "rate": 1.0, "axis": 0}, 0.25, "of columns"),
    ("dense", "MinMaxNorm", {"min_value": 0.5, "max_value": 1.5, "rate": 0.75, "axis": 0}, 1e-7, "of columns, three quarters of the way"),
    ("conv", "MinMaxNorm", {"min_value": 0.5, "max_value": 1.0, "rate": 0.5, "axis": [0, 1, 2]}, 0.25, "of filters, half of the way"),
]
"""Layer, type, config without epsilon, epsilon, and a few words."""


def rows() -> Iterator[Json]:
    keras.config.set_floatx("float64")
    for kind, type_, config, epsilon, words in ROWS:
        keras.config.set_epsilon(epsilon)
        end = np.asarray(DENSE) if kind == "dense" else CONV
        said = {name: tuple(value) if isinstance(value, list) else value for name, value in config.items()}
        constraint = getattr(keras.constraints, type_)(**said)
        if kind == "dense":
            layer = keras.layers.Dense(5, use_bias=False, kernel_constraint=constraint)
            layer.build((None, 2))
        else:
            layer = keras.layers.Conv2D(3, 2, use_bias=False, kernel_constraint=constraint)
            layer.build((None, 4, 4, 2))
        start = np.ones_like(end)
        layer.set_weights([start])
        keras.optimizers.SGD(1.0).apply([start - end], layer.trainable_variables)
        full = config if type_ == "NonNeg" else {**config, "epsilon": epsilon}
        yield {"layer": kind, "type": type_, "config": full, "words": words, "shape": list(end.shape), "start": start.ravel().tolist(), "gradient": (start - end).ravel().tolist(),
               "end": np.asarray(layer.get_weights()[0]).ravel().tolist()}


def text() -> str:
    """The content of ``constraints.json``."""
    versions = {"keras": keras.__version__, "tensorflow": __import__("tensorflow").__version__, "numpy": np.__version__}
    return f'{{"versions": {json.dumps(versions)},\n"rows": [\n' + ",\n".join(map(json.dumps, rows())) + "\n]}\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
