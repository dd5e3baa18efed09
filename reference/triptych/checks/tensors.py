"""Which tensors an architecture takes its weights from: each weight its own, unless sharing is said (chapter 20)."""

from __future__ import annotations

from collections.abc import Iterable

from triptych.checks.registry import Found, check
from triptych.errors import shorten
from triptych.vocabulary import WeightSlot


@check("ARC-018", "tensors")
def canonical_names_do_not_collide(slots: Iterable[WeightSlot]) -> Found:
    """Two weights share a tensor only where one of them names it."""
    owners: dict[str, WeightSlot] = {}
    for slot in slots:
        if slot.role in slot.layer.weights:
            continue
        first = owners.setdefault(slot.tensor, slot)
        if first is not slot:
            message = f"expected a tensor of its own for {slot.role}, got {shorten(slot.tensor)}, which {shorten(first.path)} owns as {first.role}"
            yield slot.place, message
