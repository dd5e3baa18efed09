"""Emission: an architecture as a TensorFlow graph, call by call, as the evaluator goes through it on arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from triptych.errors import ConversionError, Problem, shorten
from triptych.layouts.saved_model.graph.attributes import Extents, Type, number_of
from triptych.layouts.saved_model.graph.body import Body, Library
from triptych.layouts.saved_model.graph.elementary import cast as cast_to
from triptych.layouts.saved_model.graph.elementary import is_floating
from triptych.layouts.saved_model.graph.emission import (
    LAYER_EMITTERS,
    OPERATION_EMITTERS,
    Emission,
    Mask,
    OperationEmission,
    Refusal,
)
from triptych.layouts.saved_model.graph.values import Value
from triptych.layouts.saved_model.graph.variables import Variables
from triptych.model import Architecture, Input, Json, Tensor
from triptych.vocabulary import LayerShapes, LayerType, WeightSlot, infer, weight_slots
from triptych.vocabulary.operations import OPERATIONS
from triptych.vocabulary.walk import WIDE, Walk

Values = tuple[list[Value], list[Mask]]
"""Values, and which steps of each count."""


class Emitting(Walk[Value]):
    """An architecture whose composites are expanded, on its way into a graph."""

    def __init__(self, architecture: Architecture, tensors: Mapping[str, Tensor], assets: Mapping[str, Tensor]) -> None:
        inference = infer(architecture)
        self.body = Body(Library())
        self.variables = Variables(self.body, tensors)
        self.problems: dict[str, Problem] = {}
        """By place: what the graph cannot hold."""
        self.layers = inference.layers
        self._inference = inference
        self._slots: dict[str, list[WeightSlot]] = {}
        for slot in weight_slots(architecture, inference):
            self._slots.setdefault(slot.pointer, []).append(slot)
        self._assets = assets

    def refuse_unknown(self, architecture: Architecture, pointer: str = "") -> None:
        """Note every layer that is called and every operation for which there is no emitter, wherever it stands in `architecture`."""
        for place, shapes in self.layers.items():
            if shapes.calls and shapes.layer.architecture is None and shapes.layer.type not in LAYER_EMITTERS:
                self.refuse(place, _no_emitter(shapes))
        graphs = [(pointer, architecture)]
        graphs += [(f"{place}/architecture", shapes.layer.architecture) for place, shapes in self.layers.items() if shapes.layer.architecture]
        for place, graph in graphs:
            for number, call in enumerate(graph.calls or ()):
                if call.op is not None and call.op not in OPERATION_EMITTERS:
                    self.refuse(f"{place}/calls/{number}", f"expected an operation that a TensorFlow graph can be made of, got {shorten(call.op)}")

    def refuse(self, pointer: str, message: str) -> None:
        """Note what the graph cannot hold, once a place."""
        place = self._inference.place(pointer)
        self.problems.setdefault(place, Problem("LAYOUT_INEXPRESSIBLE", "", place, message))

    def input(self, declared: Input) -> Value:
        """The placeholder of an input."""
        name = self.body.unique(f"serving_default_{declared.name}")
        return self.body.one("Placeholder", [], declared.dtype, declared.shape, name=name, dtype=Type(declared.dtype), shape=Extents(declared.shape))

    def made_by_operation(self, op: str, config: Mapping[str, Json], inputs: Sequence[Value], pointer: str) -> list[Value]:
        """What the operation's emitter makes of `inputs`; stand-ins where it refuses."""
        narrow = {one.dtype for one in inputs if is_floating(one)} - set(WIDE)
        try:
            outputs = self._operated(op, config, [cast_to(one, "float32") if one.dtype in narrow else one for one in inputs])
        except Refusal as refusal:
            self.refuse(pointer, f"{shorten(op)}: {refusal}")
            shapes = self._inference.operations.get(pointer)
            return self._stand_ins(shapes.outputs if shapes else None, inputs)
        only = len(narrow) == 1 and not OPERATIONS[op].makes_dtype and all(one.dtype in narrow for one in inputs if is_floating(one))
        return [cast_to(one, next(iter(narrow))) if only and one.dtype == "float32" else one for one in outputs]

    def _operated(self, op: str, config: Mapping[str, Json], inputs: Sequence[Value]) -> list[Value]:
        emit = OPERATION_EMITTERS.get(op)
        if emit is None:
            raise Refusal("is none that a TensorFlow graph can be made of")
        with self.body.within(op):
            yielded = emit(OperationEmission(OPERATIONS[op].resolve(config), tuple(inputs), inputs[0].body if inputs else self.body))
        return yielded if isinstance(yielded, list) else [yielded]

    def made_by_layer(
        self, shapes: LayerShapes, inputs: Sequence[Value], masks: Sequence[Mask], arguments: Mapping[str, Any]
    ) -> Values:
        """What the layer's emitter makes of `inputs`; stand-ins where it refuses."""
        try:
            return self._emitted(shapes, inputs, masks, arguments)
        except Refusal as refusal:
            self.refuse(shapes.pointer, f"layer {shorten(shapes.path)}: {refusal}")
            known = shapes.calls[0].outputs if shapes.calls else None
            outputs = self._stand_ins(known, inputs)
            return outputs, [None] * len(outputs)

    def _emitted(self, shapes: LayerShapes, inputs: Sequence[Value], masks: Sequence[Mask], arguments: Mapping[str, Any]) -> Values:
        layer, found, emitter = shapes.layer, shapes.type, LAYER_EMITTERS.get(shapes.layer.type)
        if emitter is None or found is None:
            raise Refusal(_no_emitter(shapes))
        stored = layer.compute_dtype or layer.dtype
        if number_of(stored) is None:
            raise Refusal(f"expected a dtype that TensorFlow has, got {stored} for what it computes in")
        wide = stored if stored in WIDE else "float32"
        floats = "float" in stored and not found.keeps(shapes.config) and not found.takes_as_given
        with self.body.within(shapes.path.replace(".", "/")):
            call = Emission(
                config=shapes.config,
                inputs=tuple(_floating(one, stored, wide) if floats else one for one in (_computed_in(one, stored, wide) for one in inputs)),
                weights=self._weights(shapes.pointer, found, stored, wide),
                dtype=wide,
                arguments=arguments,
                masks=tuple(masks),
                sublayers=layer.sublayers,
                apply=self.apply_in(shapes),
                integers=stored if "int" in stored else "int64",
                assets=self._assets,
            )
            yielded = emitter.emit(call)
            outputs = yielded if isinstance(yielded, list) else [yielded]
            kept = list((emitter.mask or found.mask)(cast("Any", call), cast("Any", outputs)))
            return [_rounded(one, stored) for one in outputs], kept

    def _weights(self, pointer: str, found: LayerType, stored: str, wide: str) -> dict[str, Value]:
        """The weights of a layer by role, in canonical axis order, as it computes with them."""
        if not found.weights:
            return {}
        return {slot.role: _computed_in(self.variables.weight(slot), stored, wide) for slot in self._slots.get(pointer, ())}

    def as_mask(self, said: Value) -> Value:
        """A value that a call says as a mask, as booleans."""
        return cast_to(said, "bool")

    def _stand_ins(self, shapes: Sequence[Any] | None, inputs: Sequence[Value]) -> list[Value]:
        """Values in the place of those that what is refused would have yielded, so that all refusals are found.

        Raises:
            ConversionError: Nothing is known of them.
        """
        if shapes is None or None in shapes:
            self.finish()
        dtype = next((one.dtype for one in inputs if is_floating(one)), "float32")
        return [self.body.one("Placeholder", [], dtype, shape, dtype=Type(dtype), shape=Extents(shape)) for shape in shapes or ()]

    def finish(self) -> None:
        """Raise if anything was refused.

        Raises:
            ConversionError: With everything that was.
        """
        if self.problems:
            raise ConversionError(tuple(self.problems.values()))


def _no_emitter(shapes: LayerShapes) -> str:
    return f"layer {shorten(shapes.path)}: expected a type that a TensorFlow graph can be made of, got {shorten(shapes.layer.type)}"


def _computed_in(x: Value, stored: str, wide: str) -> Value:
    """A floating-point value as the layer's numbers, in the wide dtype; others, and all in a layer of integers, as they are."""
    if not is_floating(x) or "float" not in stored:
        return x
    return cast_to(_rounded(x, stored), wide)


def _floating(x: Value, stored: str, wide: str) -> Value:
    """Whole numbers and booleans as the layer's numbers, in the wide dtype."""
    return cast_to(cast_to(x, stored), wide) if "int" in x.dtype or x.dtype == "bool" else x


def _rounded(x: Value, stored: str) -> Value:
    """A floating-point value as the layer's numbers; others as they are."""
    return cast_to(x, stored) if is_floating(x) else x
