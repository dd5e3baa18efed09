"""Variables that are neither weights nor an optimizer's: sums of metrics, generators of random numbers, whatever a class of somebody's keeps."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from triptych.layouts.saved_model.keras_objects import KerasObjects
from triptych.layouts.saved_model.variables import Variables
from triptych.model import Tensor

_METRICS = ("keras_api", "metrics")
_GENERATORS = frozenset({"_random_generator", "_generator", "_rng", "_state_var", "seed_generator"})


def other_state(keras: KerasObjects, variables: Variables, placed: Collection[int]) -> dict[str, Tensor]:
    """What is left of the readable variables, as tensors of the training's state.

    ``metrics.NAME.VARIABLE`` for the sums of a metric, ``random.PLACE`` for a generator of random numbers, ``keras.PLACE`` for the rest.
    """
    objects, left = variables.objects, set(variables.left)
    found: dict[str, Tensor] = {}
    for number, way in objects.walk():
        key = objects.keys.get(number)
        if key not in left or number in placed or not variables.is_readable(key):
            continue
        name = _name(way, keras, variables)
        found[name if name not in found else f"{name}_{number}"] = variables.tensor(number)
        left.discard(key)
    return found


def _name(way: Sequence[str], keras: KerasObjects, variables: Variables) -> str:
    if tuple(way[:2]) == _METRICS and len(way) > 2:
        metric = variables.objects.at(0, *way[:3])
        said = keras.name(metric) if metric is not None else None
        return ".".join(("metrics", said or f"metric_{way[2]}", *way[3:]))
    start = "random" if not _GENERATORS.isdisjoint(way) else "keras"
    return ".".join((start, *way))


__all__ = ["other_state"]
