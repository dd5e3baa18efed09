"""Weights without an architecture, for a model that has one: by object path, as Keras loads them, or by the names that the groups say."""

from __future__ import annotations

from triptych.layouts.keras_v3 import facts
from triptych.layouts.keras_v3.graph_order import in_keras_order
from triptych.layouts.keras_v3.groups import split_variable, variable_name
from triptych.layouts.keras_v3.object_paths import saved_objects
from triptych.layouts.keras_v3.reader import architecture_config
from triptych.model import Architecture, Panels, Tensor, Weights


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


__all__ = ["layers", "placed"]
