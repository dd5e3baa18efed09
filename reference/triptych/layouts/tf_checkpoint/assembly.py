"""Decides everything that a checkpoint holds, so that writing it only copies: objects of an architecture, those that were read, or names alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from triptych.errors import UsageError, shorten
from triptych.layouts import keras_config
from triptych.layouts.keras_config.generations import KERAS2, KERAS3, Generation, target
from triptych.layouts.keras_weights.optimizer import Trained
from triptych.layouts.keras_weights.places import default_names, top_layers
from triptych.layouts.keras_weights.step_count import scalar
from triptych.layouts.keras_weights.storing import as_stored, state_as_stored
from triptych.layouts.problems import inexpressible
from triptych.layouts.tensorflow.bundle import Strings
from triptych.layouts.tensorflow.object_graph import KEY, Node, ObjectGraph, graph_bytes
from triptych.layouts.tf_checkpoint.building import GraphBuilder
from triptych.layouts.tf_checkpoint.facts import Facts, of_panels
from triptych.layouts.tf_checkpoint.keras_paths import Held, held_weights
from triptych.layouts.tf_checkpoint.objects import SAVE_COUNTER
from triptych.layouts.tf_checkpoint.optimizer_objects import add_optimizer
from triptych.layouts.vocabularies import inlined
from triptych.model import Architecture, Panels, Tensor, Training, Weights

_NEW_OPTIMIZERS = Generation((2, 15, 0), "2.15.0")
"""Whose optimizers are written for keras2 that are none of before TensorFlow 2.11."""


@dataclass(slots=True)
class Contents:
    """What is to be written."""

    items: dict[str, Tensor | Strings] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def contents_of(panels: Panels, *, dialect: str | None, legacy_optimizer: bool | None, weights_only: bool) -> Contents:
    """What a checkpoint of `panels` holds; see `writer.write`."""
    if panels.weights is None and (panels.training is None or weights_only):
        raise inexpressible("", "expected a model with weights or training, this one has neither")
    if weights_only:
        panels = replace(panels, training=None)
    facts = of_panels(panels)
    if panels.architecture is not None and panels.weights is not None:
        contents = _of_architecture(panels, panels.architecture, dialect, legacy_optimizer=legacy_optimizer)
    elif facts is not None and facts.graph is not None:
        contents = _as_it_was(panels, facts, facts.graph)
    else:
        contents = _of_names(panels, facts or Facts())
    if not weights_only:
        contents.notes += _left_behind(panels, facts if panels.architecture is None else None)
    return contents


def _left_behind(panels: Panels, facts: Facts | None) -> Iterator[str]:
    there = {
        "architecture": panels.architecture is not None,
        "the configuration of training": panels.training is not None and bool(panels.training.optimizer or panels.training.losses or panels.training.metrics),
        "license": bool(panels.license),
        "provenance": bool(panels.provenance),
        "metadata": bool(panels.metadata),
    }
    yield from (f"{name}: a checkpoint has no place for it" for name, is_there in there.items() if is_there)
    theirs = {asset for asset, _ in facts.texts.values()} if facts is not None else set()
    yield from (f"asset {name!r}: a checkpoint has no place for it" for name in panels.assets if name not in theirs)


# --- objects of an architecture


def _of_architecture(panels: Panels, architecture: Architecture, dialect: str | None, *, legacy_optimizer: bool | None) -> Contents:
    source = keras_config.source_generation(architecture)
    chosen = dialect or (KERAS3 if source is not None and source.dialect == KERAS3 else KERAS2)
    if chosen not in (KERAS2, KERAS3):
        raise UsageError(f"expected the dialect {KERAS2} or {KERAS3}, got {shorten(chosen)}")
    architecture, nested = keras_config.without_composites(architecture)
    panels = inlined(replace(panels, architecture=architecture))
    assert panels.architecture is not None
    assert panels.weights is not None
    contents = Contents(notes=list(nested))
    held = held_weights(panels.architecture, chosen)
    builder, trained = _objects(panels.architecture, panels.weights.tensors, held, chosen, contents)
    if panels.training is not None:
        training = panels.training
        if training.state is not None:
            training = replace(training, state=Weights(state_as_stored(training.state.tensors, [one.place for one in held])))
        optimizer = builder.add()
        legacy = chosen == KERAS2 and (_is_legacy(training, panels.architecture, chosen) if legacy_optimizer is None else legacy_optimizer)
        contents.notes += add_optimizer(builder, optimizer, training, trained, target(KERAS3) if chosen == KERAS3 else _NEW_OPTIMIZERS, legacy=legacy)
        if builder.children[optimizer]:
            for owner in (0, builder.children[0]["model"]):
                builder.children[owner]["optimizer"] = optimizer
    graph, items = builder.finish()
    contents.items |= items
    contents.items[KEY] = Strings((graph_bytes(graph),))
    return contents


def _objects(
    architecture: Architecture, tensors: Mapping[str, Tensor], held: list[Held], dialect: str, contents: Contents
) -> tuple[GraphBuilder, list[tuple[int, Trained]]]:
    """The objects of the model, and each weight with its object.

    The root is the model, and beside its layers it holds the model once more: whether a program restores into a model or into a
    checkpoint of one, it finds what it has and nothing that it lacks.
    """
    builder = GraphBuilder()
    model = builder.add()
    tops = top_layers(architecture)
    names = default_names(tops, architecture, dialect)
    labels = {place.tensor: label for name, top in tops.items() for place, label in zip(top.places, names[name], strict=True)}
    trained = []
    for one in held:
        place = one.place
        tensor = tensors.get(place.tensor)
        if tensor is None:
            raise inexpressible(place.owner.path, f"expected all weights of the layer, {shorten(place.tensor)} is missing")
        stored, label = as_stored(tensor, place), labels[place.tensor].removesuffix(":0")
        node = builder.variable(builder.walk(0, one.steps), stored, label)
        trained.append((node, Trained(label, place.tensor, stored.shape, place.trainable)))
    builder.children[model].update(builder.children[0])
    builder.children[0]["model"] = model
    builder.step(0, (SAVE_COUNTER,))
    needed = {one.place.tensor for one in held}
    wanted = labels.keys()
    left = wanted - needed
    contents.notes += [f"tensor {name!r}: Keras 3 looks for no cells of a stack in a checkpoint" for name in tensors if name in left]
    contents.notes += [f"tensor {name!r}: no layer owns it" for name in tensors if name not in wanted]
    contents.notes += [
        f"layer {layer.name!r}: only the class {layer.type!r} knows what it calls its weights; they are stored by their roles"
        for _, _, layer in architecture.walk()
        if ":" in layer.type and layer.weights
    ]
    return builder, trained


def _is_legacy(training: Training, architecture: Architecture, dialect: str) -> bool:
    """Whether Keras would take the optimizer that `training` was read with for one of before TensorFlow 2.11."""
    if training.optimizer is None:
        return False
    config, _ = keras_config.write_training_config(training, architecture, dialect=None, wrapped=False)
    said = config.get("optimizer_config")
    name = said.get("class_name") if isinstance(said, dict) else None
    return dialect == KERAS2 and isinstance(name, str) and not name.startswith("Custom>")


# --- what was read, and names alone


def _as_it_was(panels: Panels, facts: Facts, graph: ObjectGraph) -> Contents:
    contents = Contents()
    values = dict(_values(panels, facts))
    nodes = []
    for node in graph.nodes:
        kept = tuple(attribute for attribute in node.attributes if attribute.key in values)
        nodes.append(Node(node.children, kept, node.slots, node.saver, node.has_values))
        contents.notes += [f"{shorten(one.key)}: the model has no longer what stood there" for one in node.attributes if one not in kept]
    # TensorFlow stores tensors in the order of the objects that have them.
    held = [attribute.key for node in nodes for attribute in node.attributes]
    contents.items |= {key: values[key] for key in (*held, *sorted(values))}
    contents.items[KEY] = Strings((graph_bytes(ObjectGraph(tuple(nodes))),))
    contents.notes += _without_place(panels, facts, values)
    return contents


def _without_place(panels: Panels, facts: Facts, values: Mapping[str, Tensor | Strings]) -> Iterator[str]:
    weights = {facts.weights[key] for key in values if key in facts.weights}
    state = {facts.state[key] for key in values if key in facts.state}
    for name in panels.weights or ():
        if name not in weights:
            yield f"tensor {name!r}: the checkpoint that was read has no object for it"
    for name in (panels.training.state if panels.training is not None else None) or ():
        if name not in state:
            yield f"training state {name!r}: the checkpoint that was read has no object for it"


def _values(panels: Panels, facts: Facts) -> Iterator[tuple[str, Tensor | Strings]]:
    """Key -> what `panels` have for it now, for each key of the checkpoint that was read."""
    weights: Mapping[str, Tensor] = panels.weights.tensors if panels.weights is not None else {}
    training = panels.training or Training()
    state: Mapping[str, Tensor] = training.state.tensors if training.state is not None else {}
    for names, tensors in ((facts.weights, weights), (facts.state, state)):
        yield from ((key, tensors[name]) for key, name in names.items() if name in tensors)
    step = training.progress.step if training.progress is not None else None
    if step is not None:
        yield from ((key, scalar(step, dtype)) for key, dtype in facts.steps.items())
    for key, (asset, shape) in facts.texts.items():
        if asset in panels.assets:
            content = bytes(panels.assets[asset].read())
            values = (content,) if shape == () else tuple(content.split(b"\n")) if 0 not in shape else ()
            yield key, Strings(values, shape)


def _of_names(panels: Panels, facts: Facts) -> Contents:
    """A checkpoint as TensorFlow 1 has it: keys are the names of tensors, of those that were read what they were called."""
    items = dict(_values(panels, facts))
    known_weights, known_state = set(facts.weights.values()), set(facts.state.values())
    weights: Mapping[str, Tensor] = panels.weights.tensors if panels.weights is not None else {}
    training = panels.training or Training()
    state: Mapping[str, Tensor] = training.state.tensors if training.state is not None else {}
    for name, tensor in weights.items():
        if name not in known_weights:
            _put(items, name, tensor)
    for name, tensor in state.items():
        if name not in known_state:
            _put(items, name, tensor)
    step = training.progress.step if training.progress is not None else None
    if step is not None and not facts.steps:
        _put(items, "global_step", scalar(step, "int64"))
    return Contents(dict(sorted(items.items())))


def _put(items: dict[str, Tensor | Strings], key: str, value: Tensor) -> None:
    if key in items or key == KEY:
        raise inexpressible(shorten(key), "expected tensors of different names, two would have this key")
    items[key] = value


__all__ = ["Contents", "contents_of"]
