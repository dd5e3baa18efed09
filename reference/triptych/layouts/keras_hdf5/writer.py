"""Writes panels as a Keras HDF5 file, with the groups, attributes and order that Keras itself writes."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from triptych.errors import shorten
from triptych.layouts import keras_config
from triptych.layouts.hdf5.writing import Copier, hdf5_file, stored_at
from triptych.layouts.keras_config.objectives import spelled_out
from triptych.layouts.keras_hdf5.attributes import write_names
from triptych.layouts.keras_hdf5.facts import Facts, of_panels, optimizer_names
from triptych.layouts.keras_weights.assignment import Place, keras_order
from triptych.layouts.keras_weights.fitting import filters_first, is_keras_1
from triptych.layouts.keras_weights.gates import slot_of, taken_apart
from triptych.layouts.keras_weights.names import configured_layers, tensors_of
from triptych.layouts.keras_weights.optimizer import OPAQUE, STEP, Trained, default_entries, legacy_entries
from triptych.layouts.keras_weights.places import default_names, top_layers
from triptych.layouts.keras_weights.recasting import recast_back
from triptych.layouts.keras_weights.renaming import without_slashes
from triptych.layouts.keras_weights.step_count import scalar
from triptych.layouts.keras_weights.storing import as_stored
from triptych.layouts.layout import Outline
from triptych.layouts.problems import inexpressible
from triptych.layouts.vocabularies import inlined
from triptych.model import Architecture, Json, Panels, Tensor, Training
from triptych.package.atomic import replace_file
from triptych.package.files import FileSystem

if TYPE_CHECKING:

    import h5py

Dialect = Literal["keras1", "keras2", "keras3"]
TOP_LEVEL = "top_level_model_weights"


@dataclass(slots=True)
class _Group:
    """What is to be stored for one top-level layer: names and tensors in stored order."""

    name: str
    names: Sequence[str]
    tensors: Sequence[Tensor]


def write(
    panels: Panels,
    path: str | os.PathLike[str],
    *,
    dialect: Dialect | None = None,
    weights_only: bool | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    overwrite: bool = True,
    fs: FileSystem | None = None,
) -> tuple[str, ...]:
    """Write `panels` at `path`, whole or not at all, tensor by tensor.

    Args:
        panels: What to write.
        path: Where to; a file that stands there is replaced when the new one is complete.
        dialect: Whose configuration and names: ``keras1``, ``keras2`` or ``keras3``; None: the source's, if it was a Keras file, else ``keras2``.
        weights_only: Whether to leave the configurations out, as ``save_weights`` does; None: if there is no architecture.
        progress: Called with bytes done, bytes in all and what is being written.
        overwrite: Whether what stands there may be replaced.
        fs: The file operations of the save.

    Returns:
        Sentences that name what the file does not hold.

    Raises:
        ConversionError: HDF5 or Keras has no place for something that cannot be left out.
        SaveError: The file system refused; what stood at `path` still does.
    """
    writing = _prepared(panels, dialect, weights_only=weights_only)
    fs = fs or FileSystem()
    size = sum(tensor.nbytes for _, tensor in writing.datasets())
    with replace_file(path, fs, size=size, overwrite=overwrite) as staged, hdf5_file(staged, fs) as file:
        writing.write(file, progress)
    return tuple(writing.notes)


def outline(panels: Panels, *, dialect: Dialect | None = None, weights_only: bool | None = None) -> Outline:
    """What `write` would store, and what it would leave."""
    writing = _prepared(panels, dialect, weights_only=weights_only)
    return Outline([stored_at(place, tensor) for place, tensor in writing.datasets()], tuple(writing.notes))


def _prepared(panels: Panels, dialect: Dialect | None, *, weights_only: bool | None) -> _Writing:
    panels = inlined(panels)
    facts = of_panels(panels)
    how = keras_config.written_generation(panels.architecture, dialect)
    generation = how.generation
    chosen = facts.dialect if facts is not None and (dialect is None or panels.architecture is None) else generation.dialect
    translated = panels.architecture is not None and not how.edits_apply
    if facts is not None and (chosen != facts.dialect or translated or (dialect is not None and facts.theano)):
        # Names, order and versions of another generation mean nothing here, nor do kernels that only Theano turns round.
        facts = None
    renamed: tuple[str, ...] = ()
    if chosen == "keras3" and facts is None:
        panels, renamed = without_slashes(panels)
    if weights_only is None:
        beside = facts is not None and bool(facts.layers) and not facts.weights_only
        weights_only = panels.architecture is None and not beside
    writing = _Writing(panels, facts, chosen, asked=dialect, version=generation.text, weights_only=weights_only)
    writing.notes += renamed
    writing.prepare()
    return writing


class _Writing:
    """One file to be written: everything is decided in `prepare`, so that `write` only copies."""

    def __init__(
        self, panels: Panels, facts: Facts | None, dialect: str, *, asked: str | None, version: str | None, weights_only: bool
    ) -> None:
        self.panels = panels
        self.known = facts is not None
        self.facts = facts or Facts(attributes={"keras_version": version or "2.10.0", "backend": "tensorflow"})
        self.dialect = dialect
        self.asked = asked
        self.weights_only = weights_only
        self.notes: list[str] = []
        self.model_config: Json = None
        self.training_config: Json = None
        self.groups: list[_Group] | None = None
        self.optimizer: list[tuple[str, Tensor]] | None = None
        self.trained: list[Trained] = []
        self.stored_forms: dict[str, Callable[[Tensor, bool], Tensor]] = {}
        """Tensor -> what makes of it, or of a slot of it (then called with True), what is stored."""

    def prepare(self) -> None:
        """Decide every group, name and order."""
        panels = self.panels
        order: list[str] = []
        if panels.architecture is not None:
            architecture, nested = keras_config.without_composites(panels.architecture)
            self.panels = panels = replace(panels, architecture=architecture)
            self.model_config, notes = keras_config.write_model_config(architecture, dialect=self.asked)
            order = configured_layers(self.model_config)
            if not self.weights_only:
                self.notes += (*nested, *notes)
            if panels.weights is not None:
                self.groups = self._of_architecture(architecture, order)
        elif panels.weights is not None:
            self.groups = self._of_names()
        elif panels.training is None:
            raise inexpressible("", "expected a model with an architecture or weights, this one has neither")
        if self.weights_only:
            self._note_left_out()
            return
        if panels.training is not None:
            self._prepare_training(panels.training)
        self.notes += [
            f"{name} of the package: Keras HDF5 has no place for it"
            for name in ("license", "provenance", "metadata")
            if getattr(panels, name)
        ]
        self.notes += [f"asset {name!r}: Keras HDF5 has no place for it" for name in panels.assets]
        self.notes += [f"{place} of the HDF5 file that was read" for place in self.facts.not_read]

    def _note_left_out(self) -> None:
        if self.groups is None:
            raise inexpressible("", "expected a model with weights, this one has none")
        if self.panels.training is not None:
            self.notes.append("training: a weights file has no place for it")

    # --- weights

    def _of_architecture(self, architecture: Architecture, order: list[str]) -> list[_Group]:
        assert self.panels.weights is not None
        tensors = self.panels.weights.tensors
        tops = top_layers(architecture)
        if self.facts.layer_names is not None and Counter(self.facts.layer_names) >= Counter(
            name for name, top in tops.items() if top.places
        ):
            order = list(self.facts.layer_names)
        defaults = default_names(tops, architecture, self.dialect)
        groups = []
        for name in order:
            top = tops.get(name)
            if top is None or not top.places:
                groups.append(_Group(name, (), ()))
                continue
            labels = list(self.facts.weight_names.get(name, ()))
            if len(labels) != len(top.places):
                labels = defaults[name]
            labels = _distinct(labels)
            sequence = list(self.facts.weight_order.get(name, ()))
            if sorted(sequence) != list(range(len(top.places))):
                sequence = keras_order(top.places)
            held = [self._stored(top.places[index], tensors) for index in sequence]
            names = [labels[index] for index in sequence]
            apart = taken_apart(
                self.facts.gates.get(name, ()), dict(zip(names, held, strict=True)), filters_first=filters_first(top)
            )
            groups.append(_Group(name, self.facts.gates[name], apart) if apart else _Group(name, names, held))
            self.trained += [
                Trained(labels[i], top.places[i].tensor, tensor.shape, top.places[i].trainable)
                for i, tensor in zip(sequence, held, strict=True)
            ]
        stored = set(order)
        if missing_layers := [name for name, top in tops.items() if top.places and name not in stored]:
            raise inexpressible(missing_layers[0], "expected the layer in the configuration that Keras reads, it is not there")
        needed = {place.tensor for top in tops.values() for place in top.places}
        self.notes += [f"tensor {name!r}: no layer owns it" for name in tensors if name not in needed]
        return groups

    def _stored(self, place: Place, tensors: Mapping[str, Tensor]) -> Tensor:
        """The tensor of one weight as Keras stores it: in canonical axis order, but for a Keras 1 file that goes back to what it was."""
        tensor = tensors.get(place.tensor)
        if tensor is None:
            raise inexpressible(place.owner.path, f"expected all weights of the layer, {shorten(place.tensor)} is missing")
        form = self.stored_forms[place.tensor] = self._stored_form(place)
        return form(tensor, False)

    def _stored_form(self, place: Place) -> Callable[[Tensor, bool], Tensor]:
        """What makes of a weight, or of a slot of it, what Keras stores."""
        steps = self.facts.recast.get(place.tensor) if self.known else None
        if steps:
            return lambda tensor, _: recast_back(tensor, steps)
        if self.known and is_keras_1(self.facts.attributes.get("keras_version")):
            return lambda tensor, _: tensor
        return lambda tensor, slot: as_stored(tensor, place, slot=slot)

    def _stored_slot(self, name: str, slot: Tensor) -> Tensor:
        """A tensor of the optimizer's state as Keras stores it: as the weight that it belongs to."""
        form = self.stored_forms.get(name.split(".", 2)[-1])
        return slot if form is None else form(slot, True)

    def _of_names(self) -> list[_Group]:
        """Layers of weights without an architecture: as the source file had them, or by what stands before a name's last dot."""
        assert self.panels.weights is not None
        left = dict(self.panels.weights.tensors)
        groups = []
        for (_, *stored), (layer, names) in zip(self.facts.layers, tensors_of(self.facts.layers), strict=True):
            there = [(label, left.pop(name, None)) for label, name in zip(stored, names, strict=True)]
            groups.append(_Group(layer, [label for label, tensor in there if tensor], [tensor for _, tensor in there if tensor]))
        if left:
            self.notes.append("the order of layers: no architecture says it, so that they stand in the order of their tensors")
        loose: dict[str, list[str]] = {}
        for name in left:
            loose.setdefault(name.rpartition(".")[0] or name, []).append(name)
        for layer, owned in loose.items():
            labels = [f"{layer}/{name.rpartition('.')[2]}" + ("" if self.dialect == "keras3" else ":0") for name in owned]
            groups.append(_Group(layer, _distinct(labels), [left[name] for name in owned]))
        return groups

    # --- training

    def _prepare_training(self, training: Training) -> None:
        self.training_config, notes = keras_config.write_training_config(
            training, self.panels.architecture, dialect=self.asked, wrapped=False
        )
        if self.asked == "keras3":
            said = ("loss", "metrics", "weighted_metrics")
            self.training_config |= {key: spelled_out(self.training_config[key]) for key in said if key in self.training_config}
        self.notes += notes
        state = dict(training.state.tensors) if training.state is not None else {}
        step = training.progress.step if training.progress is not None else None
        kind = training.optimizer.type if training.optimizer else None
        entries = optimizer_names(training) if self.known else None
        if entries is None or any(entry[1] != STEP and slot_of(state, entry[1]) is None for entry in entries):
            if step is None and state:
                step = 0
                self.notes.append("training: the source counted no steps, so that Keras counts from 0")
            if self._is_legacy(step):
                entries = legacy_entries(list(state), self.trained, kind)
            else:
                rate = training.optimizer.config.get("learning_rate") if training.optimizer else None
                if self.dialect == "keras3" and step is not None and isinstance(rate, int | float):
                    state.setdefault("optimizer.learning_rate", scalar(rate, "float32"))  # Keras 3 counts it among the optimizer's variables
                entries = default_entries(list(state), self.trained, kind, has_step=step is not None, dialect=self.dialect)
        written: list[tuple[str, Tensor]] = []
        left = dict(state)
        for name, tensor, *dtype in entries:
            if (slot := slot_of(state, tensor)) is not None:
                written.append((name, self._stored_slot(tensor, slot)))
                left.pop(tensor if tensor in state else tensor.rpartition("@")[0], None)
            elif step is not None:
                written.append((name, scalar(step, dtype[0] if dtype else "int64")))
        if written or (training.optimizer is not None and entries):
            # Layers of one name in two nested models: Keras goes by the order.
            self.optimizer = list(zip(_distinct([name for name, _ in written]), [tensor for _, tensor in written], strict=True))
        self.notes += [f"training state {name!r}: this optimizer has no such weight in Keras" for name in left if not _is_said(name, left[name], training)]
        if training.progress is not None:
            kept = training.progress
            lost = [word for word in ("epoch", "samples", "best") if getattr(kept, word)]
            lost += ["step"] if step is not None and STEP not in (entry[1] for entry in entries) else []
            self.notes += [f"training progress {word!r}: Keras HDF5 has no place for it" for word in lost]

    def _is_legacy(self, step: int | None) -> bool:
        """Whether Keras will make an optimizer as before TensorFlow 2.11 of what is written, with its order of variables."""
        said = self.training_config.get("optimizer_config") if isinstance(self.training_config, dict) else None
        name = said.get("class_name") if isinstance(said, dict) else None
        return step is not None and self.dialect == "keras2" and isinstance(name, str) and not name.startswith("Custom>")

    # --- the file

    def datasets(self) -> Iterator[tuple[str, Tensor]]:
        """Every tensor to be written, with its path in the file."""
        above = "" if self.weights_only else "model_weights/"
        for group in self.groups or ():
            for name, tensor in zip(group.names, group.tensors, strict=True):
                yield f"{above}{group.name}/{name}", tensor
        for name, tensor in self.optimizer or ():
            yield f"optimizer_weights/{name}", tensor

    def write(self, file: h5py.File, progress: Callable[[int, int, str], None] | None) -> None:
        """Write everything that `prepare` decided."""
        attributes = self.facts.attributes
        for name, value in attributes.items():
            # Keras encodes what it writes beside weights and passes the rest as it is: HDF5 tells the two apart.
            file.attrs[name] = value.encode() if self.weights_only and isinstance(value, str) else value
        copier = Copier(sum(tensor.nbytes for _, tensor in self.datasets()), progress)
        if not self.weights_only:
            if self.model_config is not None:
                file.attrs["model_config"] = _text(self.model_config)
            if self.training_config is not None:
                file.attrs["training_config"] = _text(self.training_config)
        if self.groups is not None:
            self._write_groups(file if self.weights_only else file.create_group("model_weights"), self.groups, attributes, copier)
        if self.optimizer is not None:
            group = file.create_group("optimizer_weights")
            write_names(group, "weight_names", [name for name, _ in self.optimizer], fixed=self.facts.fixed_width)
            for name, tensor in self.optimizer:
                copier.copy(group, name, tensor)

    def _write_groups(self, group: h5py.Group, groups: list[_Group], attributes: Mapping[str, Json], copier: Copier) -> None:
        if not self.weights_only:
            inner = self.facts.group_attributes
            if inner is None:
                inner = {name: value for name, value in attributes.items() if name in ("keras_version", "backend")}
            for name, value in inner.items():
                group.attrs[name] = value.encode() if isinstance(value, str) else value
        fixed = self.facts.fixed_width
        write_names(group, "layer_names", [g.name for g in groups if g.name != TOP_LEVEL], fixed=fixed)
        if self.facts.top_level and all(g.name != TOP_LEVEL for g in groups):
            groups = [*groups, _Group(TOP_LEVEL, (), ())]
        # Keras creates groups by name, so that "block" exists before "block/conv" needs it as a parent.
        for layer in sorted(groups, key=lambda g: g.name):
            part = group.require_group(layer.name)
            write_names(part, "weight_names", list(layer.names), fixed=fixed)
            for name, tensor in zip(layer.names, layer.tensors, strict=True):
                copier.copy(part, name, tensor)


def _is_said(name: str, value: Tensor, training: Training) -> bool:
    """Whether a part of an optimizer's state says nothing new: the rate that its configuration has, or a slot that is not used."""
    if value.size != 1:
        return False
    import numpy as np

    number = np.float32(value.array().reshape(-1)[0])
    rate = training.optimizer.config.get("learning_rate") if training.optimizer else None
    said = isinstance(rate, int | float) and np.float32(rate) == number
    return said if name == "optimizer.learning_rate" else name.startswith(OPAQUE) and value.shape == (1,) and number == 0


def _text(config: Json) -> bytes:
    return json.dumps(config).encode()


def _distinct(names: Sequence[str]) -> list[str]:
    """`names`, repeated ones with a counter before their ":0"."""
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        stem, colon, index = name.partition(":")
        result.append(name if seen[name] == 1 else f"{stem}_{seen[name] - 1}{colon}{index}")
    return result


__all__ = ["write"]
