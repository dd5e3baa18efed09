"""Puts panels together into the value that a PyTorch file holds: as the file they came from had it, else as people write it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from triptych import vocabulary
from triptych.errors import TriptychError, shorten
from triptych.layouts.torch_pickle import flat_optimizer, plain
from triptych.layouts.torch_pickle.carried import KEY, to_carry
from triptych.layouts.torch_pickle.facts import facts_of
from triptych.layouts.torch_pickle.optimizer_kinds import KINDS, SHARED_SLOT, config_of, group_of, kind_of
from triptych.layouts.torch_pickle.pickling import Leaf
from triptych.layouts.torch_pickle.placement import may_be_trained
from triptych.layouts.torch_pickle.plain import LEFT_OUT, Path
from triptych.layouts.torch_pickle.values import Ordered
from triptych.model import Json, Panels, Progress, Tensor, Training, Weights


class Assembly:
    """The value of one file, and what of the panels is not in it."""

    def __init__(self, panels: Panels, *, by_name: bool = False) -> None:
        """`by_name` says that an optimizer which comes from elsewhere is to call its parameters by name, not by number."""
        self._panels = panels
        self._by_name = by_name
        self._facts = facts_of(panels.extensions)
        self._used: set[str] = set()
        self.notes: list[str] = []
        """Sentences about what is not written."""

    def value(self) -> Any:
        """The value."""
        panels = self._panels
        left = [("architecture", panels.architecture), ("assets", panels.assets), ("license", panels.license)]
        self.notes += [f"{name}: a PyTorch file holds weights and training alone" for name, panel in left if panel]
        if panels.training is None:
            return self._unspelled(self._facts.object or {"panel": "weights"})
        known = facts_of(panels.training.extensions)
        if known.object is None:
            return self._usual(panels.training)
        value = self._unspelled(known.object)
        unused = self._unused(panels.training)
        self.notes += [f"training state {shorten(name)}: nothing in the file that was read is this" for name in unused]
        for name in ("losses", "metrics"):
            if getattr(panels.training, name):
                self.notes.append(f"{name}: nothing in the file that was read is this")
        return value

    def _usual(self, training: Training) -> Any:
        """A training dictionary as most people write it, and under a key of our own what it cannot say."""
        progress = training.progress or Progress()
        said: list[Json] = [["model", {"panel": "weights"}], ["optimizer", {"panel": "optimizer"}]]
        said += [[name, {"progress": name}] for name in ("epoch", "step") if getattr(progress, name) is not None]
        value = self._unspelled({"dict": said})
        more = to_carry(training, self._unused(training), optimizer_is_written="optimizer" in value or training.optimizer is None)
        return value if more is None else {**value, KEY: more}

    def _unused(self, training: Training) -> dict[str, Tensor]:
        """The tensors of the state that no part of the value is."""
        state = training.state.tensors if training.state is not None else {}
        return {name: tensor for name, tensor in state.items() if name not in self._used}

    def _unspelled(self, data: Json) -> Any:
        value = plain.unspell(data, self._rest)
        return {} if value is LEFT_OUT else value

    def _rest(self, data: Mapping[str, Json], _: Path) -> Any:
        training = self._panels.training
        if data == {"panel": "weights"}:
            return LEFT_OUT if self._panels.weights is None else self._model(self._panels.weights)
        if data == {"panel": "optimizer"}:
            return LEFT_OUT if training is None else self._optimizer(training)
        if "progress" in data:
            count = getattr(training.progress, str(data["progress"]), None) if training is not None and training.progress else None
            return LEFT_OUT if count is None else count
        return self._state_leaf(data)

    def _state_leaf(self, data: Mapping[str, Json]) -> Any:
        state = self._panels.training.state if self._panels.training is not None else None
        name = data["tensor"]
        if state is None or name not in state:
            return LEFT_OUT
        self._used.add(name)
        return _leaf(state.tensors, data)

    # --- weights

    def _model(self, weights: Weights) -> Any:
        known = self._facts.weights
        if known is not None:
            names: list[str] = []

            def leaf(data: Mapping[str, Json], _: Path) -> Any:
                names.append(data["tensor"])
                return _leaf(weights.tensors, data)

            try:
                value = plain.unspell(known, leaf)
            except (TriptychError, KeyError):
                names = []
            if sorted(names) == sorted(weights):
                return value
        return Ordered((name, Leaf(weights.tensor(name), name=name)) for name in self._order(weights))

    def _order(self, weights: Weights) -> list[str]:
        """Names in the order of the architecture's layers, where there is one."""
        architecture = self._panels.architecture
        first = [slot.tensor for slot in vocabulary.weight_slots(architecture) if slot.tensor in weights] if architecture is not None else []
        return list(dict.fromkeys([*first, *weights]))

    # --- the optimizer

    def _optimizer(self, training: Training) -> Any:
        if training.optimizer is None:
            return LEFT_OUT
        known = facts_of(training.extensions).optimizer
        if known is None:
            return self._usual_optimizer(training)
        step = training.progress.step if training.progress else None

        def special(data: Mapping[str, Json], _: Path) -> Any:
            return _count(data["step"], step) if "step" in data else self._state_leaf(data)

        value = plain.unspell(known, special)
        self._take_config(training, value)
        return value

    def _take_config(self, training: Training, value: Any) -> None:
        """Write what the config says into the groups, where it has been changed since they were read."""
        optimizer = training.optimizer
        if optimizer is None or ":" in optimizer.type:
            return
        usual = flat_optimizer.nested(value) if flat_optimizer.is_flat(value) else value
        groups = usual["param_groups"]
        kind = kind_of(groups, frozenset(str(name) for one in usual["state"].values() for name in one))
        if kind is not None and kind.type == optimizer.type and config_of(kind, groups) == optimizer.config:
            return
        said = group_of(optimizer.type, optimizer.config)
        if said is None:
            self.notes.append(f"optimizer config: PyTorch has no {optimizer.type} that computes this; the hyperparameters are those of the file that was read")
            return
        if usual is not value:
            flat_optimizer.set_members(value, said)
            return
        for group in groups:
            group.update({name: one for name, one in said.items() if name in group and one is not None})

    def _usual_optimizer(self, training: Training) -> Any:
        """What ``state_dict()`` of PyTorch's optimizer would be."""
        optimizer, state = training.optimizer, training.state
        assert optimizer is not None
        group = group_of(optimizer.type, optimizer.config)
        if group is None or self._panels.weights is None:
            return LEFT_OUT
        kind = next(kind for kind in KINDS if kind.type == optimizer.type)
        step = training.progress.step if training.progress else None
        entries: dict[int | str, dict[str, Any]] = {}
        trained = self._trained(self._panels.weights)
        called: Sequence[int | str] = trained if self._by_name else range(len(trained))
        if self._panels.architecture is None and not self._by_name and len(trained) > 1 and list(trained) == sorted(trained):
            # So a package lists them; a module registers a weight before its bias.
            self.notes.append(
                f"order of the optimizer's parameters: an architecture would tell it; they are numbered by their names in order, {shorten(trained[0])} "
                "first: compare with your module's named_parameters()"
            )
        for key, weight in zip(called, trained, strict=True):
            slots = dict(self._slots(kind.slots, weight, state.tensors if state is not None else {}))
            if slots:
                entries[key] = ({"step": _count("float32", step or 0)} if kind.counts else {}) | slots
        return {"state": entries, "param_groups": [{**group, "params": list(called)}]}

    def _slots(self, slots: Mapping[str, str], weight: str, state: Mapping[str, Tensor]) -> Iterator[tuple[str, Leaf]]:
        for theirs, ours in slots.items():
            name = f"optimizer.{ours}" if ours == SHARED_SLOT else f"optimizer.{ours}.{weight}"
            if name in state:
                self._used.add(name)
                yield theirs, Leaf(state[name], name=name)

    def _trained(self, weights: Weights) -> Sequence[str]:
        """The weights that a PyTorch module with this state dictionary would have as parameters, in order."""
        architecture = self._panels.architecture
        if architecture is None:
            return [name for name in self._order(weights) if may_be_trained(name, weights.tensor(name).dtype)]
        return list(dict.fromkeys(slot.tensor for slot in vocabulary.weight_slots(architecture) if slot.trainable and slot.tensor in weights))


def _leaf(tensors: Mapping[str, Tensor], data: Mapping[str, Json]) -> Leaf:
    name = data["tensor"]
    return Leaf(tensors[name], data.get("requires_grad") is True, data.get("parameter") is True, data.get("same"), name)


def _count(dtype: Json, step: int | None) -> Any:
    """A step count of `dtype`, a tensor's or ``int`` or ``float``."""
    import numpy as np

    from triptych import dtypes

    number = step or 0
    if dtype in ("int", "float"):
        return number if dtype == "int" else float(number)
    return Leaf(Tensor.from_array(np.array(number, dtypes.numpy_dtype(dtype))), name="step")
