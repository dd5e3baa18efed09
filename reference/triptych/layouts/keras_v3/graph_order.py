"""The order in which Keras lists the layers of a graph: by depth, then by first visit from the outputs; it numbers object paths by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from triptych.layouts.keras_config.graph_writing import names_of_operations
from triptych.layouts.keras_config.nodes import ARGUMENTS
from triptych.model import Architecture, Call, Json, Layer

_INNER = {"layer": "layer", "forward": "layer", "backward": "backward_layer"}
"""Sublayer role -> the member of its wrapper's config that describes it."""


def in_keras_order(model: Mapping[str, Json], architecture: Architecture) -> dict[str, Json]:
    """The model object `model`, written for `architecture`, with the layers of every graph in the order that Keras gives them.

    The list's own order means nothing to Keras; readers that take it for the order of the weights are right from now on.
    """
    config = model.get("config")
    listed = config.get("layers") if isinstance(config, dict) else config
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        return dict(model)  # no graph of ours: kept as it is
    objects = [dict(one) if layer is None else _inside(one, layer) for one, _, layer in paired(listed, architecture)]
    if architecture.calls is not None:
        position = {name: index for index, name in enumerate(keras_order(architecture))}
        objects.sort(key=lambda one: position.get(str(one.get("name")), len(position)))
    return {**model, "config": {**config, "layers": objects} if isinstance(config, dict) else objects}


def paired(listed: Iterable[Mapping[str, Json]], architecture: Architecture) -> Iterator[tuple[Mapping[str, Json], int, Layer | None]]:
    """Each object in the list of a model with the index of its layer in `architecture`, and the layer; None for inputs and operations."""
    if architecture.calls is None:
        index = 0
        for one in listed:
            is_layer = one.get("class_name") != "InputLayer" and index < len(architecture.layers)
            yield one, index, architecture.layers[index] if is_layer else None
            index += is_layer
        return
    by_name = {layer.name: (index, layer) for index, layer in enumerate(architecture.layers)}
    for one in listed:
        yield one, *by_name.get(str(one.get("name")), (-1, None))


def _inside(entry: Mapping[str, Json], layer: Layer) -> dict[str, Json]:
    """The object of one layer with the graphs inside it in order."""
    if layer.architecture is not None:
        return in_keras_order(entry, layer.architecture)
    config = entry.get("config")
    inner = {
        key: _inside(config[key], layer.sublayers[role])
        for role, key in _INNER.items()
        if role in layer.sublayers and isinstance(config, dict) and isinstance(config.get(key), dict)
    }
    return {**entry, "config": {**config, **inner}} if inner and isinstance(config, dict) else dict(entry)


def keras_order(architecture: Architecture) -> list[str]:
    """Names of the inputs, layers and operations that lead to an output, and of inputs that lead nowhere, in Keras' order."""
    calls = architecture.calls or ()
    operations = names_of_operations(architecture)
    names = [
        *(value.name for value in architecture.inputs),
        *(call.layer or operations.get(index, "") for index, call in enumerate(calls)),
    ]
    first = len(architecture.inputs)
    maker = {value.name: index for index, value in enumerate(architecture.inputs)}
    for index, call in enumerate(calls):
        if call.op != "constant":  # Keras has arrays among arguments
            maker.update(dict.fromkeys(call.output_names, first + index))
    parents: list[list[int]] = [[] for _ in architecture.inputs]
    parents += [[maker[name] for name in _taken(call) if name in maker] for call in calls]
    nodes, visits = _visited([maker[name] for name in architecture.outputs if name in maker], names, parents)
    reached = set(nodes)
    depths: dict[int, int] = defaultdict(int)
    layer_depths: dict[str, int] = {}
    for node in reversed(nodes):
        # A layer that is called at several depths counts at the deepest seen so far, as Keras has it.
        depth = max(depths[node], layer_depths.get(names[node], 0))
        layer_depths[names[node]] = depths[node] = depth
        for other in parents[node]:
            if other in reached:
                depths[other] = max(depth + 1, depths[other])
    for value in architecture.inputs:
        if value.name not in layer_depths:
            layer_depths[value.name], visits[value.name] = 0, -1
    return sorted(layer_depths, key=lambda name: (-layer_depths[name], visits[name]))


def _visited(outputs: list[int], names: list[str], parents: list[list[int]]) -> tuple[list[int], dict[str, int]]:
    """The calls that `outputs` need, each after those that it needs; and each layer's rank by its first visit."""
    order: list[int] = []
    visits: dict[str, int] = {}
    begun: set[int] = set()
    for output in outputs:
        pending: list[tuple[int, Iterator[int]]] = []
        ahead: Iterator[int] = iter((output,))
        while True:
            node = next(ahead, None)
            if node is None:
                if not pending:
                    break
                done, _ = pending.pop()
                order.append(done)
                ahead = pending[-1][1] if pending else iter(())
            elif node not in begun:
                begun.add(node)
                visits.setdefault(names[node], len(visits))
                ahead = iter(parents[node])
                pending.append((node, ahead))
    return order, visits


def _taken(call: Call) -> list[str]:
    """Names of the values that a call takes, in the order in which Keras flattens its arguments: keywords by name."""
    positional = call.arguments.get(ARGUMENTS)
    found = list(call.inputs) if positional is None else list(_values(positional))
    for key in sorted(call.arguments):
        if key != ARGUMENTS:
            found += _values(call.arguments[key])
    return found


def _values(argument: Any) -> Iterator[str]:
    if isinstance(argument, Mapping):
        if set(argument) == {"value"}:
            yield argument["value"]
        else:
            for key in sorted(argument):
                yield from _values(argument[key])
    elif isinstance(argument, list | tuple):
        for one in argument:
            yield from _values(one)


__all__ = ["in_keras_order", "keras_order", "paired"]
