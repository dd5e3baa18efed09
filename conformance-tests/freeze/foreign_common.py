"""What the rows of foreign files share: the registry, models for any Keras, and what a framework says of a model."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
import numpy as np
from common import numbers

from triptych_conformance._spelling import spelled

Json = Any
ROWS: dict[str, Callable[[Path], Json]] = {}


def row(function: Callable[[Path], Json]) -> Callable[[Path], Json]:
    """Registers a function that writes one foreign file into a folder and says what is in it."""
    ROWS[function.__name__.replace("_", "-")] = function
    return function


def exact(model: Any) -> None:
    """Gives `model` weights that are exact in any format, variances positive."""
    values = [numbers(f"{model.name} {index}", array.shape, step=1 / 8) for index, array in enumerate(model.get_weights())]
    model.set_weights([np.abs(value) + 1 if "variance" in variable.name else value for value, variable in zip(values, model.weights, strict=True)])


def built(k: Any, build: Callable[[Any], Any], *, loss: str | None = None) -> Any:
    """A model of the Keras `k` with exact weights, under its first names; with a `loss` compiled with Adam."""
    k.backend.clear_session()
    model = build(k)
    exact(model)
    if loss is not None:
        model.compile(k.optimizers.Adam(0.25), loss=loss)
    return model


def trained(model: Any, names: Sequence[str]) -> Json:
    """What Keras says of `model` after two steps: weights under `names`, slots of the optimizer, and what it predicts."""
    shapes = [(3, *one.shape[1:]) for one in model.inputs]
    inputs = [numbers(f"input {index}", shape) for index, shape in enumerate(shapes)]
    if getattr(model, "optimizer", None) is not None:
        targets = [numbers("target", (3, *one.shape[1:])) for one in model.outputs]
        for _ in range(2):
            model.train_on_batch(inputs if len(inputs) > 1 else inputs[0], targets if len(targets) > 1 else targets[0])
    return {**kept(model, names), **predicted(model, inputs), "loaded": loaded(model)}


def loaded(model: Any) -> Json:
    """What the framework has to say of the model once it was loaded from a file: every array in its own order."""
    optimizer = getattr(model, "optimizer", None)
    said: Json = {"weights": [spelled(array) for array in model.get_weights()]}
    if optimizer is not None:
        variables = optimizer.variables() if callable(optimizer.variables) else optimizer.variables
        said |= {"optimizer": type(optimizer).__name__, "variables": [spelled(np.asarray(one)) for one in variables]}
    return said


def predicted(model: Any, inputs: Sequence[Any]) -> Json:
    """What `model` predicts, by the names of its outputs."""
    yielded = model.predict_on_batch(list(inputs) if len(inputs) > 1 else inputs[0])
    arrays = yielded if isinstance(yielded, list) else [yielded]
    return {
        "inputs": [spelled(one) for one in inputs],
        "outputs": {name: spelled(np.asarray(one)) for name, one in zip(getattr(model, "output_names", [model.layers[-1].name]), arrays, strict=True)},
    }


def kept(model: Any, names: Sequence[str]) -> Json:
    """The weights of `model` under `names`, the order of ``get_weights()``, and the slots of its optimizer."""
    weights = dict(zip(names, model.get_weights(), strict=True))
    by_variable = {id(variable): name for variable, name in zip(model.weights, names, strict=True)}
    optimizer = getattr(model, "optimizer", None)
    state: dict[str, Json] = {}
    attributes = (("momentum", "_momentums"), ("momentum", "momentums"), ("velocity", "_velocities"), ("velocity_hat", "_velocity_hats"), ("average_gradient", "_average_gradients"))
    for slot, attribute in attributes:
        for variable, value in zip(model.trainable_variables, getattr(optimizer, attribute, None) or (), strict=False):
            state[f"optimizer.{slot}.{by_variable[id(variable)]}"] = spelled(np.asarray(value))
    step = int(np.asarray(optimizer.iterations)) if optimizer is not None else None
    return {"tensors": {name: spelled(array) for name, array in weights.items()}, "state": dict(sorted(state.items())), **({} if step is None else {"step": step})}


# --- models, for any Keras

GRAPH = ("shared.kernel", "shared.bias", "inner.inside.kernel", "inner.inside.bias", "out.kernel", "out.bias")
SEQUENCE = ("conv.kernel", "conv.bias", "norm.gamma", "norm.beta", "norm.moving_mean", "norm.moving_variance", "out.kernel", "out.bias")
SMALL = ("out.kernel", "out.bias")


def graph(k: Any) -> Any:
    """A layer that is called twice, and a model inside."""
    layers = k.layers
    first, second = layers.Input((2,), name="first"), layers.Input((2,), name="second")
    shared = layers.Dense(3, activation="relu", name="shared")
    inner = k.Sequential([layers.Input((3,), name="x"), layers.Dense(2, name="inside")], name="inner")
    both = layers.Concatenate(name="both")([inner(shared(first)), shared(second)])
    return k.Model([first, second], layers.Dense(1, name="out")(both), name="net")


def sequence(k: Any) -> Any:
    """One layer after the other: moving statistics between trained weights, and layers without weights."""
    layers = k.layers
    return k.Sequential(
        [
            layers.Input((3, 3, 1), name="image"), layers.Conv2D(2, 2, name="conv"), layers.BatchNormalization(name="norm"), layers.Flatten(name="flat"),
            layers.Dense(2, activation="softmax", name="out"),
        ],
        name="net",
    )


def small(k: Any) -> Any:
    """One layer."""
    return k.Sequential([k.layers.Input((3,), name="x"), k.layers.Dense(2, name="out")], name="net")


def hdf5_of(path: Path) -> Json:
    """What h5py sees in the file."""
    import h5py

    from triptych_conformance._inspect_h5py import look

    return look(h5py, {"path": str(path)})


