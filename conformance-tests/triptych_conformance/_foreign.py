"""What counts where foreign layouts are read and written: everything but what a converter is free to choose."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from triptych_conformance._adapter import short
from triptych_conformance._difference import difference
from triptych_conformance._numbers import departure

Json = Any
OURS = {"extensions", "extensions_used", "metadata"}
"""Members of documents that nobody else has to understand, so that a converter may use them as it likes."""
CLOSE = {"relative": 1e-5}
"""How far what a framework predicts from a written file may depart: its kernels differ from processor to processor."""


def settled(data: Json, defaults: Mapping[str, Json]) -> Json:
    """A document without what is free: members of `OURS`, configs with defaults left out, names of values and the order of calls."""
    if isinstance(data, list):
        return [settled(one, defaults) for one in data]
    if not isinstance(data, dict):
        return data
    plain = {name: settled(value, defaults) for name, value in data.items() if name not in OURS}
    kind = plain.get("type", plain.get("op"))
    if isinstance(kind, str) and isinstance(plain.get("config", {}), dict) and (filled := {**defaults.get(kind, {}), **plain.get("config", {})}):
        plain["config"] = filled
    return _graph(plain) if isinstance(plain.get("calls"), list) else plain


def _graph(graph: dict[str, Json]) -> Json:
    """A graph whose layers go by name, and whose values are named by the calls that yield them, as far as it is one."""
    calls = [call for call in graph["calls"] if isinstance(call, dict)]
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    done: dict[str, Json] = {}
    for call in calls:
        maker = str(call.get("layer", call.get("op")))
        counts[maker] = counts.get(maker, 0) + 1
        place = f"{maker}, call {counts[maker]}"
        taken = {name: _renamed(value, names, bare=name == "inputs") for name, value in call.items() if name != "outputs"}
        yielded = call.get("outputs", [maker])
        yielded = yielded if isinstance(yielded, list) else [yielded]
        names |= {str(name): f"{place}, value {index}" for index, name in enumerate(yielded)}
        done[place] = {**taken, "outputs": len(yielded)}
    layers = {str(one.get("name")): one for one in graph.get("layers", []) if isinstance(one, dict)}
    return {**graph, "layers": layers, "calls": done, "outputs": _renamed(graph.get("outputs", []), names, bare=True)}


def _renamed(data: Json, names: Mapping[str, str], *, bare: bool) -> Json:
    """`data` with each value under its name in `names`; values stand bare in a list of names, and as ``{"value": NAME}`` elsewhere."""
    if isinstance(data, list):
        return [_renamed(one, names, bare=bare) for one in data]
    if isinstance(data, dict):
        return {name: _renamed(value, names, bare=name == "value") for name, value in data.items()}
    return names.get(data, data) if bare and isinstance(data, str) else data


def turned(seen: Mapping[str, Json]) -> dict[str, Json]:
    """What was `seen` with canonical axes where its architecture names others for a weight under its canonical name; slots have the axes of their weights."""
    if not isinstance(seen.get("architecture"), dict):
        return dict(seen)
    axes: dict[str, list[int]] = {}
    architecture = _without_axes(seen["architecture"], "", axes)
    found = {**seen, "architecture": architecture}
    for member in ("tensors", "state"):
        if axes and isinstance(seen.get(member), dict):
            found[member] = {name: _permuted(tensor, axes.get(name if member == "tensors" else name.split(".", 2)[-1])) for name, tensor in seen[member].items()}
    return found


def _without_axes(graph: dict[str, Json], path: str, axes: dict[str, list[int]]) -> dict[str, Json]:
    layers = graph.get("layers")
    if not isinstance(layers, list) or not all(isinstance(one, dict) for one in layers):
        return graph
    return {**graph, "layers": [_layer_without_axes(one, f"{path}{one.get('name')}", axes) for one in layers]}


def _layer_without_axes(layer: dict[str, Json], path: str, axes: dict[str, list[int]]) -> dict[str, Json]:
    """`layer`, at `path`, without the axes of its weights, which go to `axes`, by the tensor."""
    held = dict(layer)
    references = held.pop("weights", None)
    if isinstance(references, dict):
        others = {}
        for role, one in references.items():
            if isinstance(one, dict) and one.keys() == {"tensor", "axes"} and one["tensor"] == f"{path}.{role}":
                axes[one["tensor"]] = one["axes"]
            else:
                others[role] = one
        held |= {"weights": others} if others else {}
    if isinstance(held.get("architecture"), dict):
        held["architecture"] = _without_axes(held["architecture"], f"{path}.", axes)
    if isinstance(held.get("sublayers"), dict):
        held["sublayers"] = {role: _layer_without_axes(one, f"{path}.{role}", axes) if isinstance(one, dict) else one for role, one in held["sublayers"].items()}
    return held


def _permuted(tensor: Json, axes: list[int] | None) -> Json:
    """`tensor` with its stored axis ``axes[i]`` as axis i, where its elements are spelled out."""
    if axes is None or not isinstance(tensor, dict) or "bits" not in tensor or sorted(axes) != list(range(len(tensor["shape"]))):
        return tensor
    shape = tensor["shape"]
    steps = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    places = [0]
    for axis in axes:
        places = [place + index * steps[axis] for place in places for index in range(shape[axis])]
    return {**tensor, "shape": [shape[axis] for axis in axes], "bits": [tensor["bits"][place] for place in places]}


def read_otherwise(expected: Mapping[str, Json], got: Json) -> str:
    """How the model that a converter read, `got`, differs from the one that the file holds.

    ``defaults`` says what a config need not. Of the state, slots count: what belongs to no weight repeats the configuration or sums up metrics.
    """
    if not isinstance(got, dict):
        return f'expected an object "observed", got {short(got)}'
    defaults = expected.get("defaults", {})
    sides = []
    for one in (expected, turned(got)):
        said = {name: value for name, value in one.items() if name in ("sections", "tensors", "state", "assets", *expected)}
        if isinstance(said.get("state"), dict):
            said["state"] = {name: tensor for name, tensor in said["state"].items() if name.startswith("optimizer.") and name.count(".") > 1}
        said |= {name: settled(said[name], defaults) for name in ("architecture", "training") if name in said}
        sides.append(said)
    wanted, given = sides
    wanted.pop("defaults", None)
    given.pop("defaults", None)
    found = difference(wanted, given)
    return found and f"observed{found}"


def _ordered(wanted: Json, given: Json) -> Json:
    """A list that was `given`, sorted where `wanted` is one whose order is free."""
    return {"any_order": sorted(given)} if isinstance(wanted, dict) and isinstance(given, list) else given


def written_otherwise(expected: Mapping[str, Json], seen: Mapping[str, Json]) -> str:
    """How a file as a stranger's reader sees it, `seen`, differs from what has to be in it.

    Of ``attributes``, those that are expected count, a list in ``any_order`` by what is in it; of ``outputs``, the numbers within `CLOSE`; of everything else, all.
    """
    for member, wanted in expected.items():
        given = seen.get(member)
        if member == "attributes" and isinstance(given, dict):
            given = {place: {name: _ordered(value, given.get(place, {}).get(name)) for name, value in names.items()} for place, names in wanted.items()}
        if member == "outputs" and isinstance(given, dict) and wanted.keys() == given.keys():
            far = ((name, departure(tensor, given[name], CLOSE)) for name, tensor in wanted.items())
            found = next((f"/{name} {said}" for name, said in far if said), "")
        else:
            found = difference(wanted, given)
        if found:
            return f"the file's {member}{found}"
    return ""
