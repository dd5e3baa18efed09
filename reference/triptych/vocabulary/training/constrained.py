"""Which constraint the configs of an architecture's layers put on which weight."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from triptych.model import Architecture, Component, Json
from triptych.vocabulary.slots import WeightSlot, weight_slots

ENDING = "_constraint"


@dataclass(frozen=True, slots=True)
class Constrained:
    """What a stored weight is projected to."""

    constraint: Component
    axes: tuple[int, ...] | None
    """``axes[i]`` is the stored axis that holds canonical axis i; None: as stored."""


def constraints_of(architecture: Architecture) -> dict[str, Constrained]:
    """Tensor name -> what its layer's config says that it is projected to."""
    slots = weight_slots(architecture)
    roles: dict[str, set[str]] = {}
    for slot in slots:
        roles.setdefault(slot.pointer, set()).add(slot.role)
    return {slot.tensor: Constrained(Component(said["type"], said.get("config", {})), slot.axes) for slot in slots for said in _said(slot, roles[slot.pointer])}


def _said(slot: WeightSlot, roles: Collection[str]) -> Iterator[dict[str, Json]]:
    """The constraint on the weight in `slot`, of a layer with weights of `roles`; nothing where there is none."""
    for member, said in slot.layer.config.items():
        if member.endswith(ENDING) and isinstance(said, dict) and slot.role in speaks_of(slot.layer.type, member.removesuffix(ENDING), roles):
            yield said


def speaks_of(type_: str, subject: str, roles: Collection[str]) -> set[str]:
    """The roles that a member ``<subject>_constraint`` (``_regularizer``, ``_initializer``) speaks of."""
    if subject in roles:
        return {subject}
    if type_.startswith("DepthwiseConv"):
        return {"kernel"} if subject == "depthwise" else set()
    return {role for role in roles if role.startswith(f"{subject}_") or role.endswith(f"_{subject}")}
