"""Weights without an architecture, for a model that has one: by object path, as Keras loads them, or by the names that the groups say."""

from __future__ import annotations

from dataclasses import replace

from triptych.layouts.keras_v3 import facts, optimizer_state
from triptych.layouts.keras_v3.graph_order import in_keras_order
from triptych.layouts.keras_v3.groups import Group, split_variable, variable_name
from triptych.layouts.keras_v3.object_paths import saved_objects
from triptych.layouts.keras_v3.reader import STATE, architecture_config
from triptych.layouts.keras_weights.optimizer import Trained
from triptych.model import Architecture, Panels, Tensor, Training, Weights


def layers(panels: Panels) -> list[tuple[str, list[str]]]:
    """Each object's name, or its path where the file names none, with its tensors; empty for panels from elsewhere."""
    known = facts.of_panels(panels)
    if known is None or not known.weights_only or panels.weights is None:
        return []
    found: dict[str, list[str]] = {}
    for name in panels.weights.tensors:
        path = (split_variable(name) or (name, ""))[0]
        found.setdefault(known.names.get(path, path), []).append(name)
    return list(found.items())


def placed(panels: Panels, architecture: Architecture) -> Weights | None:
    """The weights of `panels` under the names that `architecture` has for them, the rest as they are; None for panels from elsewhere."""
    known = facts.of_panels(panels)
    if known is None or not known.weights_only or panels.weights is None:
        return None
    left = dict(panels.weights.tensors)
    config, generation = architecture_config(architecture)
    found: dict[str, Tensor] = {}
    used: set[str] = set()
    for one in saved_objects(in_keras_order(config, architecture), architecture, generation):
        path = one.path
        if one.other is not None and variable_name(path, "0") not in left:
            path = one.other
        roles = one.owner.layer.weights if one.owner is not None else {}
        wanted = {variable_name(path, key): place.tensor for key, place in one.keyed}
        wanted |= {f"{path}/{role}" if path else role: reference.tensor for role, reference in roles.items()}
        for name, tensor in wanted.items():
            if name in left:
                found[tensor] = left[name]
                used.add(name)
    return Weights({**found, **{name: tensor for name, tensor in left.items() if name not in used}})


def resumed(training: Training, architecture: Architecture, weights: Weights) -> Training | None:
    """`training` with the optimizer's variables, which it keeps by their paths, as slots of `weights`; None where no rule fits them."""
    left = dict(training.state.tensors) if training.state is not None else {}
    group = Group()
    for name in list(left):
        path, key = (split_variable(name.removeprefix(STATE)) if name.startswith(STATE) else None) or ("", "")
        if path == optimizer_state.PATH:
            group.tensors[key] = left.pop(name)
    if not group.tensors:
        return None
    config, generation = architecture_config(architecture)
    trained: dict[str, Trained] = {}
    for one in saved_objects(in_keras_order(config, architecture), architecture, generation):
        for _, place in one.keyed:
            if place.axes is not None:
                return None
            trained.setdefault(place.tensor, Trained(one.path, place.tensor, weights.tensor(place.tensor).shape, place.trainable))
        for reference in one.owner.layer.weights.values() if one.owner is not None else ():
            trained.setdefault(reference.tensor, Trained(one.path, reference.tensor, weights.tensor(reference.tensor).shape, trainable=True))
    found = optimizer_state.with_variables(replace(training, state=Weights(left)), group, list(trained.values()), generation)
    return found[0] if found is not None else None


__all__ = ["layers", "placed", "resumed"]
