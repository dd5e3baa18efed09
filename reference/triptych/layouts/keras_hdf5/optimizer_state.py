"""Puts the optimizer weights of a file into a training panel: slots as state, the step count as progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from triptych.layouts.keras_hdf5.facts import with_optimizer_names
from triptych.layouts.keras_weights.gates import slots_joined
from triptych.layouts.keras_weights.optimizer import OPAQUE, STEP, Entry, Trained, default_entries, targets
from triptych.layouts.keras_weights.recasting import recast
from triptych.layouts.keras_weights.step_count import counted
from triptych.model import Progress, Tensor, Training, Weights


def with_optimizer_weights(
    training: Training, names: Sequence[str], tensors: Sequence[Tensor], trained: Sequence[Trained], dialect: str, *, sorted_names: bool
) -> Training:
    """`training` with the stored arrays `tensors`, called `names`, of its optimizer.

    Names are kept in the extensions where Keras' own rule for `dialect` would not yield them again.

    Args:
        training: What the configuration says.
        names: As stored, in order.
        tensors: One for each.
        trained: The model's weights in the order in which Keras lists them.
        dialect: ``keras1``, ``keras2`` or ``keras3``.
        sorted_names: Whether the optimizer took the weights in the order of their names.
    """
    kind = training.optimizer.type if training.optimizer else None
    entries = [Entry(name, tensor.shape) for name, tensor in zip(names, tensors, strict=True)]
    step: int | None = None
    pairs: list[list[str]] = []
    state: dict[str, Tensor] = {}
    goals = targets(entries, trained, kind, sorted_names=sorted_names)
    steps = {one.tensor: one.steps for one in trained}
    for index, (name, tensor, goal) in enumerate(zip(names, tensors, goals, strict=True)):
        pair = [name, goal]
        if goal == STEP:
            step = counted(tensor)
            if step is None:
                pair = [name, f"{OPAQUE}{index}"]
            elif tensor.dtype != "int64":
                pair.append(tensor.dtype)
        if pair[1] != STEP:
            state[pair[1]] = recast(tensor, steps.get(pair[1].split(".", 2)[-1], ()))
        pairs.append(pair)
    state = slots_joined(state)
    if pairs != default_entries(list(state), trained, kind, has_step=step is not None, dialect=dialect):
        training = with_optimizer_names(training, pairs)
    if step is not None:
        training = replace(training, progress=replace(training.progress or Progress(), step=step))
    return replace(training, state=Weights(state)) if state else training
