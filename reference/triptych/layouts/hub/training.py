"""The training that lies beside a hub folder's weights, in this format's documents and under the names that they have in a package.

Programs of the hubs pass over them, as they do over the files of their own trainers: optimizer state has no place in the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from triptych.errors import Findings, TriptychError
from triptych.layouts.hub.folder import Folder
from triptych.limits import Limits
from triptych.model import Tensor, Training, Weights
from triptych.package.safetensors_file import Plan, plan

DOCUMENT = "training.json"
STATE = "training.safetensors"
SECTIONS = {"training": DOCUMENT, "training_state": STATE}


def document_of(training: Training) -> bytes:
    """The document that says how to train."""
    from triptych.documents import dump_json, training_to_data

    return dump_json(training_to_data(training)).encode()


def state_of(training: Training) -> Plan | None:
    """The file of the optimizer's state; None if there is none."""
    return None if training.state is None else plan(training.state.tensors)


def training_in(folder: Folder, state: Mapping[str, Tensor] | None, limits: Limits) -> Training | None:
    """The training in `folder` with `state`; None where there is none, or a file of the same name that somebody else wrote."""
    from triptych.documents import parse_json, parse_training

    if DOCUMENT not in folder.assets or folder.file(DOCUMENT).stat().st_size > limits.training_bytes:
        return None
    findings = Findings(member=DOCUMENT)
    try:
        data = parse_json(folder.file(DOCUMENT).read_bytes(), findings, limits=limits)
        if not isinstance(data, dict) or "format_version" not in data:
            return None
        training = parse_training(data, findings)
        findings.raise_if_any()
    except TriptychError:
        return None
    return training if state is None else replace(training, state=Weights(state))
