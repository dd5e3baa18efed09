"""One layer on random arrays and weights, computed here and by Keras; and how far apart the results are.

Also a program: ``python sequence_judges.py IN OUT`` has Keras, on the backend that KERAS_BACKEND names, compute pickled cases.
"""

import importlib
import json
import os
import pickle
import subprocess
import sys
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from triptych.model import Architecture, Call, Input, Layer
from triptych.vocabulary import infer, weight_slots
from triptych.vocabulary.evaluator import evaluate


@dataclass(frozen=True)
class Case:
    """One call of one layer."""

    layer: Layer
    shapes: tuple[tuple[int, ...], ...]
    arguments: dict[str, Any] = field(default_factory=dict)
    """Literals, or arrays; in lists too. ``mask`` is one."""
    integers: int = 0
    """Inputs are integers below it, unless it is 0."""
    spread: float = 1.0
    """Standard deviation of the weights."""
    seed: int = 0

    @property
    def title(self):
        said = {name: "array" if isinstance(value, np.ndarray) else value for name, value in self.arguments.items()}
        inner = " ".join(f"{role}={one.type}{dict(one.config)}" for role, one in self.layer.sublayers.items())
        return f"{self.layer.type} {dict(self.layer.config)} {inner} on {self.shapes} {said}"

    def arrays(self):
        """Its inputs."""
        generator = np.random.default_rng(self.seed)
        if self.integers:
            return [generator.integers(0, self.integers, shape).astype(np.int32) for shape in self.shapes]
        return [generator.standard_normal(shape).astype(np.float32) for shape in self.shapes]

    def slots(self):
        """The weights it needs."""
        return weight_slots(self._architecture([], []))

    def weights(self):
        """Its weights, by tensor name."""
        generator = np.random.default_rng(self.seed + 1)
        return {slot.tensor: (generator.standard_normal(slot.shape) * self.spread).astype(np.float32) for slot in self.slots()}

    def _architecture(self, extra, outputs, arguments=None):
        names = [f"in{i}" for i in range(len(self.shapes))]
        dtype = "int32" if self.integers else "float32"
        inputs = tuple(Input(name, (None, *shape[1:]), dtype) for name, shape in zip(names, self.shapes, strict=True))
        call = Call(self.layer.name, tuple(names), arguments or {}, tuple(outputs))
        return Architecture((self.layer,), (*inputs, *extra), (call,), tuple(outputs or [self.layer.name]))

    def ours(self, dtype=None, weights=None):
        """What the reference computes."""
        arrays, extra = self.arrays(), []

        def named(value):
            if isinstance(value, list):
                return [named(one) for one in value]
            if not isinstance(value, np.ndarray):
                return value
            name = f"argument{len(extra)}"
            extra.append(Input(name, tuple([None] * value.ndim), value.dtype.name))
            arrays.append(value)
            return {"value": name}

        arguments = {key: named(value) for key, value in self.arguments.items()}
        literal = {key: value for key, value in self.arguments.items() if isinstance(value, bool)}
        shapes = infer(self._architecture([], [], literal)).layers["/layers/0"].calls[0].outputs
        assert shapes is not None, self.title
        outputs = [f"out{i}" for i in range(len(shapes))]
        result = evaluate(self._architecture(extra, outputs, arguments), weights or self.weights(), arrays, dtype=dtype)
        for array, shape in zip(result.outputs, shapes, strict=True):
            assert all(expected in (None, got) for got, expected in zip(array.shape, shape, strict=True)), (self.title, array.shape, shape)
        return result


def built(keras, layer):
    """The Keras layer of `layer`."""
    inner = dict(layer.sublayers)
    arguments = {name: tuple(value) if isinstance(value, list) else value for name, value in layer.config.items()}
    name = layer.type
    if "merge_mode" in arguments and arguments["merge_mode"] == "none":
        arguments["merge_mode"] = None
    if "padding" in arguments and isinstance(arguments["padding"], str):
        arguments["padding"] = arguments["padding"].removesuffix("_upper")
    if layer.type == "Bidirectional":
        return keras.layers.Bidirectional(built(keras, inner["forward"]), backward_layer=built(keras, inner["backward"]), **arguments)
    if layer.type == "StackedRNNCells":
        return keras.layers.StackedRNNCells([built(keras, inner[role]) for role in inner])
    if inner:
        (only,) = inner.values()
        return getattr(keras.layers, name)(built(keras, only), **arguments)
    return getattr(keras.layers, name)(**arguments)


IN_ONE = {"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "MultiHeadAttention", "GroupQueryAttention", "ConvLSTM1D", "ConvLSTM2D"}
"""Types that take their inputs otherwise than as a list."""


def called(keras, layer, case, arrays):
    """What a Keras layer yields for `arrays`."""
    if keras.__name__ == "tf_keras":
        import tensorflow as tf

        arrays = [tf.constant(one) for one in arrays]
    arguments = dict(case.arguments)
    if "query_mask" in arguments and keras.__name__ == "keras":
        # Keras 3.15 forgets this argument, but not a mask that comes with the query.
        arrays = [keras.ops.convert_to_tensor(one) for one in arrays]
        arrays[0]._keras_mask = keras.ops.convert_to_tensor(arguments.pop("query_mask"))
    if case.layer.type in {"MultiHeadAttention", "GroupQueryAttention"}:
        result = layer(*arrays, **arguments)
    elif case.layer.type in IN_ONE and len(arrays) > 1:
        result = layer(arrays[0], initial_state=[keras.ops.convert_to_tensor(a) if keras.__name__ == "keras" else a for a in arrays[1:]], **arguments)
    else:
        result = layer(arrays if len(arrays) > 1 else arrays[0], **arguments)
    flat = []
    for one in result if isinstance(result, list | tuple) else [result]:
        flat.extend(one if isinstance(one, list | tuple) else [one])
    return [keras.ops.convert_to_numpy(one) if hasattr(keras, "ops") else np.asarray(one) for one in flat]


def by_keras(keras, case, arrays, weights):
    """What Keras computes; `weights` are in the order of get_weights()."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = built(keras, case.layer)
        called(keras, layer, case, arrays)
        holders = [one for one in layer.weights if "seed_generator" not in getattr(one, "path", one.name)]
        assert [tuple(one.shape) for one in holders] == [one.shape for one in weights], case.title
        for one, value in zip(holders, weights, strict=True):
            one.assign(value)
        return called(keras, layer, case, arrays)


def error(got, expected):
    """The largest difference, relative to the largest value that is expected."""
    assert got.shape == expected.shape, (got.shape, expected.shape)
    return float(np.max(np.abs(got.astype(float) - expected.astype(float)), initial=0) / max(np.max(np.abs(expected), initial=0), 1e-30))


def record(type_, framework, title, worst):
    """Note a measured error in the file that TRIPTYCH_ERRORS names, one JSON line each."""
    if path := os.environ.get("TRIPTYCH_ERRORS"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"type": type_, "framework": framework, "case": title, "error": worst}) + "\n")


def cells(layer):
    """The cells and stacks of cells inside `layer`, which compute nothing alone."""
    for one in layer.sublayers.values():
        if one.type.endswith(("Cell", "Cells")):
            yield one
            yield from cells(one)


def agree(case, expected, framework, *, bound=1e-5, weights=None):
    """Compare our results with those of a framework."""
    got = case.ours(weights=weights).outputs
    assert len(got) == len(expected), case.title
    assert [one.dtype for one in got] == [one.dtype for one in expected], case.title
    worst = max(error(a, b) for a, b in zip(got, expected, strict=True))
    for one in (case.layer, *cells(case.layer)):
        record(one.type, framework, case.title, worst)
    assert worst <= bound, f"{framework}: {worst:.2e} for {case.title}"


def keras_of(name):
    """``tf_keras`` or ``keras``, imported quietly."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def elsewhere(cases, backend, folder):
    """What Keras 3 computes for `cases` on another backend, in a process of its own."""
    given, taken = folder / "given.pickle", folder / "taken.pickle"
    given.write_bytes(pickle.dumps([(case, case.arrays(), list(case.weights().values())) for case in cases]))
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, __file__, given, taken], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return pickle.loads(taken.read_bytes())


def with_name(layer):
    """`layer` with a name, as a case needs."""
    return replace(layer, name="layer")


if __name__ == "__main__":
    import __main__

    sys.modules["sequence_judges"] = __main__
    import keras

    _, source, target = sys.argv
    done = [by_keras(keras, *one) for one in pickle.loads(Path(source).read_bytes())]
    Path(target).write_bytes(pickle.dumps(done))
