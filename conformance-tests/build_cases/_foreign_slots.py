"""Cases of optimizers' variables in archives of Keras and in weights by object path, which Keras itself loads."""

from __future__ import annotations

from collections.abc import Iterable

import _foreign_models as models
from _foreign import Frozen, Place, loads, read
from kit import Case

HALF_FROZEN = {**models.SMALL, "layers": [{**models.dense("still", 3), "trainable": False}, models.dense("out", 2)]}
TRAININGS = {
    "sgd": ("SGD", models.training("SGD", 2, learning_rate=0.25, momentum=0.5, nesterov=True)),
    "rmsprop": ("RMSprop", models.training("RMSprop", 2, learning_rate=0.25, rho=0.9, momentum=0.5, epsilon=1e-07, centered=True)),
    "adam": ("Adam", models.training("Adam", 2, learning_rate=0.25, **models.ADAM, amsgrad=True)),
    "adamw": ("AdamW", models.training("AdamW", 2, learning_rate=0.25, **models.ADAM, weight_decay=0.125)),
    "nadam": ("Nadam", models.training("Nadam", 2, learning_rate=0.25, **models.ADAM)),
}
"""Word -> the optimizer and its training."""
MADE = {
    "sgd": {"momentum": 0.5, "nesterov": True}, "rmsprop": {"momentum": 0.5, "centered": True}, "adam": {"amsgrad": True}, "adamw": {"weight_decay": 0.125}, "nadam": {},
}
"""Word -> what Keras is told to make the same optimizer."""


def cases() -> Iterable[Case]:
    archive, weights = Place("keras-archive", "model.keras", generation="keras3", reader="keras"), Place("keras-weights", "model.weights.h5", generation="keras3", reader="keras", loses=True)
    for word, (kind, training) in TRAININGS.items():
        of = Frozen(f"slots-{word}", HALF_FROZEN, training)
        yield read(f"cnv-022-slots-{word}", f"The variables of {kind} by their index in an archive", of=of, place=Place("keras-archive", "model.keras"))
        yield loads(f"cnv-011-archive-{word}", f"Keras 3 loads an archive with {kind} where it was", of=of, place=archive)
        made = {"optimizer": {"nadam": "Nadam"}.get(word, kind), "learning_rate": 0.25, **MADE[word]}
        yield loads(f"cnv-011-weights-{word}", f"Keras 3 loads weights into a model compiled with {kind}", of=of, place=weights, cites=["CNV-008"], **{
            "as": "weights", "json": of.facts["json"], "compile": made})
    older = Frozen("slots-keras2-adam", HALF_FROZEN, TRAININGS["adam"][1])
    yield read("cnv-022-slots-keras2", "The variables of Adam by their index in an archive of tf-keras", of=older, place=Place("keras-archive", "model.keras"))
