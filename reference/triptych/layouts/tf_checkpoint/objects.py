"""What the objects of a checkpoint are, as far as their children tell: models of Keras, optimizers, counters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from triptych.layouts.tensorflow.object_graph import Node, ObjectGraph
from triptych.limits import DEFAULT_LIMITS, Limits

COUNTED = re.compile(r"layer(_with_weights)?-\d+")
"""A layer of a graph of tf.keras."""
OPERATIONS = "_operations"
"""The list of layers of a graph of Keras 3."""
FUNCTIONAL = "_functional"
"""The graph inside a sequential model of Keras 3."""
TRAINED = "_trainable_variables"
"""The list of a model's weights that an optimizer of Keras 3 has."""
SAVE_COUNTER = "save_counter"
_BESIDE = frozenset({SAVE_COUNTER, "loss_scale", "_loss_scale", "keras_api", "compiled_metrics", "compiled_loss", "_loss_tracker", "_metrics"})
"""Children that hold no weights of a model, whoever has them."""
_COUNTS = frozenset({"step", "global_step", "epoch", "steps", "epochs", "iterations"})
"""Variables beside a model that count."""


def is_optimizer(node: Node) -> bool:
    """Whether `node` is an optimizer: one with slots, one since TensorFlow 2.11, one of Keras 3, or one of before that made no step yet."""
    names = node.children.keys()
    return bool(node.slots) or {"_variables", "_iterations"} <= names or ("iter" in names and bool({"learning_rate", "decay"} & names))


def is_keras_model(node: Node) -> bool:
    """Whether `node` lists layers as models of Keras do that are graphs or sequences."""
    return OPERATIONS in node.children or FUNCTIONAL in node.children or any(map(COUNTED.fullmatch, node.children))


@dataclass(frozen=True, slots=True)
class Parts:
    """The two parts of an object graph, and the ways to what is in them."""

    model: dict[int, tuple[str, ...]]
    """Every object that leads to weights, by ways through no optimizer."""
    training: dict[int, tuple[str, ...]]
    """Every other object that the root leads to."""
    optimizers: dict[int, tuple[str, ...]]
    """Those of the latter that are optimizers."""


def parts_of(graph: ObjectGraph, limits: Limits = DEFAULT_LIMITS) -> Parts:
    """`graph` told apart into what is a model and what is its training."""
    nodes = graph.nodes

    def leads_to_model(node: int, name: str) -> bool:
        return not _is_beside(graph, node, name)

    model: dict[int, tuple[str, ...]] = {0: ()} if is_optimizer(nodes[0]) else graph.paths(through=leads_to_model, limits=limits)
    ways = graph.paths(limits=limits)
    optimizers = {node: way for node, way in ways.items() if is_optimizer(nodes[node])}
    for number, way in optimizers.items():
        trained = graph.at(number, TRAINED)
        # Weights that nothing but their optimizer holds.
        for name, child in nodes[trained].children.items() if trained is not None else ():
            model.setdefault(child, (*way, TRAINED, name))
    return Parts(model, {node: way for node, way in ways.items() if node not in model or node in optimizers}, optimizers)


def _is_beside(graph: ObjectGraph, node: int, name: str) -> bool:
    child = graph.nodes[graph.nodes[node].children[name]]
    if name in _BESIDE or is_optimizer(child):
        return True
    return node == 0 and name in _COUNTS and child.value() is not None and not is_keras_model(graph.nodes[0])


def in_order(ways: dict[int, tuple[str, ...]], graph: ObjectGraph) -> Iterator[int]:
    """The objects of `ways`, each before those that it leads to, the children of one in the order in which it lists them."""
    waiting = [next(iter(ways))] if ways else []
    seen: set[int] = set()
    starts = list(ways)
    position = 0
    while waiting or position < len(starts):
        if not waiting:
            waiting.append(starts[position])
            position += 1
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        yield node
        # Only the way that was found first leads on, so that an object comes where its name says.
        way = ways[node]
        waiting += [child for name, child in reversed(tuple(graph.nodes[node].children.items())) if ways.get(child) == (*way, name)]


__all__ = [
    "COUNTED",
    "FUNCTIONAL",
    "OPERATIONS",
    "SAVE_COUNTER",
    "TRAINED",
    "Parts",
    "in_order",
    "is_keras_model",
    "is_optimizer",
    "parts_of",
]
