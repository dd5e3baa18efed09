"""Weights of a checkpoint for an architecture that is to receive them: those that Keras' own ``load_weights`` would put there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from triptych.errors import InvalidModelError
from triptych.layouts import keras_config
from triptych.layouts.keras_config.generations import KERAS2, KERAS3
from triptych.layouts.keras_weights.assignment import Array, assign
from triptych.layouts.keras_weights.names import default_name
from triptych.layouts.keras_weights.places import TopLayer, top_layers
from triptych.layouts.tensorflow.object_graph import ObjectGraph
from triptych.layouts.tf_checkpoint.facts import Facts, of_panels
from triptych.layouts.tf_checkpoint.keras_paths import Held, held_weights
from triptych.layouts.tf_checkpoint.naming import named
from triptych.layouts.tf_checkpoint.objects import FUNCTIONAL, OPERATIONS, in_order, is_keras_model, parts_of
from triptych.model import Architecture, Panels, Tensor, Weights

_MOST_MODELS = 16
"""Models in one checkpoint among which the one that an architecture says is looked for."""


def layers(panels: Panels) -> list[tuple[str, list[str]]]:
    """Each layer of the checkpoint, or whatever object holds weights, with its tensors; empty for panels from elsewhere."""
    facts = of_panels(panels)
    if facts is None or facts.graph is None:
        return []
    graph, found = facts.graph, dict[str, list[str]]()
    parts = parts_of(graph)
    variables = [node for node in in_order(parts.model, graph) if _tensor_at(graph, node, facts) is not None]
    for one in named(graph, parts.model, variables):
        tensor = _tensor_at(graph, one.node, facts)
        if tensor is not None and tensor not in found.setdefault(one.layer, []):
            found[one.layer].append(tensor)
    return list(found.items())


def placed(panels: Panels, architecture: Architecture) -> Weights | None:
    """The weights of `panels` under the names that `architecture` has for them, the rest as they are; None for panels from elsewhere."""
    facts = of_panels(panels)
    if facts is None or panels.weights is None:
        return None
    plain, _ = keras_config.without_composites(architecture)
    left = dict(panels.weights.tensors)
    wanted = dict(_by_object(facts.graph, facts, plain) if facts.graph is not None else _by_key(facts, plain, left))
    found: dict[str, Tensor] = {}
    used: set[str] = set()
    for tensor, name in wanted.items():
        if name in left:
            found[tensor] = left[name]
            used.add(name)
    return Weights({**found, **{name: tensor for name, tensor in left.items() if name not in used and name not in found}})


def _by_object(graph: ObjectGraph, facts: Facts, architecture: Architecture) -> Iterator[tuple[str, str]]:
    """The tensor that `architecture` needs and the one that the checkpoint has, wherever the objects of its model lead to it."""
    best: list[tuple[str, str]] = []
    held: dict[str, list[Held]] = {}
    for model in islice(_models(graph), _MOST_MODELS):
        names = graph.nodes[model].children
        dialect = KERAS3 if FUNCTIONAL in names or OPERATIONS in names else KERAS2
        if dialect not in held:
            held[dialect] = held_weights(architecture, dialect)
        pairs = [(one.place.tensor, name) for one in held[dialect] if (name := _name_at(graph, model, one, facts)) is not None]
        if len(pairs) > len(best):
            best = pairs
    yield from best


def _models(graph: ObjectGraph) -> Iterator[int]:
    """The models that may be meant: the root, else those that it leads to, the nearest first."""
    if is_keras_model(graph.nodes[0]):
        yield 0
        return
    parts = parts_of(graph)
    inside: set[int] = set()
    for node in parts.model:
        if is_keras_model(graph.nodes[node]) and node not in inside:
            yield node
            inside.update(graph.paths(node, through=lambda _, name: name != "root"))


def _name_at(graph: ObjectGraph, model: int, held: Held, facts: Facts) -> str | None:
    node = model
    for step in held.steps:
        found = next((child for name in _spellings(step) if (child := graph.at(node, name)) is not None), None)
        if found is None:
            return None
        node = found
    return _tensor_at(graph, node, facts)


def _spellings(step: tuple[str, ...]) -> Iterator[str]:
    """The local names that a step may have: versions of Keras differ in what they keep private."""
    yield from step
    yield step[0].removeprefix("_") if step[0].startswith("_") else f"_{step[0]}"


def _tensor_at(graph: ObjectGraph, node: int, facts: Facts) -> str | None:
    value = graph.nodes[node].value()
    return None if value is None else facts.weights.get(value.key)


def _by_key(facts: Facts, architecture: Architecture, left: Mapping[str, Tensor]) -> Iterator[tuple[str, str]]:
    """The same where keys are the names of variables, with or without that of the model before them."""
    tensors = {**{name: name for name in left}, **facts.weights}
    for top in top_layers(architecture).values():
        for start in ("", *([f"{architecture.name}/"] if architecture.name else [])):
            found = _of_layer(top, start, tensors, left)
            if found:
                yield from zip((place.tensor for place in top.places), found, strict=True)
                break


def _of_layer(top: TopLayer, start: str, tensors: Mapping[str, str], left: Mapping[str, Tensor]) -> list[str]:
    """The tensors of `top` in the order of its places, where keys beginning with `start` tell all of them; else none."""
    exact = [
        tensors.get(start + default_name(place.owner.lineage, place.owner.layer.type, place.role, dialect=KERAS2).removesuffix(":0"))
        for place in top.places
    ]
    if None not in exact:
        return [name for name in exact if name is not None]
    # Parts of layers may have counters in their names: ``bi/forward_lstm_7/lstm_cell_8/kernel``.
    below = [(key, name) for key, name in tensors.items() if key.startswith(f"{start}{top.name}/") and name in left]
    try:
        order = assign(top.name, [Array(key.removeprefix(start), left[name].shape) for key, name in below], top.places)
    except InvalidModelError:
        return []
    return [below[index][1] for index in order]


__all__ = ["layers", "placed"]
