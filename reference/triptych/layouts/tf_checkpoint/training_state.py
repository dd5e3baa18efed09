"""What the optimizers of an object graph keep: slots under the names of the weights they belong to, counts, and the rest as it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from triptych.layouts.keras_weights.optimizer import OPAQUE, STEP, Entry, Trained, neutral, targets
from triptych.layouts.tensorflow.object_graph import ObjectGraph
from triptych.layouts.tf_checkpoint.objects import TRAINED, Parts

OTHER = "tensorflow."
"""How the names of state begin that are neither a slot nor a number of the only optimizer."""
_LISTS = {
    "momentums": "momentum", "velocities": "velocity", "velocity_hats": "velocity_hat", "average_gradients": "average_gradient",
    "accumulators": "accumulator", "accumulated_grads": "accumulated_grad", "accumulated_delta_vars": "accumulated_delta_var",
    "linears": "linear", "m": "momentum", "u": "norm", "r": "row", "c": "column", "v": "velocity",
    "model_variables_moving_average": "average", "accumulated_gradients": "accumulated_gradient",
}  # fmt: skip
"""Attribute of an optimizer since TensorFlow 2.11, without a leading underscore -> the slot whose variables it lists."""
_STEPS = ("iter", "_iterations")
_MOST_BY_OWN_NAME = 64
"""Optimizers in one checkpoint up to which their variables are looked up by name: each look takes time for every weight."""
_RATES = ("learning_rate", "_learning_rate", "_current_learning_rate")


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight that optimizers may have slots for."""

    node: int
    tensor: str
    full_name: str
    shape: tuple[int, ...]


def state_names(graph: ObjectGraph, parts: Parts, weights: list[Weight], shape_of: Callable[[int], tuple[int, ...]]) -> dict[int, str]:
    """Variable that is no weight -> the name of the tensor that is to hold it, or `STEP`; in no order.

    Args:
        graph: The objects.
        parts: Which of them is what.
        weights: The weights in the order of the model.
        shape_of: Called with a variable.
    """
    by_node = {weight.node: weight for weight in weights}
    by_name: dict[str, list[Weight]] = defaultdict(list)
    for weight in weights:
        by_name[weight.full_name].append(weight)
    candidates = weights if len(parts.optimizers) <= _MOST_BY_OWN_NAME else []
    found: dict[int, str] = {}
    for number, way in parts.optimizers.items():
        single = len(parts.optimizers) == 1
        prefix = "optimizer" if single else OTHER + ".".join(way or ("optimizer",))
        known = _Known(by_node, by_name, candidates)
        for node, name in _of_optimizer(graph, number, known, shape_of):
            if node not in by_node:
                found.setdefault(node, STEP if name == STEP and single else f"{prefix}.{'iterations' if name == STEP else name}")
    for node, way in parts.training.items():
        if graph.nodes[node].value() is not None and node not in by_node:
            found.setdefault(node, OTHER + ".".join(way))
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """The weights, as slots refer to them."""

    by_node: Mapping[int, Weight]
    by_name: Mapping[str, list[Weight]]
    candidates: list[Weight]
    """Those that names with underscores may mean."""


def _of_optimizer(graph: ObjectGraph, number: int, known: _Known, shape_of: Callable[[int], tuple[int, ...]]) -> Iterator[tuple[int, str]]:
    node, by_node = graph.nodes[number], known.by_node
    kind = _kind(graph, number)
    for slot in node.slots:
        weight = by_node.get(slot.variable)
        if weight is not None:
            yield slot.node, f"{neutral(slot.name, kind)}.{weight.tensor}"
    for name, child in node.children.items():
        if graph.nodes[child].value() is not None and "." not in name:
            yield child, STEP if name in _STEPS else "learning_rate" if name in _RATES else name.strip("_")
    trained = graph.at(number, TRAINED)
    order = list(graph.nodes[trained].children.values()) if trained is not None else []
    for name, child in node.children.items():
        slot_name = _LISTS.get(name.removeprefix("_"))
        if slot_name is not None:
            listed = list(graph.nodes[child].children.values())
            owners = [by_node.get(one) for one in order] if len(order) == len(listed) else _by_full_name(graph, listed, known.by_name)
            for one, weight in zip(listed, owners, strict=True):
                if weight is not None and (slot_name in ("row", "column") or shape_of(one) == weight.shape):
                    yield one, f"{slot_name}.{weight.tensor}"
    yield from _by_own_name(graph, number, known.candidates, shape_of)


def _by_own_name(
    graph: ObjectGraph, number: int, weights: list[Weight], shape_of: Callable[[int], tuple[int, ...]]
) -> Iterator[tuple[int, str]]:
    """The variables of the flat list that optimizers since TensorFlow 2.11 have, by what each is called; Keras 3 has not always listed slots."""
    listed_at = graph.at(number, "_variables")
    if listed_at is None:
        return
    children = graph.nodes[listed_at].children
    values = [(child, value) for child in children.values() if (value := graph.nodes[child].value()) is not None]
    entries = [Entry(value.full_name, shape_of(child)) for child, value in values]
    trained = [Trained(weight.full_name, weight.tensor, weight.shape, trainable=False) for weight in weights]
    for (child, _), target in zip(values, targets(entries, trained, None, sorted_names=False), strict=True):
        # Without weights that are known to be trained, only names decide.
        if not target.startswith(OPAQUE):
            yield child, target if target == STEP else target.removeprefix("optimizer.")


def _by_full_name(graph: ObjectGraph, listed: list[int], by_name: Mapping[str, list[Weight]]) -> list[Weight | None]:
    """For each variable the weight whose name is in its own; of several of one name, which stand in two models, the next one."""
    taken: Counter[str] = Counter()
    found: list[Weight | None] = []
    for node in listed:
        value = graph.nodes[node].value()
        words = value.full_name.split("/") if value is not None else []
        # ``Adam/m/dense/kernel``: the optimizer, its word for the slot, and the weight; built outside of a step it lacks the first.
        name = next((one for one in ("/".join(words[2:]), "/".join(words[1:])) if one in by_name), "")
        named = by_name.get(name, []) if name else []
        found.append(named[taken[name]] if taken[name] < len(named) else None)
        taken[name] += 1
    return found


def _kind(graph: ObjectGraph, number: int) -> str:
    """The class that the names of its variables begin with, as far as they do; legacy optimizers differ in what they call alike."""
    for name in ("iter", "learning_rate", "decay"):
        child = graph.at(number, name)
        value = graph.nodes[child].value() if child is not None else None
        if value is not None and "/" in value.full_name:
            return value.full_name.split("/")[0]
    return ""


__all__ = ["OTHER", "Weight", "state_names"]
