"""Which tensors of a checkpoint without an object graph are an optimizer's, as far as their names leave no doubt.

TensorFlow 1 calls a slot as its variable, a slash and the optimizer: ``dense/kernel/Adam`` and ``dense/kernel/Adam_1``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from triptych.layouts.keras_weights.optimizer import STEP

_SLOTS: dict[str, tuple[str, str]] = {
    "Adam": ("momentum", "Adam_1"), "Adam_1": ("velocity", "Adam"), "adam_m": ("momentum", "adam_v"), "adam_v": ("velocity", "adam_m"),
    "RMSProp": ("velocity", "RMSProp_1"), "RMSProp_1": ("momentum", "RMSProp"), "Ftrl": ("accumulator", "Ftrl_1"), "Ftrl_1": ("linear", "Ftrl"),
    "Adadelta": ("accumulated_grad", "Adadelta_1"), "Adadelta_1": ("accumulated_delta_var", "Adadelta"),
    "Momentum": ("momentum", ""), "Adagrad": ("accumulator", ""), "ExponentialMovingAverage": ("average", ""),
}  # fmt: skip
"""Last word of a name -> the slot, and the word of the one that comes with it."""
_POWERS = re.compile(r"beta[12]_power(_\d+)?")
_STEPS = ("global_step",)


def state_of(names: Mapping[str, str], shape_of: Callable[[str], tuple[int, ...]]) -> Iterator[tuple[str, str]]:
    """Each key that surely stands for no weight, with the name of the tensor that is to hold it, or `STEP`.

    Args:
        names: Key -> the tensor's name if it is a weight.
        shape_of: Called with a key.
    """
    adam = False
    for key in names:
        variable, _, word = key.rpartition("/")
        slot, partner = _SLOTS.get(word, ("", ""))
        if slot and variable in names and shape_of(variable) == shape_of(key) and (not partner or f"{variable}/{partner}" in names):
            adam = adam or word == "Adam"
            yield key, f"optimizer.{slot}.{names[variable]}"
    for key in names:
        word = key.rpartition("/")[2]
        if shape_of(key) == () and word in _STEPS:
            yield key, STEP
        elif adam and shape_of(key) == () and _POWERS.fullmatch(word):
            yield key, f"optimizer.{word}"


__all__ = ["state_of"]
