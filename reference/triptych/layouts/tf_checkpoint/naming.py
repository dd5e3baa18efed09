"""Names for the weights of an object graph that no architecture explains: the layer's own name where the graph betrays it, and roles.

Below a layer of Keras the names are those that its architecture would give; anywhere else they are the local names that lead there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from triptych.layouts.keras_weights.names import unique
from triptych.layouts.tensorflow.object_graph import ObjectGraph
from triptych.layouts.tf_checkpoint.objects import COUNTED, FUNCTIONAL, OPERATIONS, SAVE_COUNTER, is_optimizer

_CELL = re.compile(r"(lstm|gru|simple_rnn|stacked_rnn|conv_lstm)_cells?(_\d+)?")
_DEFAULT = re.compile(r"(sequential|functional|model)(_\d+)?")
"""A model that nobody gave a name."""
_PROJECTION = re.compile(r"_(query|key|value|output)_dense")
_PARTS = {"forward_layer": "forward", "backward_layer": "backward"}
_ROLES = {
    "_kernel": "kernel", "_embeddings": "embeddings", "adapt_mean": "mean", "adapt_variance": "variance",
}  # fmt: skip
"""Attribute of a layer -> the role that it is, where that has another name."""


@dataclass(slots=True)
class _Layer:
    """One layer of a graph of Keras, as the variables below it tell."""

    scopes: list[str] | None = None
    """Words that the full names of all its variables begin with."""
    nested: bool = False
    """Whether it is a model itself."""


@dataclass(slots=True)
class _Model:
    """One model of Keras."""

    layers: dict[str, _Layer] = field(default_factory=dict)
    """By the local name of each."""


@dataclass(frozen=True, slots=True)
class Named:
    """One variable with its name."""

    node: int
    name: str
    layer: str
    """What the name begins with: the layer, or the object, that stands for it among its like."""


def named(graph: ObjectGraph, ways: Mapping[int, tuple[str, ...]], variables: Sequence[int]) -> list[Named]:
    """`variables`, objects at the end of `ways`, with a name for each that no other has."""
    split = {node: _split(ways[node]) for node in variables}
    models = _models(graph, split)
    labels = {path: _labels(model, path, models) for path, model in models.items()}
    alone = _alone(graph, ways, variables)
    words = [_words(split[node], labels, alone) for node in variables]
    names = unique(".".join(one) for one in words)
    return [Named(node, name, one[0]) for node, name, one in zip(variables, names, words, strict=True)]


_Way = tuple[tuple[str, bool], ...]
"""Local names, with whether each is a layer of the model that the names before it lead to."""


def _split(way: tuple[str, ...]) -> _Way:
    """`way` without what Keras 3 puts between a model and its layers."""
    found: list[tuple[str, bool]] = []
    position = 0
    while position < len(way):
        name = way[position]
        if name == FUNCTIONAL:
            pass
        elif name == OPERATIONS and position + 1 < len(way):
            position += 1
            found.append((f"{OPERATIONS}.{way[position]}", True))
        else:
            found.append((name, COUNTED.fullmatch(name) is not None))
        position += 1
    return tuple(found)


def _models(graph: ObjectGraph, split: Mapping[int, _Way]) -> dict[_Way, _Model]:
    models: dict[_Way, _Model] = {}
    for node, way in split.items():
        value = graph.nodes[node].value()
        scopes = value.full_name.split("/")[:-1] if value is not None else []
        for depth, (name, is_layer) in enumerate(way):
            if not is_layer:
                continue
            layer = models.setdefault(way[:depth], _Model()).layers.setdefault(name, _Layer())
            layer.scopes = scopes if layer.scopes is None else _common(layer.scopes, scopes)
            layer.nested = layer.nested or any(inner for _, inner in way[depth + 1 : depth + 2])
    return models


def _common(some: Sequence[str], others: Sequence[str]) -> list[str]:
    count = next((i for i, (a, b) in enumerate(zip(some, others, strict=False)) if a != b), min(len(some), len(others)))
    return list(some[:count])


def _labels(model: _Model, path: _Way, models: Mapping[_Way, _Model]) -> dict[str, str]:
    """Local name of each layer -> the name that it has, as the scopes of its variables say; the local name where they do not."""
    before = _before(model, path, models)
    found: dict[str, str] = {}
    for name, layer in model.layers.items():
        scopes = list(layer.scopes or ())[before:]
        if name.startswith(OPERATIONS) or layer.nested:
            scopes = scopes[:1] if name.startswith(OPERATIONS) else []
        while scopes and _CELL.fullmatch(scopes[-1]) and len(scopes) > 1:
            scopes.pop()
        found[name] = "/".join(scopes)
    counts = Counter(found.values())
    return {name: label if label and counts[label] == 1 else name for name, label in found.items()}


def _before(model: _Model, path: _Way, models: Mapping[_Way, _Model]) -> int:
    """How many words come before the names of layers: that of the model, where all begin with it; in Keras 3 those of all models around it."""
    all_scopes = [layer.scopes or [] for layer in model.layers.values()]
    if path and any(name.startswith(OPERATIONS) and is_layer for name, is_layer in path):
        return sum(is_layer for _, is_layer in path) + _before_outermost(path, models)
    if len(all_scopes) < 2:
        return int(bool(all_scopes) and len(all_scopes[0]) > 1 and _DEFAULT.fullmatch(all_scopes[0][0]) is not None)
    common = all_scopes[0]
    for scopes in all_scopes[1:]:
        common = _common(common, scopes)
    return min(len(common), 1)


def _before_outermost(path: _Way, models: Mapping[_Way, _Model]) -> int:
    start = next(depth for depth, (_, is_layer) in enumerate(path) if is_layer)
    return _before(models[path[:start]], path[:start], models) if path[:start] in models else 0


def _alone(graph: ObjectGraph, ways: Mapping[int, tuple[str, ...]], variables: Sequence[int]) -> str | None:
    """The child of the root that all variables are below, of several objects that were saved together; its name says nothing then."""
    firsts = {ways[node][0] for node in variables if ways[node]}
    root = graph.nodes[0]
    beside = any(name == SAVE_COUNTER or is_optimizer(graph.nodes[child]) for name, child in root.children.items())
    single = len(firsts) == 1 and (beside or len(root.children) == 1)
    first = next(iter(firsts)) if single else None
    return first if first is not None and not COUNTED.fullmatch(first) and first not in (OPERATIONS, FUNCTIONAL) else None


def _words(way: _Way, labels: Mapping[_Way, Mapping[str, str]], alone: str | None) -> list[str]:
    words: list[str] = []
    inside = False
    for depth, (name, is_layer) in enumerate(way):
        if is_layer:
            words.append(labels[way[:depth]][name])
            inside = True
        elif depth == 0 and name == alone and len(way) > 1:
            continue
        elif not inside:
            words.append(name)
        else:
            _below_layer(words, name, [after for after, _ in way[depth + 1 :]])
    return words or ["variable"]


def _below_layer(words: list[str], name: str, after: Sequence[str]) -> None:
    """Add what `name`, an attribute of a layer or of a part of it, adds to the name of a weight."""
    if name == "cell" and len(after) == 1:
        return  # the cell of a recurrent layer, which has its weights
    if name == "cells" and after:
        return
    if name.isdecimal() and after and words:
        words.append(f"cell_{name}")
    elif (projection := _PROJECTION.fullmatch(name)) and len(after) == 1:
        words.append(f"{projection[1]}_")
    elif words and words[-1] in ("query_", "key_", "value_", "output_") and not after:
        words[-1] += _ROLES.get(name, name)
    elif not after:
        words.append("kernel" if name == "depthwise_kernel" else _ROLES.get(name, name))
    else:
        words.append(_PARTS.get(name, name))


__all__ = ["Named", "named"]
