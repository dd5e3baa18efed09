"""Composite layers: graphs with parameters that an architecture names once and uses as types of layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from triptych.errors import pointer_token
from triptych.model.architecture import Architecture, Call, Composite, Json, Layer, WeightReference

DEEPEST = 32
"""Layers (nested architectures, wrappers, uses of composites) that may stand around a use of a composite."""
MOST = 65536
"""Layers and calls that may come of all uses of composites together."""
PARAMETER = "parameter"


def expand(architecture: Architecture) -> Architecture:
    """`architecture` with the graph of its composite in each layer of such a type; the layer keeps its name and type.

    A use that would go on without end, or beyond what the specification allows, is left as it is.
    """
    return expansion(architecture)[0]


def expansion(architecture: Architecture) -> tuple[Architecture, bool]:
    """As `expand`; and whether every use has got its graph."""
    if not architecture.composites:
        return architecture, True
    run = _Expansion(architecture.composites)
    return run.graph(architecture, 0), run.complete


def within_bounds(architecture: Architecture) -> bool:
    """Whether every use gets its graph; each composite is counted once, and none holds itself."""
    try:
        _counted(architecture, 0, architecture.composites, {})
    except _BeyondBoundsError:
        return False
    return True


class _BeyondBoundsError(Exception):
    """Too many layers and calls, or too many layers around a use."""


def _counted(graph: Architecture, depth: int, composites: Mapping[str, Composite], known: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """Layers and calls that the uses in `graph`, `depth` layers deep, stand for; and how many layers of it are around the deepest use, -1 without one."""
    made, deepest = 0, -1
    for layer, around in _around(graph.layers):
        if layer.type not in composites or layer.architecture is not None:
            continue
        if depth + around > DEEPEST:
            raise _BeyondBoundsError
        if layer.type not in known:
            inner = composites[layer.type].architecture
            more, below = _counted(inner, depth + around + 1, composites, known)
            known[layer.type] = _size(inner) + more, below + 1
        size, height = known[layer.type]
        made, deepest = made + size, max(deepest, around + height)
        if made > MOST or depth + deepest > DEEPEST:
            raise _BeyondBoundsError
    return made, deepest


def _around(layers: Iterable[Layer], depth: int = 0) -> Iterator[tuple[Layer, int]]:
    """Each of `layers` and all inside them, and how many of these are around it."""
    for layer in layers:
        yield layer, depth
        yield from _around(layer.sublayers.values(), depth + 1)
        if layer.architecture is not None:
            yield from _around(layer.architecture.layers, depth + 1)


def is_use(layer: Layer) -> bool:
    """Whether `layer` of an expanded architecture stands for a composite."""
    return layer.architecture is not None and layer.type != "Model"


def values_of(composite: Composite, config: Mapping[str, Json]) -> dict[str, Json]:
    """The value of each parameter that has one."""
    said = {name: value for name, value in config.items() if name in composite.parameters}
    return {name: one.default for name, one in composite.parameters.items() if not one.required} | said


def parameters_in(value: Json, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Each parameter that a config names, as (JSON Pointer, name)."""
    name = _named(value)
    if name is not None:
        yield f"{pointer}/{PARAMETER}", name
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from parameters_in(item, f"{pointer}/{pointer_token(key)}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from parameters_in(item, f"{pointer}/{index}")


def _named(value: Json) -> str | None:
    if isinstance(value, Mapping) and len(value) == 1 and isinstance(name := value.get(PARAMETER), str):
        return name
    return None


def _filled(value: Json, values: Mapping[str, Json]) -> Any:
    """`value` with the values of parameters in their places."""
    name = _named(value)
    if name is not None:
        return values.get(name, value)
    if isinstance(value, Mapping):
        return {key: _filled(item, values) for key, item in value.items()}
    return [_filled(item, values) for item in value] if isinstance(value, list | tuple) else value


class _Expansion:
    """Counts what it makes, so that a short text does not become a long graph."""

    def __init__(self, composites: Mapping[str, Composite]) -> None:
        self._composites = composites
        self._sizes: dict[str, int] = {}
        self._made = 0
        self.complete = True

    def graph(self, graph: Architecture, depth: int) -> Architecture:
        return replace(graph, layers=tuple(self.layer(layer, depth) for layer in graph.layers))

    def layer(self, layer: Layer, depth: int) -> Layer:
        sublayers = {role: self.layer(one, depth + 1) for role, one in layer.sublayers.items()}
        if layer.architecture is not None:
            return replace(layer, sublayers=sublayers, architecture=self.graph(layer.architecture, depth + 1))
        composite = self._composites.get(layer.type)
        if composite is None:
            return replace(layer, sublayers=sublayers) if sublayers else layer
        inner = composite.architecture
        if layer.type not in self._sizes:
            self._sizes[layer.type] = _size(inner)
        self._made += self._sizes[layer.type]
        if depth > DEEPEST or self._made > MOST:
            self.complete = False
            return layer
        values = values_of(composite, layer.config)
        filled = replace(
            inner,
            layers=tuple(_with_values(one, values) for one in inner.layers),
            calls=None if inner.calls is None else tuple(_call_with_values(one, values) for one in inner.calls),
        )
        weights = dict(layer.weights)
        made = _with_weights(self.graph(filled, depth + 1), weights, "")
        return replace(layer, config={}, sublayers=sublayers, architecture=made, weights=weights)


def _size(graph: Architecture) -> int:
    """Layers and calls of `graph`, those inside layers included."""
    inside = sum(1 for _ in graph.walk())
    nested = [layer.architecture for _, _, layer in graph.walk() if layer.architecture is not None]
    return inside + len(graph.calls or ()) + sum(len(one.calls or ()) for one in nested)


def _with_values(layer: Layer, values: Mapping[str, Json]) -> Layer:
    nested = layer.architecture
    if nested is not None:
        nested = replace(
            nested,
            layers=tuple(_with_values(one, values) for one in nested.layers),
            calls=None if nested.calls is None else tuple(_call_with_values(one, values) for one in nested.calls),
        )
    sublayers = {role: _with_values(one, values) for role, one in layer.sublayers.items()}
    return replace(layer, config=_filled(layer.config, values), sublayers=sublayers, architecture=nested)


def _call_with_values(call: Call, values: Mapping[str, Json]) -> Call:
    return replace(call, config=_filled(call.config, values)) if call.config else call


def _with_weights(graph: Architecture, said: dict[str, WeightReference], prefix: str) -> Architecture:
    """`graph` with the weights that `said` names by path and role in their layers; what is placed leaves `said`."""
    return replace(graph, layers=tuple(_place(layer, said, f"{prefix}{layer.name}.") for layer in graph.layers)) if said else graph


def _place(layer: Layer, said: dict[str, WeightReference], prefix: str) -> Layer:
    mine = {name: one for name, one in said.items() if name.startswith(prefix) and "." not in name[len(prefix) :]}
    sublayers = {role: _place(one, said, f"{prefix}{role}.") for role, one in layer.sublayers.items()}
    nested = layer.architecture
    if nested is not None:
        nested = _with_weights(nested, said, prefix)
        return replace(layer, sublayers=sublayers, architecture=nested)
    for name in mine:
        del said[name]
    own = {name[len(prefix) :]: one for name, one in mine.items()}
    return replace(layer, sublayers=sublayers, weights={**layer.weights, **own})
