"""The state of a Keras optimizer in a SavedModel: slots by the variable that they belong to, the step count as progress.

Until TensorFlow 2.10 the graph of objects says of each slot whose it is and which. From 2.11 on an optimizer holds a list for each slot,
one variable for each that it trains, and their names say both; where two of the model's variables have one name, the place in the list tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from triptych.layouts.keras_weights.optimizer import OPAQUE, Trained, neutral
from triptych.layouts.keras_weights.step_count import counted
from triptych.layouts.saved_model.variables import Variables
from triptych.model import Json, Progress, Tensor, Training, Weights

_INNER = ("base_optimizer", "_optimizer", "inner_optimizer")
"""The attributes by which an optimizer that scales losses holds the one that it wraps."""
_STEPS = ("iter", "_iterations")
_DERIVED = frozenset({"current_learning_rate"})
"""What follows from the configuration and the step count."""
_UNSAID: Mapping[str, Json] = {"decay": 0.0}
"""Hyperparameter -> its value where a configuration does not say it."""
_ALIASES = {"m_cache": "momentum_cache"}


def with_optimizer(
    training: Training | None, number: int, trained: Sequence[Trained], of_variable: Mapping[int, str], variables: Variables
) -> Training:
    """`training` with the state that the optimizer at object `number` holds.

    Args:
        training: What the configuration says; None if it says nothing.
        number: The object.
        trained: The weights in the order in which optimizers list them.
        of_variable: The tensor that each variable of the model is.
        variables: All that is stored.
    """
    training = training or Training()
    kind, config = _kind(training)
    step, state = training.progress.step if training.progress is not None else None, dict[str, Tensor]()
    for name, one in _named(number, trained, of_variable, variables, kind):
        if not variables.has(one) or not variables.is_readable(variables.objects.keys[one]):
            continue
        tensor = variables.tensor(one)
        if name in _STEPS and (found := counted(tensor)) is not None:
            step = found
        elif name.startswith(("optimizer.", OPAQUE)):
            state[name if name not in state else f"{OPAQUE}{len(state)}"] = tensor
        elif name not in _DERIVED and not _is_said(tensor, config.get(name, _UNSAID.get(name))):
            state[f"optimizer.{_ALIASES.get(name, name)}"] = tensor
    if step is not None:
        training = replace(training, progress=replace(training.progress or Progress(), step=step))
    return replace(training, state=Weights(state)) if state else training


def _kind(training: Training) -> tuple[str, Mapping[str, Json]]:
    """The class of the optimizer that has the slots, and its configuration."""
    if training.optimizer is None:
        return "", {}
    kind, config = training.optimizer.type, training.optimizer.config
    inner = config.get("inner_optimizer", config.get("optimizer"))
    if isinstance(inner, Mapping) and isinstance(inner.get("config"), Mapping):
        kind, config = str(inner.get("class_name")), inner["config"]
    if "momentum_decay" in config:
        config = {"decay": config["momentum_decay"], **config}  # what Nadam called so
    return kind.split(":")[-1].split(">")[-1], config


def _named(
    number: int, trained: Sequence[Trained], of_variable: Mapping[int, str], variables: Variables, kind: str
) -> Iterator[tuple[str, int]]:
    """Each variable of an optimizer and those that it wraps, under the name of its tensor or of a hyperparameter."""
    objects = variables.objects
    pending, seen = [number], set[int]()
    while pending:
        here = pending.pop()
        if here in seen:
            continue
        seen.add(here)
        one = objects.all[here]
        for name, child in one.children.items():
            if objects.all[child].kind == "variable":
                yield (name if name in _STEPS else name.lstrip("_")), child
            elif name in (*_INNER, "loss_scale"):
                pending.append(child)
        for slot in one.slots:
            if slot.variable in of_variable:
                yield f"optimizer.{neutral(slot.name, kind)}.{of_variable[slot.variable]}", slot.node
        yield from _of_lists(here, trained, variables, kind)


def _of_lists(number: int, trained: Sequence[Trained], variables: Variables, kind: str) -> Iterator[tuple[str, int]]:
    objects = variables.objects
    listed = objects.listed(objects.at(number, "_variables"))
    if not listed:
        return
    direct = set(objects.all[number].children.values())
    mine = [weight for weight in trained if weight.trainable]
    index = {
        child: place
        for name in objects.all[number].children
        if name != "_variables" and len(found := objects.listed(objects.at(number, name))) == len(mine)
        for place, child in enumerate(found)
    }
    by_label = Counter(weight.bare for weight in trained)
    labelled = {weight.bare: weight for weight in trained}
    for place, child in enumerate(listed):
        if child in direct:
            continue
        words = objects.all[child].name.split("/")
        slot, path = neutral(words[1] if len(words) > 2 else "", kind), "/".join(words[2:])
        weight = labelled.get(path) if by_label[path] == 1 else mine[index[child]] if child in index else None
        fits = weight is not None and variables.has(child) and weight.shape == variables.shape(child)
        yield (f"optimizer.{slot}.{weight.tensor}" if weight is not None and fits and slot else f"{OPAQUE}{place}"), child


def _is_said(tensor: Tensor, value: Json) -> bool:
    """Whether a scalar has the value that the configuration says, within its precision."""
    import numpy as np

    if tensor.shape != () or isinstance(value, bool) or not isinstance(value, int | float):
        return False
    number = tensor.array()[()]
    return bool(np.asarray(value, number.dtype) == number)


__all__ = ["with_optimizer"]
