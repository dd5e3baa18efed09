"""An optimizer's state dictionary as a component, slots of named weights and a step count; what is in doubt stays as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.layouts.torch_pickle import flat_optimizer, plain
from triptych.layouts.torch_pickle.optimizer_kinds import SHARED_SLOT, Kind, config_of, kind_of
from triptych.layouts.torch_pickle.placement import Candidate, Key, Shape, placed
from triptych.layouts.torch_pickle.plain import Path
from triptych.layouts.torch_pickle.values import StoredTensor
from triptych.model import Component, Json

_SLOT = re.compile(r"[a-z][a-z0-9_]*")
Value = Callable[[StoredTensor], float | None]
"""Called with a tensor of one element: what it is."""
Keep = Callable[[StoredTensor, str], Json]
"""Called with a tensor and the name it is to have in the training state: how it is spelled."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was made of an optimizer."""

    optimizer: Component
    step: int | None
    spelled: Json


@dataclass(frozen=True, slots=True)
class _Reading:
    """One optimizer's state dictionary while it is read."""

    state: dict[Any, Any]
    groups: list[dict[str, Any]]
    kind: Kind | None
    names: dict[Key, str] | None
    """What the optimizer calls it -> weight."""
    shapes: dict[Key, Shape]
    step: int | None
    shared: bool
    """Whether the slot that this specification has once is the same for all weights."""
    keep: Keep
    path: Path

    def special(self, value: Any, path: Path) -> Json | None:
        """How `value` at `path` below the dictionary is spelled, if not by the rule."""
        below = path[len(self.path) :]
        if len(below) == 1:
            below = flat_optimizer.split(below[0])
        at_state = len(below) == 3 and below[0] == "state"
        if at_state and below[2] == "step" and self.step is not None:
            return {"step": value.dtype} if isinstance(value, StoredTensor) else {"step": type(value).__name__}
        if not isinstance(value, StoredTensor):
            return None
        name = self._slot_name(below[1], below[2], value) if at_state else None
        return self.keep(value, name or f"torch.{plain.joined(path)}")

    def _slot_name(self, number: Any, slot: Any, value: StoredTensor) -> str | None:
        weight = (self.names or {}).get(number)
        if weight is None or not isinstance(slot, str) or not _SLOT.fullmatch(slot):
            return None
        neutral = self.kind.slots.get(slot, slot) if self.kind else slot
        if neutral == SHARED_SLOT:
            return f"optimizer.{SHARED_SLOT}" if self.shared else None
        return f"optimizer.{neutral}.{weight}" if value.shape == self.shapes.get(number) or slot == "step" else None


def read_optimizer(value: Any, path: Path, candidates: Sequence[Candidate], number_of: Value, keep: Keep) -> Read:
    """The optimizer whose ``state_dict()`` is `value`, at `path` of the file's value.

    Its type is one of the specification's only where its members leave no doubt, one config says all its groups, every slot is of a
    known weight, and all weights were updated equally often; then the state means what the specification says it means.

    Args:
        value: The dictionary.
        path: Where it is.
        candidates: The weights that may have slots, in order.
        number_of: Reads a tensor of one element.
        keep: Puts a tensor into the training state.
    """
    usual = flat_optimizer.nested(value) if flat_optimizer.is_flat(value) else value
    state, groups = usual["state"], usual["param_groups"]
    entries = {number: slots for number, slots in state.items() if isinstance(slots, dict)}
    slots = frozenset(str(name) for one in entries.values() for name in one)
    kind = kind_of(groups, slots)
    shapes = {number: shape for number, one in entries.items() if (shape := _shape_of(one)) is not None}
    numbers = [group["params"] for group in groups]
    if any(isinstance(key, str) for group in numbers for key in group):
        names = _known(numbers, shapes, candidates)
    else:
        names = _named(groups, shapes, candidates) or placed(numbers, shapes, candidates)
    step, even = _steps(list(entries.values()), number_of)
    config = config_of(kind, groups) if kind is not None else None
    shared = _same_everywhere([one["mu_product"] for one in entries.values() if "mu_product" in one], number_of)
    known = names is not None and len(entries) == len(state) and all(number in names for number in entries) and even and shared
    exact = known and config is not None and (kind is None or not kind.counts or not entries or step is not None)
    type_ = "torch:Optimizer" if kind is None else kind.type if exact else f"torch:{kind.type}"
    reading = _Reading(state, groups, kind, names, shapes, step if kind is not None else None, shared, keep, path)
    spelled = plain.spell(value, reading.special, path)
    return Read(Component(type_, config or {} if exact else {}), reading.step, spelled)


def _shape_of(slots: dict[Any, Any]) -> Shape | None:
    """The shape of the weight that has `slots`, where all that are no scalars agree."""
    tensors = {name: item.shape for name, item in slots.items() if isinstance(item, StoredTensor) and name not in ("step", "mu_product")}
    shapes = set(tensors.values())
    if len(shapes) > 1:
        shapes.discard(())
    return shapes.pop() if len(shapes) == 1 else None


def _known(keys: Sequence[Sequence[Key]], shapes: dict[Key, Shape], candidates: Sequence[Candidate]) -> dict[Key, str] | None:
    """The names themselves, where the optimizer calls its parameters by them."""
    known = {one.name: one.shape for one in candidates}
    found: dict[Key, str] = {key: key for group in keys for key in group if isinstance(key, str)}
    good = all(name in known and shapes.get(name, known[name]) == known[name] for name in found.values())
    return found if good and found and len(found) == sum(map(len, keys)) else None


def _named(groups: Sequence[dict[str, Any]], shapes: dict[Key, Shape], candidates: Sequence[Candidate]) -> dict[Key, str] | None:
    """Number -> weight, where the optimizer was given the names itself."""
    known = {one.name: one.shape for one in candidates}
    found: dict[Key, str] = {}
    for group in groups:
        names = group.get("param_names")
        if not isinstance(names, list) or len(names) != len(group["params"]):
            return None
        found.update(zip(group["params"], names, strict=True))
    good = all(isinstance(name, str) and name in known and shapes.get(number, known[name]) == known[name] for number, name in found.items())
    return found if good and len(set(found.values())) == len(found) else None


def _steps(entries: Sequence[dict[Any, Any]], number_of: Value) -> tuple[int | None, bool]:
    """The step count that all weights have, and whether they have the same or none."""
    found: set[float | None] = set()
    for one in entries:
        value = one.get("step")
        found.add(number_of(value) if isinstance(value, StoredTensor) else value if type(value) in (int, float) else None)
    if not found or found == {None}:
        return None, True
    count = found.pop()
    if found or count is None or count != int(count) or not 0 <= count < 2**53:
        return None, False
    return int(count), True


def _same_everywhere(values: Sequence[Any], number_of: Value) -> bool:
    return len({number_of(one) if isinstance(one, StoredTensor) else id(one) for one in values}) <= 1
