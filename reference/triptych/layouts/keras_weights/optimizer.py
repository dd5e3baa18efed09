"""Optimizer weights: from the flat list of each Keras generation to slots of named weights, and back.

The generations differ in names and in order: block after block or interleaved, with the weight's name or with a number. Names
decide where they tell; else the order does, if the shapes allow one reading of it; whatever stays open is kept as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from triptych.layouts.keras_weights.names import snake
from triptych.layouts.keras_weights.recasting import Step, shape_before

STEP = "progress.step"
"""What stands for a tensor's name where an array went into the step count."""
OPAQUE = "keras.optimizer_weights."
_COUNTER = re.compile(r":\d+$")
_PRODUCT = "variable"
"""Keras 3's name for the product of momenta that Nadam keeps; a number follows it, where there is one already."""
_STEPS = ("iteration", "iterations", "iter")
_SYNONYMS = {
    "m": "momentum", "v": "velocity", "vhat": "velocity_hat", "u": "norm", "rms": "velocity", "mg": "average_gradient",
    "accum_grad": "accumulated_grad", "accum_var": "accumulated_delta_var", "r": "row", "c": "column",
    "gradient_accumulator": "accumulated_gradient",
}  # fmt: skip
"""Keras 2's words for slots -> those of this specification, which are Keras 3's."""
INTERLEAVED: dict[str, tuple[tuple[str, ...], ...]] = {
    "Adam": (("momentum", "velocity"), ("velocity_hat",)),
    "AdamW": (("momentum", "velocity"), ("velocity_hat",)),
    "Nadam": (("momentum", "velocity"),),
    "Adamax": (("momentum", "norm"),),
    "Lamb": (("momentum", "velocity"),),
    "Adadelta": (("accumulated_grad", "accumulated_delta_var"),),
    "Ftrl": (("accumulator", "linear"),),
    "SGD": (("momentum",),),
    "Lion": (("momentum",),),
    "Adagrad": (("accumulator",),),
    "RMSprop": (("velocity",), ("momentum",), ("average_gradient",)),
}
"""Optimizer -> groups of slots: groups one after the other, slots of a group in turn for each weight (since TensorFlow 2.11)."""
_KERAS_2_WORDS = {
    "Adam": {"momentum": "m", "velocity": "v", "velocity_hat": "vhat"},
    "AdamW": {"momentum": "m", "velocity": "v", "velocity_hat": "vhat"},
    "Nadam": {"momentum": "m", "velocity": "v"},
    "Adamax": {"momentum": "m", "norm": "u"},
    "SGD": {"momentum": "m"},
    "Lion": {"momentum": "m"},
}
_BLOCKS = {
    "Adam": ("momentum", "velocity", "velocity_hat"), "Nadam": ("momentum", "velocity"), "Adamax": ("momentum", "norm"),
    "SGD": ("momentum",), "RMSprop": ("velocity", "momentum", "average_gradient"), "Adagrad": ("accumulator",),
    "Adadelta": ("accumulated_grad", "accumulated_delta_var"),
}  # fmt: skip
"""Optimizer -> slots in the order of their blocks, one block of all weights each (until TensorFlow 2.10)."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A weight that an optimizer may have slots for."""

    label: str
    """The name under which Keras stores it."""
    tensor: str
    shape: tuple[int, ...]
    trainable: bool
    steps: Sequence[Step] = ()
    """What was done to the stored array, and is done to its slots."""
    path: str | None = None
    """Another name that optimizers may have made theirs of: that of Keras 3's own rule, in versions whose `label` is a role alone."""

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """The shape of the array before `steps`, which its slots have too."""
        return shape_before(self.shape, self.steps)

    @property
    def bare(self) -> str:
        """`label` without the counter."""
        return _COUNTER.sub("", self.label)


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored array of the optimizer."""

    name: str
    shape: tuple[int, ...]


def targets(entries: Sequence[Entry], weights: Sequence[Trained], optimizer: str | None, *, sorted_names: bool) -> list[str]:
    """For each of `entries`, in stored order, the name of the tensor that is to hold it, or `STEP`.

    Args:
        entries: The arrays.
        weights: Those of the model, in the order in which Keras lists them.
        optimizer: The optimizer's type; None if nothing says it.
        sorted_names: Whether the weights went by their names, as before Keras 2.0.6.
    """
    kind = (optimizer or "").split(":")[-1].split(">")[-1]
    labels = _Labels(weights)
    found: list[str | None] = [_by_name(entry, kind, labels) for entry in entries]
    if sorted_names and entries and found[0] is None and entries[0].shape == () and entries[0].name.startswith("Variable"):
        found[0] = STEP
    open_indices = [index for index, target in enumerate(found) if target is None]
    trainable = [w for w in weights if w.trainable]
    if sorted_names:
        trainable.sort(key=lambda w: w.label)
    if open_indices and trainable:
        for index, target in zip(open_indices, _by_position([entries[i] for i in open_indices], trainable, kind), strict=True):
            found[index] = target
    taken: set[str] = set()
    result = []
    for index, target in enumerate(found):
        name = f"{OPAQUE}{index}" if target is None or target in taken else target
        taken.add(name)
        result.append(name)
    return result


class _Labels:
    """The model's weights by the names that optimizers make of theirs; a name that two weights share means neither."""

    def __init__(self, weights: Sequence[Trained]) -> None:
        self.by_path: dict[str, Trained | None] = {}
        self.by_words: dict[str, Trained | None] = {}
        for weight in weights:
            for path in {weight.bare, weight.path or weight.bare}:
                words = path.replace("/", "_")
                self.by_path[path] = None if path in self.by_path else weight
                self.by_words[words] = None if words in self.by_words else weight


def _by_name(entry: Entry, kind: str, labels: _Labels) -> str | None:
    words = _COUNTER.sub("", entry.name).split("/")
    if entry.shape == () and re.sub(r"_\d+$", "", words[-1]) in _STEPS:
        return STEP
    if entry.shape == () and words[-1] in ("learning_rate", "momentum_cache"):
        return f"optimizer.{words[-1]}"
    if entry.shape == () and kind == "Nadam" and re.fullmatch(rf"{_PRODUCT}(_\d+)?", words[-1]):
        return "optimizer.u_product"
    for slot, path in ((words[1:2], words[2:]), (words[-1:], words[1:-1]), (words[-1:], words[2:-1])):
        weight = labels.by_path.get("/".join(path)) if slot and path else None
        if weight is not None:
            return _slot(slot[0], weight, entry, kind)
    if len(words) <= 2:
        parts = words[-1].split("_")
        for cut in range(len(parts) - 1, 0, -1):
            weight = labels.by_words.get("_".join(parts[:cut]))
            if weight is not None:
                return _slot("_".join(parts[cut:]), weight, entry, kind)
    return None


def neutral(word: str, kind: str) -> str:
    """The name of the slot that an optimizer of type `kind` calls `word`."""
    return "norm" if kind == "Adamax" and word == "v" else _SYNONYMS.get(word, word)


def _slot(word: str, weight: Trained, entry: Entry, kind: str) -> str | None:
    slot = neutral(word, kind)
    if entry.shape != weight.stored_shape or not re.fullmatch(r"[a-z][a-z0-9_]*", slot):
        return None
    return f"optimizer.{slot}.{weight.tensor}"


def _by_position(entries: Sequence[Entry], weights: Sequence[Trained], kind: str) -> list[str | None]:
    """Targets by order alone: blocks of all weights, each block one slot; None throughout if the shapes do not bear it out."""
    nothing: list[str | None] = [None] * len(entries)
    count = len(weights)
    blocks = len(entries) // count
    slots = _BLOCKS.get(kind, ())
    result = list(nothing)
    for block in range(min(blocks, len(slots))):
        part = entries[block * count : (block + 1) * count]
        if any(entry.shape != weight.stored_shape for entry, weight in zip(part, weights, strict=True)):
            break  # such as the (1,) that Keras 2.3 stores for a slot that is not used
        for offset, weight in enumerate(weights):
            result[block * count + offset] = f"optimizer.{slots[block]}.{weight.tensor}"
    return result if len(entries) % count == 0 else nothing


_LEGACY_WORDS = {
    "momentum": "m", "velocity": "v", "velocity_hat": "vhat", "norm": "v", "accumulated_grad": "accum_grad",
    "accumulated_delta_var": "accum_var", "average_gradient": "mg",
}  # fmt: skip
_LEGACY_OWN = {"RMSprop": {"velocity": "rms", "momentum": "momentum"}, "SGD": {"momentum": "momentum"}}


def legacy_entries(state: Sequence[str], weights: Sequence[Trained], optimizer: str | None) -> list[list[str]]:
    """What `default_entries` yields, as the optimizers of TensorFlow 2.0 to 2.10 store `state`: slot after slot, each for all weights."""
    kind = (optimizer or "").split(":")[-1].split(">")[-1]
    there = set(state)
    entries = [[f"{kind}/iter:0", STEP]]
    if "optimizer.momentum_cache" in there:
        entries.append([f"{kind}/momentum_cache:0", "optimizer.momentum_cache"])
    words = {**_LEGACY_WORDS, **_LEGACY_OWN.get(kind, {})}
    groups = [(slot,) for slot in _BLOCKS.get(kind, ())] or INTERLEAVED.get(kind, ())
    for group in groups:
        pairs = [(weight, slot) for weight in weights for slot in group]
        for weight, slot in pairs:
            tensor = f"optimizer.{slot}.{weight.tensor}"
            if tensor in there:
                entries.append([f"{kind}/{weight.bare}/{words.get(slot, slot)}:0", tensor])
    return entries


def default_entries(
    state: Sequence[str], weights: Sequence[Trained], optimizer: str | None, *, has_step: bool, dialect: str
) -> list[list[str]]:
    """The stored name and the tensor of each optimizer weight, in order, as tf-keras 2.11 and later or Keras 3 would store `state`.

    Args:
        state: Names of the state's tensors.
        weights: Those of the model, in the order in which Keras lists them.
        optimizer: The optimizer's type.
        has_step: Whether a step count is known.
        dialect: ``keras2`` or ``keras3``.
    """
    kind = (optimizer or "").split(":")[-1].split(">")[-1]
    there = set(state)
    entries: list[list[str]] = []
    snaked = snake(kind) or "optimizer"
    if has_step:
        entries.append([f"{snaked}/iteration" if dialect == "keras3" else "iteration:0", STEP])
    if dialect == "keras3" and "optimizer.learning_rate" in there:
        entries.append([f"{snaked}/learning_rate", "optimizer.learning_rate"])
    words = {"accumulated_gradient": "gradient_accumulator", **(_KERAS_2_WORDS.get(kind, {}) if dialect != "keras3" else {})}
    for group in (("average",), ("accumulated_gradient",), *INTERLEAVED.get(kind, ())):
        for weight in weights:
            for slot in group:
                tensor = f"optimizer.{slot}.{weight.tensor}"
                if tensor not in there:
                    continue
                if dialect == "keras3":
                    name = f"{snaked}/{weight.bare.replace('/', '_')}_{words.get(slot, slot)}"
                else:
                    name = f"{kind}/{words.get(slot, slot)}/{weight.bare}:0"
                entries.append([name, tensor])
    if dialect == "keras3" and kind == "Nadam" and "optimizer.u_product" in there:
        entries.append([f"{snaked}/{_PRODUCT}", "optimizer.u_product"])
    return entries
