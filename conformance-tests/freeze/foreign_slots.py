"""Trained models of Keras 3 and tf-keras with each order of optimizer variables: archives, and weights by object path with slots beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from foreign_common import Json, built, row, trained

from triptych_conformance._spelling import spelled

HALF_FROZEN = ("still.kernel", "still.bias", "out.kernel", "out.bias")


def half_frozen(k: Any) -> Any:
    """A layer that is not trained, which has no slots, before one that is."""
    layers = k.layers
    return k.Sequential([layers.Input((3,), name="x"), layers.Dense(3, trainable=False, name="still"), layers.Dense(2, name="out")], name="net")


def with_slots(folder: Path, k: Any, optimizer: Callable[[Any], Any]) -> Json:
    """An archive of a model after two steps; what Keras says of it, and of weights by object path that it saved of the same model."""
    model = built(k, half_frozen)
    model.compile(optimizer(k), loss="mean_squared_error")
    facts = trained(model, HALF_FROZEN)
    model.save(folder / "model.keras", **({} if k.__name__ == "keras" else {"save_format": "keras"}))
    if hasattr(model.optimizer, "_u_product"):
        facts["state"]["optimizer.u_product"] = spelled(np.asarray(model.optimizer._u_product))  # noqa: SLF001 - it has no other name
    return {"writer": f"{k.__name__} {k.__version__}", **facts, "json": model.to_json()}


@row
def slots_sgd(folder: Path) -> Json:
    """Momentum."""
    import keras as k

    return with_slots(folder, k, lambda k: k.optimizers.SGD(0.25, momentum=0.5, nesterov=True))


@row
def slots_rmsprop(folder: Path) -> Json:
    """Three slots, one kind after the other."""
    import keras as k

    return with_slots(folder, k, lambda k: k.optimizers.RMSprop(0.25, momentum=0.5, centered=True))


@row
def slots_adam(folder: Path) -> Json:
    """Two slots in turns, then one kind."""
    import keras as k

    return with_slots(folder, k, lambda k: k.optimizers.Adam(0.25, amsgrad=True))


@row
def slots_adamw(folder: Path) -> Json:
    """Decay apart from the gradient."""
    import keras as k

    return with_slots(folder, k, lambda k: k.optimizers.AdamW(0.25, weight_decay=0.125))


@row
def slots_nadam(folder: Path) -> Json:
    """Slots in turns, and one number for all weights."""
    import keras as k

    return with_slots(folder, k, lambda k: k.optimizers.Nadam(0.25))


@row
def slots_keras2_adam(folder: Path) -> Json:
    """An archive of tf-keras, whose optimizer has no rate among its variables."""
    import tf_keras as k

    return with_slots(folder, k, lambda k: k.optimizers.Adam(0.25, amsgrad=True))
