"""Which layers of a model, or of a file that holds nothing but weights, own which weights, in an order or told by their roles."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from triptych.layouts import keras_config
from triptych.layouts.keras_weights.lineage import with_weights
from triptych.layouts.keras_weights.places import NON_TRAINABLE
from triptych.model import Architecture, Tensor, WeightReference, Weights
from triptych.vocabulary import weight_slots


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight of one side, with the tensor that holds it (None on a side that has no weights yet)."""

    tensor_name: str
    tensor: Tensor | None
    shape: tuple[int | None, ...] | None
    axes: tuple[int, ...] | None = None
    dtype: str | None = None
    within: str = ""
    """What its canonical name says after the layer's."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A top-level layer that owns weights."""

    name: str
    weights: tuple[Weight, ...]
    known_as: str = ""
    """What Keras calls it, where several layers have one name."""
    unordered: bool = False
    """Whether its weights have no order but are told by their roles: those of an extension type."""


Layers = Sequence[tuple[str, Sequence[str]]]
"""Each layer's name with the names of its tensors."""


def owners(
    architecture: Architecture | None, weights: Weights | None, layers: Layers = (), among: Collection[str] = ()
) -> tuple[Owner, ...]:
    """The layers that own weights, in order: of the architecture, else as `layers` says, else by what a tensor's name begins with.

    That is one of the names in `among`, the longest that there is, or else what stands before its first dot.
    """
    tensors: Mapping[str, Tensor] = weights.tensors if weights is not None else {}
    grouped: dict[str, list[Weight]] = {}
    if architecture is None:
        known = {name: layer for layer, names in layers for name in names if name in tensors}
        for name in (*known, *(tensors.keys() - known.keys() if known else tensors)):
            tensor = tensors[name]
            layer = known.get(name) or _beginning(name, among)
            within = name.removeprefix(f"{layer}.")
            grouped.setdefault(layer, []).append(Weight(name, tensor, tensor.shape, within=within))
        return tuple(Owner(name, tuple(found), known_as=name) for name, found in grouped.items())
    named = {layer.name: layer for layer in architecture.layers}
    for slot in weight_slots(architecture):
        layer = architecture.layers[int(slot.pointer.split("/")[2])].name
        within = f"{slot.path}.{slot.role}".removeprefix(f"{layer}.")
        grouped.setdefault(layer, []).append(
            Weight(slot.tensor, tensors.get(slot.tensor), slot.shape, slot.axes, slot.dtype, within)
        )
    return tuple(
        Owner(name, tuple(found), known_as=keras_config.name_of(named[name]), unordered=":" in named[name].type)
        for name, found in grouped.items()
    )


def _beginning(tensor: str, among: Collection[str]) -> str:
    parts = tensor.split(".")
    starts = (".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1))
    return next((start for start in starts if start in among), parts[0])


def adopting(architecture: Architecture, source: Sequence[Owner]) -> Architecture:
    """`architecture` with weights for its layers of extension types that list none: those that a layer of the same name in `source` has.

    Nothing but a file says what weights such a layer owns.
    """
    giving = {owner.name: owner for owner in source}
    listed: dict[str, dict[str, WeightReference]] = {}
    for index, layer in enumerate(architecture.layers):
        if ":" in layer.type and not layer.weights and layer.name in giving:
            roles = sorted(_roles(giving[layer.name]))  # the order that a document keeps
            listed[f"/layers/{index}"] = {
                role: WeightReference(f"{layer.name}.{role}", trainable=False if role in NON_TRAINABLE else None) for role in roles
            }
    return with_weights(architecture, listed)


def _roles(owner: Owner) -> list[str]:
    """A role for each weight of a layer of an extension type: the last word of its name, or all words where that is not unique."""
    words = [weight.within.split(".") for weight in owner.weights]
    last = [word[-1] for word in words]
    return last if len(set(last)) == len(last) else ["_".join(word) for word in words]


def by_role(here: Owner, there: Owner) -> Owner:
    """`there` with its weights in the order of those of `here`, which their names tell; for where nothing else does."""
    keys = _roles(there) if here.unordered else [weight.within for weight in there.weights]
    found = dict(zip(keys, there.weights, strict=True))
    ordered = [found.pop(weight.within, Weight("", None, None)) for weight in here.weights]
    return replace(there, weights=(*ordered, *found.values()))
