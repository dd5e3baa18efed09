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
from triptych.layouts.problems import unsupported
from triptych.layouts.saved_model import constants as frozen
from triptych.layouts.saved_model.bare import bare_weights
from triptych.layouts.saved_model.facts import Facts, to_panels
from triptych.layouts.saved_model.folder import ASSETS, BINARY, FINGERPRINT, METADATA, TEXT, VARIABLES, Folder, scan
from triptych.layouts.saved_model.keras_model import Placed, model_config, place_weights
from triptych.layouts.saved_model.keras_objects import KerasObjects, read_keras_objects
from triptych.layouts.saved_model.meta_graph import chosen, signature_data
from triptych.layouts.saved_model.objects import read_objects
from triptych.layouts.saved_model.operations import Survey, survey
from triptych.layouts.saved_model.optimizer_state import with_optimizer
from triptych.layouts.saved_model.other_state import other_state
from triptych.layouts.saved_model.variables import Variables, read_variables
from triptych.layouts.tensorflow import messages
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Json, Panels, Tensor, Training, Weights
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
    objects = read_objects(graph.objects, graph.place, limits)
    keras = read_keras_objects(folder, objects, limits)
    variables = read_variables(folder, objects, limits)
    said = keras.of(0)
    config = model_config(said)
    facts = Facts(signature_data(graph.signatures), graph.tags, graph.version, others)
    facts.left_out += [f"the graph tagged {', '.join(tags) or 'with nothing'}: one is read, that tagged {', '.join(graph.tags)}" for tags in others]
    found = survey(graph.graph, graph.saver, graph.place, constants=config is None)
    facts.operations = found.data()
    if config is None:
        constants, filled = frozen.weights_among(found.constants, graph.place, limits)
        facts.left_out += [frozen.filled_note(filled)] if filled else []
        panels = _without_architecture(constants, keras, variables, facts)
    else:
        panels = _keras_model(said, config, keras, variables, facts, allow_code=allow_code)
    facts.left_out += _notes(found, said, config, variables)
    _check_fingerprint(folder)
    return to_panels(replace(panels, assets=_assets(folder, facts)), facts)


def _keras_model(
    said: Mapping[str, Json], config: Mapping[str, Json], keras: KerasObjects, variables: Variables, facts: Facts, *, allow_code: bool
) -> Panels:
    version, backend = _text(said.get("keras_version")), _text(said.get("backend"))
    architecture = keras_config.read_model_config(config, keras_version=version, backend=backend, allow_code=allow_code)
    if said.get("class_name") != config["class_name"] and isinstance(said.get("class_name"), str):
        facts.left_out.append(f"the class {shorten(said['class_name'])} of the model: it is read as the graph of layers that it is made of")
    placed = place_weights(architecture, 0, keras, variables) if variables.keys else Placed(architecture)
    architecture = placed.architecture
    compiled = said.get("training_config")
    training = None
    if isinstance(compiled, dict):
        training = keras_config.read_training_config(compiled, architecture, keras_version=version, allow_code=allow_code)
    optimizer = variables.objects.at(0, "optimizer")
    if optimizer is not None and variables.keys:
        training = with_optimizer(training, optimizer, placed.trained, placed.of_variable, variables)
    training = _with_state(training, other_state(keras, variables, placed.of_variable))
    weights = Weights(placed.tensors) if variables.keys or not placed.tensors else None
    return Panels(architecture=architecture, weights=weights, training=training, name=architecture.name)


def _without_architecture(constants: Sequence[frozen.Constant], keras: KerasObjects, variables: Variables, facts: Facts) -> Panels:
    bare = bare_weights(keras, variables)
    facts.layers, facts.classes = bare.layers, bare.classes
    for key in variables.left:
        if variables.is_readable(key):
            # Objects that lead nowhere, and TensorFlow 1, which had none: the key is the name.
            bare.tensors[key if key not in bare.tensors else f"{key}_"] = variables.take(key)
    in_graph = dict(frozen.named(constants, bare.tensors))
    facts.constants = list(in_graph)
    training = _with_state(None, bare.state)
    return Panels(weights=Weights({**bare.tensors, **in_graph}), training=training)


def _with_state(training: Training | None, state: Mapping[str, Tensor]) -> Training | None:
    if not state:
        return training
    training = training or Training()
    held = dict(training.state.tensors) if training.state is not None else {}
    return replace(training, state=Weights({**held, **state}))


def _notes(found: Survey, said: Mapping[str, Json], config: Json, variables: Variables) -> list[str]:
    """Sentences about what the panels do not hold."""
    notes = []
    if config is None and said:
        notes.append(f"the architecture: the class {shorten(said.get('class_name'))} of the model says what it computes, not the file; its weights are read")
    elif config is None:
        notes.append("the architecture: the file has a graph of operations, and no layers; its weights are read")
    notes.append(f"the graph of operations ({found.count:,} nodes, {len(found.functions):,} functions), of which nothing is run")
    for entry in found.data():
        paths = [shorten(path) for path in entry["nodes"][:_NAMED]]
        more = f" and {entry['count'] - len(paths)} more" if entry["count"] > len(paths) else ""
        notes.append(f"operation {entry['op']}, which {entry['effect']}: {', '.join(paths)}{more}")
    notes += [f"{shorten(key)} in the checkpoint: {variables.dtype(key)}, which is no tensor of the specification" for key in variables.left]
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
