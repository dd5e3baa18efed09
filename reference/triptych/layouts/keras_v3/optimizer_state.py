"""The variables of an optimizer: a bare list in the file, whose order only the optimizer's kind and options tell.

First the step count, then the learning rate (Keras 3, unless a schedule yields it), moving averages, gradient accumulators, the slots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_v3.groups import Group
from triptych.layouts.keras_weights.optimizer import INTERLEAVED, STEP, Trained
from triptych.layouts.keras_weights.step_count import counted, scalar
from triptych.model import Component, Json, Progress, Tensor, Training, Weights

PATH = "optimizer"
LEARNING_RATE = "optimizer.learning_rate"
U_PRODUCT = "optimizer.u_product"
_ASKED_BY = {"velocity_hat": "amsgrad", "average_gradient": "centered"}
"""Slot -> the option without which there is none."""


def order(optimizer: Component, trained: Sequence[Trained], generation: Generation) -> list[str] | None:
    """What the variable at each index is: `STEP` or the name of a tensor of the state; None if no rule tells.

    Args:
        optimizer: Its kind and options.
        trained: The model's weights in the order of its layers.
        generation: Whose rule.
    """
    groups = INTERLEAVED.get(optimizer.type)
    if groups is None:
        return None
    config = optimizer.config
    found = [STEP]
    if generation >= (3,) and not isinstance(config.get("learning_rate"), Mapping):
        found.append(LEARNING_RATE)
    weights = [weight.tensor for weight in trained if weight.trainable]
    for option, slot in (("use_ema", "average"), ("gradient_accumulation_steps", "accumulated_gradient")):
        if config.get(option):
            found += [f"optimizer.{slot}.{name}" for name in weights]
    for group in groups:
        if _is_there(group[0], optimizer, generation):
            found += [f"optimizer.{slot}.{name}" for name in weights for slot in group]
    if optimizer.type == "Nadam" and generation >= (3,):
        found.append(U_PRODUCT)
    return found


def _is_there(slot: str, optimizer: Component, generation: Generation) -> bool:
    config: Mapping[str, Json] = optimizer.config
    if slot in _ASKED_BY:
        return bool(config.get(_ASKED_BY[slot]))
    if slot == "momentum" and optimizer.type in ("SGD", "RMSprop"):
        always = optimizer.type == "SGD" and generation < (3,)
        return always or bool(config.get("momentum"))
    return True


def with_variables(
    training: Training, group: Group, trained: Sequence[Trained], generation: Generation
) -> tuple[Training, str] | None:
    """`training` with the variables in `group` as state and progress, and the dtype of the step count; None if no rule fits them."""
    tensors = group.in_order()
    if training.optimizer is None or not tensors:
        return None
    # The first versions of Keras 3 keep slots of what is frozen, too.
    every = [replace(weight, trainable=True) for weight in trained]
    goals = _fitting(training.optimizer, tensors, trained, generation) or _fitting(training.optimizer, tensors, every, generation)
    if goals is None:
        return None
    step = counted(tensors[0])
    if step is None:
        return None
    state = dict(zip(goals[1:], tensors[1:], strict=True))
    kept = {**(training.state.tensors if training.state is not None else {}), **state}
    training = replace(training, progress=replace(training.progress or Progress(), step=step), state=Weights(kept) if kept else None)
    return training, tensors[0].dtype


def _fitting(optimizer: Component, tensors: Sequence[Tensor], trained: Sequence[Trained], generation: Generation) -> list[str] | None:
    """What each of `tensors` is; None where they are not what the optimizer keeps of `trained`."""
    goals = order(optimizer, trained, generation)
    shapes = {weight.tensor: weight.shape for weight in trained}
    if goals is not None and len(tensors) == 1 + (LEARNING_RATE in goals) < len(goals):
        goals = goals[: len(tensors)]  # an optimizer that has made no step yet
    if goals is None or len(goals) != len(tensors) or any(_shape(g, shapes) != t.shape for g, t in zip(goals, tensors, strict=True)):
        return None
    return goals


def _shape(goal: str, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...] | None:
    return () if goal in (STEP, LEARNING_RATE, U_PRODUCT) else shapes.get(goal.split(".", 2)[2])


def variables(
    training: Training, trained: Sequence[Trained], generation: Generation, step_dtype: str
) -> tuple[list[Tensor], list[str]]:
    """The variables of the optimizer of `training` as `generation` lists them, and a note of each thing among its state that is none.

    Keras takes all or nothing: where one is missing there are none, and a note says which.
    """
    state = {name: tensor for name, tensor in (training.state.tensors if training.state is not None else {}).items() if name.startswith("optimizer.")}
    step = training.progress.step if training.progress is not None else None
    optimizer = training.optimizer
    if optimizer is None or (step is None and not state):
        return [], [f"training state {name!r}: nothing says which optimizer it is of" for name in state]
    goals = order(optimizer, trained, generation)
    if goals is None:
        return [], [f"training state {name!r}: the order of the variables of {optimizer.type} is not known" for name in state]
    if LEARNING_RATE in goals and LEARNING_RATE not in state:
        state[LEARNING_RATE] = scalar(optimizer.config.get("learning_rate", 0.001), "float32")
    if LEARNING_RATE not in goals:
        state.pop(LEARNING_RATE, None)  # the configuration says it
    if step is not None and not state.keys() - {LEARNING_RATE}:
        goals = goals[: 1 + (LEARNING_RATE in goals)]
    missing = [goal for goal in goals if goal not in state and (goal != STEP or step is None)]
    if missing:
        return [], [f"the optimizer's state: {missing[0]!r} is missing, and Keras {generation.text} takes all of it or none"]
    found = [scalar(step, step_dtype) if goal == STEP else state.pop(goal) for goal in goals]
    return found, [f"training state {name!r}: {optimizer.type} has no such variable in Keras {generation.text}" for name in state]


__all__ = ["PATH", "order", "variables", "with_variables"]
