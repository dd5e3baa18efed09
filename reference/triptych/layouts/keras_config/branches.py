"""Keras 1's sequential models that begin with a Merge of others, as the graph that they are: branches, what joins them, and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from triptych.layouts.keras_config import edits
from triptych.model import Json


def as_graph(model: Json) -> dict[str, Json] | None:
    """The object of the Functional model that `model` computes; None if it is no such sequential model, or no graph says it.

    Layers keep their objects, so that the weights of each are where the file has them: Keras 1 stores those of branches flat.
    """
    graph = _Graph()
    if not _begins_with_merge(model):
        return None
    end = graph.add_sequence(model)
    if end is None or len({one["name"] for one in graph.layers}) < len(graph.layers):
        return None
    layers: list[Json] = [*graph.inputs, *graph.layers]
    entering = [[one["name"], 0, 0] for one in graph.inputs]
    return {"class_name": "Model", "config": {"layers": layers, "input_layers": entering, "output_layers": [[end, 0, 0]]}}


def restored(kept: Json, written: Mapping[str, Json]) -> dict[str, Json] | None:
    """The sequential model `kept`, if `written` still is the graph of it; else None."""
    original = edits.copy(kept)
    graph = as_graph(original)
    config = {key: value for key, value in written["config"].items() if key != "name"}
    if graph is None or not edits.same(graph, {**written, "config": config}):
        return None
    found: dict[str, Json] = original
    return found


def _begins_with_merge(model: Json) -> bool:
    if not isinstance(model, dict) or model.get("class_name") != "Sequential" or not isinstance(model.get("config"), list):
        return False
    first = model["config"][0] if model["config"] else None
    return isinstance(first, dict) and first.get("class_name") == "Merge" and isinstance(first.get("config"), dict) and bool(first["config"].get("layers"))


@dataclass(slots=True)
class _Graph:
    """A graph in the making."""

    inputs: list[dict[str, Json]] = field(default_factory=list)
    layers: list[dict[str, Json]] = field(default_factory=list)

    def add_sequence(self, model: Json) -> str | None:
        """Add the layers of a sequential model; the name of its last one, or None where the graph cannot be said."""
        if not isinstance(model, dict) or model.get("class_name") != "Sequential" or not isinstance(model.get("config"), list):
            return None
        merges = _begins_with_merge(model)
        before: list[str] = []
        for number, one in enumerate(model["config"]):
            config = one.get("config") if isinstance(one, dict) else None
            if not isinstance(config, dict) or not isinstance(config.get("name"), str):
                return None
            if number == 0:
                entering = self._add_branches(config) if merges else self._add_input(config)
                if entering is None:
                    return None
                before = entering
                if merges:
                    one = {**one, "config": {key: value for key, value in config.items() if key != "layers"}}  # noqa: PLW2901 - the same layer, without what is beside it now
            self.layers.append({**one, "name": config["name"], "inbound_nodes": [[[name, 0, 0] for name in before]]})
            before = [config["name"]]
        return before[0] if len(before) == 1 else None

    def _add_branches(self, config: Mapping[str, Json]) -> list[str] | None:
        branches = config.get("layers")
        ends = [self.add_sequence(branch) for branch in branches] if isinstance(branches, list) else []
        found = [end for end in ends if end is not None]
        return found if found and len(found) == len(ends) else None

    def _add_input(self, config: Mapping[str, Json]) -> list[str] | None:
        """The input that the first layer of a branch says."""
        shape, name = config.get("batch_input_shape"), f"{config['name']}_input"
        if not isinstance(shape, list):
            return None
        said = {"batch_input_shape": list(shape), "input_dtype": config.get("input_dtype", "float32"), "sparse": False, "name": name}
        self.inputs.append({"class_name": "InputLayer", "config": said, "inbound_nodes": [], "name": name})
        return [name]
