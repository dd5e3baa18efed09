"""What each top-level layer of an architecture needs stored, and under which names Keras would store it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from triptych.layouts.keras_weights.assignment import Array, Place
from triptych.layouts.keras_weights.lineage import Owner, class_of, owners, weight_order
from triptych.layouts.keras_weights.names import default_name, parse, part_names
from triptych.layouts.problems import mismatch
from triptych.model import Architecture, WeightReference
from triptych.vocabulary import weight_slots

NON_TRAINABLE = frozenset({"moving_mean", "moving_variance", "mean", "variance", "count", "seed_generator_state", "vocabulary", "vector_u"})
"""Roles that Keras never trains, wherever a layer of unknown type has them."""


@dataclass(frozen=True, slots=True)
class TopLayer:
    """One layer of the architecture's own list, with all that is inside it."""

    name: str
    owners: tuple[Owner, ...]
    places: tuple[Place, ...]
    """In the order of ``get_weights()``."""

    @property
    def unknown(self) -> list[Owner]:
        """The layers inside it whose weights only the file knows."""
        return [owner for owner in self.owners if owner.is_extension and not owner.layer.weights]


def top_layers(architecture: Architecture) -> dict[str, TopLayer]:
    """Layer name -> the layer, for each layer of `architecture`."""
    everyone = [tuple(owners(layer, index)) for index, layer in enumerate(architecture.layers)]
    by_pointer = {owner.pointer: owner for group in everyone for owner in group}
    places: dict[str, list[Place]] = defaultdict(list)
    for pointer, slots in groupby(weight_slots(architecture), key=lambda slot: slot.pointer):
        owner = by_pointer[pointer]
        found = [Place(owner, slot.role, slot.tensor, slot.stored_shape, slot.trainable, slot.axes) for slot in slots]
        order = weight_order(owner.layer)
        if sorted(order) == sorted(place.role for place in found):
            found.sort(key=lambda place: order.index(place.role))
        places[owner.lineage[0]] += found
    return {group[0].layer.name: TopLayer(group[0].layer.name, group, tuple(places[group[0].layer.name])) for group in everyone}


def default_names(tops: Mapping[str, TopLayer], architecture: Architecture, dialect: str) -> dict[str, list[str]]:
    """Layer name -> the names under which Keras stores its weights, in the order of ``get_weights()``; `tops` are the `top_layers` of `architecture`."""
    prefix = (architecture.name,) if dialect == "keras3" and architecture.is_sequential and architecture.name else ()
    parts = part_names((owner.lineage, class_of(owner.layer)) for top in tops.values() for owner in top.owners)
    return {
        name: [
            "/".join([*prefix, default_name(place.owner.lineage, place.owner.layer.type, place.role, dialect=dialect, parts=parts)])
            for place in top.places
        ]
        for name, top in tops.items()
    }


def listed_weights(top: TopLayer, arrays: Sequence[Array]) -> dict[str, dict[str, WeightReference]]:
    """Pointer of each layer of unknown type in `top` -> the weights that the file holds for it, in stored order.

    Raises:
        InvalidModelError: Several such layers stand together and the names do not tell whose an array is.
    """
    unknown = top.unknown
    names = {owner.name: owner for owner in top.owners}
    alone = unknown[0] if len(unknown) == 1 else None
    theirs: dict[str, list[str]] = {owner.pointer: [] for owner in unknown}
    loose = [array for array in arrays if alone is not None and not top.places]
    if not loose:
        for array in arrays:
            scopes, _ = parse(array.name)
            owner = next((names[scope] for scope in reversed(scopes) if scope in names), None)
            if owner is None:
                loose.append(array)
            elif owner.pointer in theirs:
                theirs[owner.pointer].append(array.name)
            elif alone is not None and _inside(alone, owner):
                theirs[alone.pointer].append(array.name)
    if loose:
        if alone is None:
            raise mismatch(top.name, f"expected names that tell which layer of {len(unknown)} unknown ones owns {loose[0].name!r}")
        theirs[alone.pointer] += [array.name for array in loose[len(top.places) :] if top.places] or [array.name for array in loose]
    flags = {array.name: array.trainable for array in arrays}
    return {
        owner.pointer: {
            role: WeightReference(f"{owner.path}.{role}", trainable=_flag(role, flags[name], owner))
            for name, role in zip(theirs[owner.pointer], roles(theirs[owner.pointer], owner), strict=True)
        }
        for owner in unknown
    }


def _flag(role: str, trained: bool | None, owner: Owner) -> bool | None:  # noqa: FBT001 - as `Array` says it
    """What a reference has to say of a weight that its layer does not."""
    if trained is None or not owner.layer.trainable:
        return False if _last(role) in NON_TRAINABLE else None
    return None if trained else False


def roles(stored: Sequence[str], owner: Owner) -> list[str]:
    """A role for each of the weights of a layer of unknown type: the last word of its name, or as much of the name as makes it unique."""
    parsed = [parse(name) for name in stored]
    short = [role for _, role in parsed]
    if len(set(short)) == len(short):
        return short
    long = []
    for scopes, role in parsed:
        own = list(scopes)
        if owner.name in own:
            own = own[own.index(owner.name) + 1 :]
        long.append("_".join([*own, role]))
    seen: Mapping[str, list[int]] = defaultdict(list)
    for index, role in enumerate(long):
        seen[role].append(index)
    for role, indices in seen.items():
        for number, index in enumerate(indices[1:], start=2):
            long[index] = f"{role}_{number}"
    return long


def _last(role: str) -> str:
    return next((known for known in NON_TRAINABLE if role == known or role.endswith(f"_{known}")), role)


def _inside(outer: Owner, inner: Owner) -> bool:
    return inner.pointer.startswith(f"{outer.pointer}/")
