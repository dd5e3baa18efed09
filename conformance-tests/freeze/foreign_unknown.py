"""Models with layers of somebody's own class, which only their files say anything of: beside layers that everybody knows, inside a model, and as the whole model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foreign_common import Json, exact, kept, row

ROLES = {
    "gate": ("scale", "moving_mean"), "pair": ("dense_kernel", "dense_bias", "dense_1_kernel", "dense_1_bias"), "out": ("kernel", "bias"), "inner.deep": ("scale", "moving_mean"),
    "inner.inside": ("kernel", "bias"), "inner.below": ("scale", "moving_mean"), "other.free": ("loose",), "other.within": ("kernel", "bias"),
    "two.upper": ("scale", "moving_mean"), "two.lower": ("scale", "moving_mean"), "twice": ("twin", "twin_2"),
}
"""Path of a layer -> the last words of the names of its weights; of two layers inside one, with the words before them."""
PATHS = {"scale": "vars/0", "moving_mean": "vars/1", "dense_kernel": "one/vars/0", "dense_bias": "one/vars/1", "dense_1_kernel": "two/vars/0", "dense_1_bias": "two/vars/1"}
"""The last words of the name of a weight of somebody's layer -> the path from the layer's object to it."""
OWN = ("gate", "pair", "inner.deep", "inner.below", "other.free", "two.upper", "two.lower", "twice")


def classes(k: Any) -> dict[str, Any]:
    """Classes of somebody's own, registered: a layer, one whose weights are those of layers inside it, one that makes a variable before it is built, one with two of one name, a model."""
    @k.saving.register_keras_serializable(package="Parts")
    class Gate(k.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer="ones")
            self.moving = self.add_weight(name="moving_mean", shape=(shape[-1],), initializer="zeros", trainable=False)
            super().build(shape)

        def call(self, x: Any) -> Any:
            return x * self.scale + self.moving

    @k.saving.register_keras_serializable(package="Parts")
    class _Pair(k.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.one, self.two = k.layers.Dense(2, name="dense"), k.layers.Dense(2, name="dense_1")
            super().build(shape)

        def call(self, x: Any) -> Any:
            return self.two(self.one(x))

    @k.saving.register_keras_serializable(package="Parts")
    class Free(k.layers.Layer):  # type: ignore[misc]
        def __init__(self, **more: Any) -> None:
            import tensorflow as tf

            super().__init__(**more)
            self.loose = tf.Variable([1.0, 1.0], name="loose")

        def get_config(self) -> Any:
            return {"name": self.name}

        def call(self, x: Any) -> Any:
            return x * self.loose

    @k.saving.register_keras_serializable(package="Parts")
    class Twice(k.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.first, self.second = (self.add_weight(name="twin", shape=(shape[-1],)) for _ in range(2))
            super().build(shape)

        def call(self, x: Any) -> Any:
            return x * self.first + self.second

    @k.saving.register_keras_serializable(package="Parts")
    class Own(k.Model):  # type: ignore[misc]
        def __init__(self, **more: Any) -> None:
            super().__init__(**more)
            self.first, self.gate = k.layers.Dense(2, name="first"), Gate(name="gate")

        def get_config(self) -> Any:
            return {"name": self.name}

        def call(self, x: Any) -> Any:
            return self.gate(self.first(x))

    return {"gate": Gate, "pair": _Pair, "free": Free, "twice": Twice, "own": Own}


def parts(k: Any, *, free: bool = False) -> tuple[Any, list[str]]:
    """A model with such layers, with `free` also one whose variable says nothing of it; the layers that have weights, in their order."""
    own = classes(k)
    k.backend.clear_session()
    layers = k.layers
    other = [k.Sequential([layers.Input((2,), name="z"), own["free"](name="free"), layers.Dense(2, name="within")], name="other")] if free else []
    model = k.Sequential([
        layers.Input((3,), name="x"), own["gate"](name="gate"), layers.Dense(2, name="out"), own["pair"](name="pair"),
        k.Sequential([layers.Input((2,), name="y"), own["gate"](name="deep"), layers.Dense(2, name="inside"), own["gate"](name="below")], name="inner"),
        k.Sequential([layers.Input((2,), name="w"), own["gate"](name="upper"), own["gate"](name="lower")], name="two"), *other,
    ], name="net")
    return model, ["gate", "out", "pair", "inner", "two", *(["other"] if free else [])]


def names_of(order: Sequence[str], *, by_path: bool) -> list[str]:
    """The names of the weights in the order of ``get_weights()``: of a model inside, what is not trained comes last where HDF5 has it so."""
    found = []
    for name in order:
        inside = [one for one in ROLES if one == name or one.startswith(f"{name}.")]
        found += [f"{one}.{role}" for one in inside for role in ROLES[one]]
    if by_path:
        return [f"{owner}.{PATHS[role]}" if owner in OWN else name for name in found for owner, _, role in [name.rpartition(".")]]
    return found


def known(model: Any, names: Sequence[str]) -> Json:
    """What Keras says of the weights of `model`, those of somebody's layers under `names`, and of the slots of its optimizer."""
    by_layer = [variable for layer in model.layers for variable in flat(layer)]
    assert len(by_layer) == len(names), (len(by_layer), len(names))
    position = {id(variable): name for variable, name in zip(by_layer, names, strict=True)}
    return kept(model, [position[id(variable)] for variable in model.weights])


def flat(layer: Any) -> list[Any]:
    """The variables of a layer, of a model inside layer by layer."""
    return [variable for one in layer.layers for variable in flat(one)] if hasattr(layer, "layers") else list(layer.weights)


def twice(k: Any) -> tuple[Any, list[str]]:
    """A small model with a layer two of whose weights have one name."""
    own = classes(k)
    k.backend.clear_session()
    model = k.Sequential([k.layers.Input((3,), name="x"), own["gate"](name="gate"), own["twice"](name="twice"), k.layers.Dense(2, name="out")], name="net")
    return model, ["gate", "twice", "out"]


def saved(folder: Path, k: Any, name: str, made: tuple[Any, list[str]], *, compiled: bool = False, **options: Any) -> Json:
    """The model that was `made`, saved under `name` with `options`, after two steps if it is `compiled`."""
    import numpy as np
    from common import numbers

    model, order = made
    exact(model)
    if compiled:
        model.compile(k.optimizers.Adam(0.25), loss="mse")
        for _ in range(2):
            model.train_on_batch(numbers("unknown x", (3, 3)), np.asarray(numbers("unknown y", (3, 2))))
    model.save(folder / name, **options)
    return {"writer": f"{k.__name__} {k.__version__}", **known(model, names_of(order, by_path=name.endswith(".keras")))}


@row
def unknown_hdf5_keras2(folder: Path) -> Json:
    """HDF5 of tf-keras."""
    import tf_keras as k

    return saved(folder, k, "model.h5", parts(k, free=True), compiled=True, save_format="h5")


@row
def unknown_hdf5_keras3(folder: Path) -> Json:
    """HDF5 of Keras 3."""
    import keras as k

    return saved(folder, k, "model.h5", parts(k))


@row
def unknown_archive_keras2(folder: Path) -> Json:
    """An archive of tf-keras, which calls private classes private."""
    import tf_keras as k

    return saved(folder, k, "model.keras", parts(k), save_format="keras")


@row
def unknown_archive_keras3(folder: Path) -> Json:
    """An archive of Keras 3."""
    import keras as k

    return saved(folder, k, "model.keras", parts(k))


@row
def unknown_saved_model(folder: Path) -> Json:
    """A SavedModel of tf-keras."""
    import tf_keras as k

    return saved(folder, k, "model", twice(k), compiled=True, save_format="tf")


def whole(folder: Path, k: Any, paths: Sequence[str], **options: Any) -> Json:
    """A model of somebody's own class, whose weights are at `paths` from it."""
    import numpy as np

    own = classes(k)["own"]
    k.backend.clear_session()
    model = own(name="net")
    model(np.ones((1, 3), "float32"))
    exact(model)
    model.save(folder / "model.keras", **options)
    return {"writer": f"{k.__name__} {k.__version__}", **kept(model, [f"net.{path}" for path in paths])}


@row
def unknown_whole_keras2(folder: Path) -> Json:
    """An archive of tf-keras."""
    import tf_keras as k

    return whole(folder, k, ("layers/dense/vars/0", "layers/dense/vars/1", "layers/gate/vars/0", "layers/gate/vars/1"), save_format="keras")


@row
def unknown_whole_keras3(folder: Path) -> Json:
    """An archive of Keras 3."""
    import keras as k

    return whole(folder, k, ("first/vars/0", "first/vars/1", "gate/vars/0", "gate/vars/1"))
