"""What a training panel says and PyTorch has no place for, under one key of the training dictionary that programs of PyTorch's pass over.

``triptych`` → ``training``, the training document as JSON, and ``state``, tensor by name: those that the optimizer's own dictionary has not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from triptych.errors import Findings, TriptychError
from triptych.layouts.torch_pickle.pickling import Leaf
from triptych.layouts.torch_pickle.values import StoredTensor
from triptych.limits import Limits
from triptych.model import Progress, Tensor, Training

KEY = "triptych"


@dataclass(frozen=True, slots=True)
class Carried:
    """A training panel found in a training dictionary."""

    training: Training
    state: Mapping[str, StoredTensor]


def to_carry(training: Training, state: Mapping[str, Tensor], *, optimizer_is_written: bool) -> dict[str, Any] | None:
    """What to write under `KEY`; None if the dictionary says all of it already.

    Args:
        training: The panel.
        state: Its tensors that are nowhere else in the dictionary.
        optimizer_is_written: Whether the dictionary has the optimizer as PyTorch's.
    """
    from triptych.documents import dump_json, training_to_data

    progress = training.progress or Progress()
    counts = Progress(step=progress.step, epoch=progress.epoch)
    said = Training(training.optimizer if optimizer_is_written else None, progress=None if counts == Progress() else counts)
    if not state and training_to_data(said) == training_to_data(replace(training, state=None)):
        return None
    return {"training": dump_json(training_to_data(training)), "state": {name: Leaf(tensor, name=name) for name, tensor in sorted(state.items())}}


def carried_in(root: Any, limits: Limits) -> Carried | None:
    """The training panel in the dictionary `root`; None where there is none, or where it is something else."""
    from triptych.documents import parse_json, parse_training

    found = root.get(KEY) if isinstance(root, dict) else None
    if not isinstance(found, dict) or not {"training"} <= found.keys() <= {"training", "state"} or not isinstance(found["training"], str):
        return None
    state = found.get("state", {})
    if not isinstance(state, dict) or not all(isinstance(name, str) and isinstance(one, StoredTensor) for name, one in state.items()):
        return None
    findings = Findings(member=KEY)
    try:
        data = parse_json(found["training"].encode("utf-8", "surrogatepass"), findings, limits=limits, size_limit=limits.training_bytes)
        training = parse_training(data, findings)
        findings.raise_if_any()
    except TriptychError:
        return None
    return Carried(training, state)
