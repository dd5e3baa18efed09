"""Composites, which Keras does not have, as nested models: each use holds the graph, and its weights stay where they are."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

from triptych.errors import shorten
from triptych.layouts.problems import inexpressible
from triptych.model import Architecture, Input, Layer, Shape
from triptych.model.composites import expansion, is_use
from triptych.vocabulary import Inference, infer


def without_composites(architecture: Architecture) -> tuple[Architecture, tuple[str, ...]]:
    """`architecture` with a nested model in the place of each use of a composite, and a note of each.

    Raises:
        ConversionError: A use goes on without end, or is called with values of different numbers of axes.
    """
    if not architecture.composites:
        return architecture, ()
    expanded, complete = expansion(architecture)
    if not complete:
        raise inexpressible("composites", "expected composites whose uses end, got one that holds itself or too many of them")
    run = _Nesting(infer(architecture))
    return replace(run.graph(expanded, "", ""), composites={}), tuple(run.notes)


class _Nesting:
    """Turns uses into nested models, top down, and notes each."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference
        self.notes: list[str] = []

    def graph(self, graph: Architecture, path: str, pointer: str) -> Architecture:
        layers = (self._layer(layer, f"{path}{layer.name}", f"{pointer}/layers/{index}") for index, layer in enumerate(graph.layers))
        return replace(graph, layers=tuple(layers))

    def _layer(self, layer: Layer, path: str, pointer: str) -> Layer:
        sublayers = {role: self._layer(one, f"{path}.{role}", f"{pointer}/sublayers/{role}") for role, one in layer.sublayers.items()}
        nested = layer.architecture
        if nested is None:
            return replace(layer, sublayers=sublayers) if sublayers else layer
        if is_use(layer):
            self.notes.append(f"layer {path}: the composite {layer.type} became a nested model")
            nested = replace(nested, inputs=self._inputs(nested, path, pointer))
        return replace(layer, type="Model", sublayers=sublayers, architecture=self.graph(nested, f"{path}.", f"{pointer}/architecture"))

    def _inputs(self, nested: Architecture, path: str, pointer: str) -> tuple[Input, ...]:
        """The inputs of a composite's graph, of the shapes that its calls give."""
        calls = self._inference.layers[pointer].calls
        known = list(zip(*(call.inputs for call in calls), strict=True))
        names = [value.name for value in nested.inputs] or (["input"] if nested.is_sequential else [])
        if len(known) != len(names):
            raise inexpressible(path, f"expected a layer that is called, to know the shapes of {len(names)} inputs, got {len(calls)} calls")
        return tuple(Input(name, reduce(_either, shapes, shapes[0])) for name, shapes in zip(names, map(_known, known), strict=True))


def _known(shapes: tuple[Shape | None, ...]) -> tuple[Shape, ...]:
    found = tuple(shape for shape in shapes if shape is not None)
    if len(found) < len(shapes):
        raise inexpressible("composites", "expected a composite that is called with values of known shapes, got one of unknown shape")
    return found


def _either(one: Shape, other: Shape) -> Shape:
    """The shape that both have, unknown where they differ."""
    if len(one) != len(other):
        raise inexpressible("composites", f"expected all calls of a composite to give as many axes, got {shorten(one)} and {shorten(other)}")
    return tuple(extent if extent == again else None for extent, again in zip(one, other, strict=True))
