"""Sets the variables of a weights file to the weights that an architecture has, by object path, as Keras does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_v3.groups import VARS, Group, Groups, index_order
from triptych.layouts.keras_v3.object_paths import Saved, saved_objects
from triptych.layouts.keras_weights.assignment import Place
from triptych.layouts.keras_weights.lineage import with_weights
from triptych.layouts.keras_weights.optimizer import Trained
from triptych.layouts.problems import mismatch
from triptych.model import Architecture, Json, Tensor, WeightReference

STATE_ROOTS = frozenset({"optimizer", "metrics", "loss_tracker", "_metrics", "_loss_tracker", "_compile_metrics"})
"""First parts of paths that lead to no layer."""


@dataclass(slots=True)
class Placed:
    """What became of the variables."""

    architecture: Architecture
    """With what layers of unknown type were found to own."""
    saved: list[Saved]
    tensors: dict[str, Tensor] = field(default_factory=dict)
    trained: list[Trained] = field(default_factory=list)
    """The weights in the order in which Keras' optimizers have them."""
    left: dict[str, Group] = field(default_factory=dict)
    """Groups with variables that belong to no layer, by path."""
    public_names: bool = False
    """Whether attention's projections were found under the names that later versions use."""


def place(groups: Groups, model: Mapping[str, Json], architecture: Architecture, generation: Generation) -> Placed:
    """The variables in `groups` under the names that `architecture`, which the model object `model` describes too, has for them.

    Raises:
        InvalidModelError: An object has more or less variables than it needs, or one of another shape.
    """

    def holds(path: str) -> bool:
        return any(group.tensors for _, group in groups.below(path))

    twice = holds if groups.counts_twice else None
    saved = saved_objects(model, architecture, generation, twice=twice)
    listed = {one.owner.pointer: _unknown(one, groups) for one in saved if one.owner is not None}
    if any(listed.values()):
        architecture = with_weights(architecture, {pointer: found for pointer, found in listed.items() if found})
        saved = saved_objects(model, architecture, generation, twice=twice)
    placed = Placed(architecture, saved, left={path: group for path, group in groups.by_path.items() if group.tensors})
    for one in saved:
        if one.owner is not None:
            _take_unknown(one, groups, placed)
        else:
            _take(one, groups, placed)
    return placed


def _take(one: Saved, groups: Groups, placed: Placed) -> None:
    path = one.path
    if one.other is not None and not _holds(groups, path) and _holds(groups, one.other):
        path, placed.public_names = one.other, True
    group = placed.left.get(path)
    if not one.places:
        return
    found = group.tensors if group is not None else {}
    if found.keys() != {key for key, _ in one.keyed}:
        wanted = ", ".join(place.role for place in one.places)
        keys = sorted(found, key=index_order)
        listing = f"{len(keys)} variables ({', '.join(keys[:6])})" if keys else "none"
        raise mismatch(f"{path}/{VARS}", f"expected {len(one.places)} variables of {one.name!r} ({wanted}), the file holds {listing}")
    for key, place in one.keyed:
        tensor = found[key]
        _check_shape(f"{path}/{VARS}/{key}", place, tensor)
        if place.tensor not in placed.tensors:
            placed.trained.append(Trained(one.path, place.tensor, tensor.shape, place.trainable))
        placed.tensors[place.tensor] = tensor
    placed.left.pop(path, None)


def _holds(groups: Groups, path: str) -> bool:
    return path in groups.by_path and bool(groups.by_path[path].tensors)


def _check_shape(where: str, wanted: Place, tensor: Tensor) -> None:
    shape = wanted.shape
    if shape is not None and (
        len(shape) != len(tensor.shape) or any(n not in (None, m) for n, m in zip(shape, tensor.shape, strict=True))
    ):
        needed = ", ".join("?" if n is None else str(n) for n in shape)
        raise mismatch(where, f"expected shape ({needed}) for {wanted.role!r} of {wanted.owner.path!r}, got {tensor.shape}")


def _unknown(one: Saved, groups: Groups) -> dict[str, WeightReference]:
    """The weights of a layer of unknown type: its role for each is what leads to the variable from its own path."""
    assert one.owner is not None
    roles = sorted(f"{_join(below, VARS)}/{key}" for below, group in _theirs(one, groups) for key in group.tensors)
    return {role: WeightReference(_tensor(one, role)) for role in roles}


def _theirs(one: Saved, groups: Groups) -> Sequence[tuple[str, Group]]:
    return [
        (below, group)
        for below, group in groups.below(one.path)
        if group.tensors and not (one.path == "" and below.split("/")[0] in STATE_ROOTS)
    ]


def _take_unknown(one: Saved, groups: Groups, placed: Placed) -> None:
    for below, group in _theirs(one, groups):
        for key in sorted(group.tensors, key=index_order):
            name = _tensor(one, f"{_join(below, VARS)}/{key}")
            placed.tensors[name] = group.tensors[key]
            placed.trained.append(Trained(one.path, name, group.tensors[key].shape, trainable=True))
        placed.left.pop(_join(one.path, below) if below else one.path, None)


def _tensor(one: Saved, role: str) -> str:
    assert one.owner is not None
    return f"{one.owner.path}.{role}"


def _join(first: str, second: str) -> str:
    return f"{first}/{second}" if first else second


__all__ = ["STATE_ROOTS", "Placed", "place"]
