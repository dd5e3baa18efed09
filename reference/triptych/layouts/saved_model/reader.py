"""Reads a SavedModel directory into panels: what Keras says of it, its variables where they lie, signatures; its graph is looked through.

The graph is a program and is not kept: of a Keras model it says nothing that the configuration does not. Operations of it that reach
outside are named.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from triptych.errors import shorten
from triptych.layouts import keras_config
from triptych.layouts.keras_weights.optimizer import Trained
from triptych.layouts.problems import unsupported
from triptych.layouts.saved_model import constants as frozen
from triptych.layouts.saved_model.bare import bare_weights, goes_by_objects
from triptych.layouts.saved_model.documents import FILES, read_documents
from triptych.layouts.saved_model.facts import Facts, to_panels
from triptych.layouts.saved_model.folder import ASSETS, BINARY, FINGERPRINT, METADATA, TEXT, VARIABLES, Folder, scan
from triptych.layouts.saved_model.keras_model import Placed, model_config, place_weights, trained_of
from triptych.layouts.saved_model.keras_objects import read_keras_objects
from triptych.layouts.saved_model.lookups import Lookups
from triptych.layouts.saved_model.meta_graph import MetaGraph, chosen, signature_data
from triptych.layouts.saved_model.nodes import Node, leading_to
from triptych.layouts.saved_model.objects import read_objects
from triptych.layouts.saved_model.operations import Survey, survey
from triptych.layouts.saved_model.optimizer_state import with_optimizer
from triptych.layouts.saved_model.other_state import other_state
from triptych.layouts.saved_model.variables import Variables, read_variables
from triptych.layouts.tensorflow import messages
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Architecture, Json, Panels, Tensor, Training, Weights
from triptych.package.names import member_name_fault

_NAMED = 5
"""How many things of one kind a note names."""
_EXTRA = "assets.extra/"
"""Files that TensorFlow keeps and does not look at."""


def read(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS, allow_code: bool = False) -> Panels:
    """The panels of the SavedModel directory at `path`; tensors are read when they are used, and nothing of its graph is run.

    Args:
        path: The directory.
        limits: What the reader may spend.
        allow_code: Whether to carry the bytecode of lambda layers, as inert data that nothing here runs.

    Raises:
        InvalidModelError: A file is damaged, or variables do not fit the model's own architecture.
        UnsupportedError: A file is a link, or a limit is exceeded.
        OSError: A file cannot be read.
    """
    folder = scan(Path(path), limits)
    place, data = folder.message(limits)
    graph, others = chosen(data, place, limits)
    _check_fingerprint(folder)
    return _Reading(folder, graph, limits, allow_code=allow_code).panels(others)


class _Reading:
    """One pass over one directory."""

    def __init__(self, folder: Folder, graph: MetaGraph, limits: Limits, *, allow_code: bool) -> None:
        self.folder = folder
        self.graph = graph
        self.limits = limits
        self.allow_code = allow_code
        objects = read_objects(graph.objects, graph.place, limits)
        self.keras = read_keras_objects(folder, objects, limits)
        self.variables = read_variables(folder, objects, limits)
        self.said = self.keras.of(0)
        self.version = _text(self.said.get("keras_version"))
        self.facts = Facts(signature_data(graph.signatures), graph.tags, graph.version)

    def panels(self, others: Sequence[Sequence[str]]) -> Panels:
        """Everything; `others` are the tags of graphs that are not read."""
        facts, tags = self.facts, ", ".join(self.graph.tags)
        facts.other_tags = others
        facts.left_out += [f"the graph tagged {', '.join(one) or 'with nothing'}: one is read, that tagged {tags}" for one in others]
        config = model_config(self.said)
        found = survey(self.graph.graph, self.graph.saver, self.graph.place, constants=config is None)
        facts.operations = found.data()
        ours = read_documents(self.folder, self.variables, self.limits) if config is None else None
        if ours is not None:
            panels = ours
        elif config is None:
            panels = self._without_architecture(found.constants)
        else:
            lookups = Lookups(self.folder, self.graph, self.keras, self.variables, self.limits)
            panels = self._keras_model(lookups.filled(config))
        facts.left_out += _of_graph(found) + _of_checkpoint(self.variables)
        return to_panels(replace(panels, assets={**panels.assets, **_assets(self.folder, facts)}), facts)

    def _keras_model(self, config: Mapping[str, Json]) -> Panels:
        backend, class_name = _text(self.said.get("backend")), _text(self.said.get("class_name"))
        architecture = keras_config.read_model_config(config, keras_version=self.version, backend=backend, allow_code=self.allow_code)
        if class_name is not None and class_name != config["class_name"]:
            self.facts.left_out.append(f"the class {shorten(class_name)} of the model: it is read as the graph of layers that it is made of")
        placed = place_weights(architecture, 0, self.keras, self.variables) if self.variables.keys else Placed(architecture)
        training = self._training(placed.architecture, placed.trained, placed.of_variable)
        weights = Weights(placed.tensors) if self.variables.keys else None
        return Panels(architecture=placed.architecture, weights=weights, training=training, name=architecture.name)

    def _without_architecture(self, in_graph: Sequence[Node]) -> Panels:
        if self.said:
            class_name = shorten(self.said.get("class_name"))
            self.facts.left_out.append(f"the architecture: what a model of the class {class_name} computes stands in its code; its weights are read")
        else:
            self.facts.left_out.append("the architecture: there is a graph of operations, and no layers; its weights are read")
        panels = self.variables.as_checkpoint(self.limits) if goes_by_objects(self.variables) else self._bare()
        constants, filled = frozen.weights_among(self._used(in_graph), self.graph.place, self.limits)
        self.facts.left_out += [frozen.filled_note(filled)] if filled else []
        tensors = dict(panels.weights.tensors) if panels.weights is not None else {}
        held = dict(frozen.named(constants, tensors))
        self.facts.constants = list(held)
        return replace(panels, weights=Weights({**tensors, **held}))

    def _bare(self) -> Panels:
        """The variables of a Keras model whose layers are known, or of an export."""
        bare = bare_weights(self.keras, self.variables)
        self.facts.layers, self.facts.classes = bare.layers, bare.classes
        training = None
        if self.variables.objects.all[0].is_keras:
            objects = self.variables.objects
            trained = list(trained_of(bare.tensors, bare.of_variable, objects.listed(objects.at(0, "trainable_variables")), self.variables))
            training = self._training(None, trained, bare.of_variable)
        for key in self.variables.left:
            if self.variables.is_readable(key):
                # No object leads to it: the key is its name.
                bare.tensors[key if key not in bare.tensors else f"{key}_"] = self.variables.take(key)
        return Panels(weights=Weights(bare.tensors), training=_with_state(training, bare.state))

    def _used(self, in_graph: Sequence[Node]) -> list[Node]:
        """The constants that signatures use, in a graph of TensorFlow 1, where others are what variables begin with; all in others."""
        outputs = [info.name.partition(":")[0] for one in self.graph.signatures.values() for info in one.outputs.values()]
        if len(self.graph.objects) or not outputs or not in_graph:
            return list(in_graph)
        used = leading_to(self.graph.graph, outputs, self.graph.place)
        return [node for node in in_graph if node.function or node.name in used]

    def _training(self, architecture: Architecture | None, trained: Sequence[Trained], of_variable: Mapping[int, str]) -> Training | None:
        """How the model was compiled, the state of its optimizer, and whatever else it keeps beside its weights."""
        compiled, training = self.said.get("training_config"), None
        if isinstance(compiled, dict):
            training = keras_config.read_training_config(compiled, architecture, keras_version=self.version, allow_code=self.allow_code)
        optimizer = self.variables.objects.at(0, "optimizer")
        if optimizer is not None:
            training = with_optimizer(training, optimizer, trained, of_variable, self.variables)
        return _with_state(training, other_state(self.keras, self.variables, of_variable))


def _with_state(training: Training | None, state: Mapping[str, Tensor]) -> Training | None:
    if not state:
        return training
    training = training or Training()
    held = dict(training.state.tensors) if training.state is not None else {}
    return replace(training, state=Weights({**held, **state}))


def _of_graph(found: Survey) -> list[str]:
    """Sentences about the graph, which no panel holds."""
    notes = [f"the graph of operations ({found.count:,} nodes, {len(found.functions):,} functions), of which nothing is run"]
    for entry in found.data():
        paths = [shorten(path) for path in entry["nodes"][:_NAMED]]
        more = f" and {entry['count'] - len(paths)} more" if entry["count"] > len(paths) else ""
        notes.append(f"operation {entry['op']}, which {entry['effect']}: {', '.join(paths)}{more}")
    return notes


def _of_checkpoint(variables: Variables) -> list[str]:
    """Sentences about what nobody asked the checkpoint for."""
    notes = []
    for key in variables.left:
        what = "which no object of the model leads to" if variables.is_readable(key) else "which is no tensor of the specification"
        if 0 not in variables.shape_of(key):
            notes.append(f"{shorten(key)} in the checkpoint: {variables.dtype(key)}, {what}")
    return notes


def _assets(folder: Folder, facts: Facts) -> dict[str, Tensor]:
    """The files beside the model, under their names; those that only TensorFlow's own use are not among them."""
    found: dict[str, Tensor] = {}
    for name in folder.files:
        if name in (BINARY, TEXT, METADATA, FINGERPRINT) or name.startswith("variables/"):
            if name.startswith("variables/") and not name.startswith(f"{VARIABLES}."):
                facts.left_out.append(f"{shorten(name)}: no part of the model's checkpoint")
            continue
        asset = _asset_name(name)
        if name in FILES:
            continue
        if asset is None or asset in found:
            facts.left_out.append(f"{shorten(name)}: no part of a SavedModel")
        elif fault := member_name_fault(asset):
            raise unsupported(shorten(name), fault)
        else:
            found[asset] = folder.asset(name)
    facts.left_out += [f"{shorten(name)}: a link or a special file" for name in folder.left_out]
    return found


def _asset_name(name: str) -> str | None:
    """What the asset in file `name` is called; None if the file is none."""
    if name.startswith(_EXTRA):
        inside = name.removeprefix(_EXTRA)
        return inside if inside.startswith(ASSETS) else f"{ASSETS}extra/{inside}"
    return name if name.startswith(ASSETS) else None


def _check_fingerprint(folder: Folder) -> None:
    """Parse the fingerprint: it holds hashes and nothing that a reader needs, but damage to it is damage."""
    if FINGERPRINT in folder.files:
        messages.parse("Fingerprint", folder.small(FINGERPRINT, 1 << 16), FINGERPRINT)


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


__all__ = ["read"]
