"""The way through an architecture: its layers in order or its calls one by one, into nested models and sublayers, with the masks on their way.

What a value is, an array or a node of a graph, and what a layer makes of it, the classes below `Walk` say.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from triptych.model import Architecture, Call, Json
from triptych.vocabulary.inference import LayerShapes

V = TypeVar("V")
WIDE = ("float32", "float64")
"""What layers compute in; one of narrower numbers computes in float32, on rounded operands, to a rounded result."""


class Walk(ABC, Generic[V]):
    """Goes through an architecture whose composites are expanded and whose shapes are inferred."""

    layers: Mapping[str, LayerShapes]
    """Pointer -> layer, for every layer at any depth."""

    @abstractmethod
    def made_by_layer(
        self, shapes: LayerShapes, inputs: Sequence[V], masks: Sequence[V | None], arguments: Mapping[str, Any]
    ) -> tuple[list[V], list[V | None]]:
        """What a layer that is no nested model makes of `inputs`."""

    @abstractmethod
    def made_by_operation(self, op: str, config: Mapping[str, Json], inputs: Sequence[V], pointer: str) -> list[V]:
        """What the operation of the call at `pointer` makes of `inputs`."""

    @abstractmethod
    def as_mask(self, said: V) -> V:
        """The mask that is a value of the graph (LYR-041)."""

    def architecture(
        self, architecture: Architecture, pointer: str, given: Sequence[V], masks: Sequence[V | None]
    ) -> tuple[list[V], list[V | None]]:
        """What `architecture`, standing at `pointer`, makes of one value for each of its inputs, and which steps of each count."""
        if architecture.calls is None:
            outputs, kept = list(given), list(masks)
            for index in range(len(architecture.layers)):
                outputs, kept = self.layer(f"{pointer}/layers/{index}", outputs, kept)
            return outputs, kept
        names = [value.name for value in architecture.inputs]
        values = dict(zip(names, given, strict=True))
        counting = dict(zip(names, masks, strict=True))
        pointers = {layer.name: f"{pointer}/layers/{index}" for index, layer in enumerate(architecture.layers)}
        for number, call in enumerate(architecture.calls):
            outputs, kept = self._call(call, f"{pointer}/calls/{number}", pointers, values, counting)
            values.update(zip(call.output_names, outputs, strict=True))
            counting.update(zip(call.output_names, kept, strict=True))
        return [values[name] for name in architecture.outputs], [counting[name] for name in architecture.outputs]

    def _call(
        self, call: Call, pointer: str, pointers: Mapping[str, str], values: Mapping[str, V], counting: Mapping[str, V | None]
    ) -> tuple[list[V], list[V | None]]:
        """What one call of a graph yields."""
        inputs = [values[name] for name in call.inputs]
        if call.op is not None:
            yielded = self.made_by_operation(call.op, call.config, inputs, pointer)
            return yielded, [None] * len(yielded)
        masks = [counting[name] for name in call.inputs]
        arguments = {name: _looked_up(value, values) for name, value in call.arguments.items()}
        return self.layer(pointers[call.layer], inputs, masks, arguments)

    def layer(
        self, pointer: str, inputs: Sequence[V], masks: Sequence[V | None], arguments: Mapping[str, Any] | None = None
    ) -> tuple[list[V], list[V | None]]:
        """What the layer at `pointer` makes of `inputs`."""
        shapes = self.layers[pointer]
        said = {name: value for name, value in (arguments or {}).items() if name != "training" and value is not None}
        masks = self._masks_said(said.pop("mask", None), masks)
        if shapes.layer.architecture is not None:
            return self.architecture(shapes.layer.architecture, f"{pointer}/architecture", inputs, masks)
        return self.made_by_layer(shapes, inputs, masks, said)

    def apply_in(self, shapes: LayerShapes) -> Callable[..., tuple[list[V], list[V | None]]]:
        """The `Computation.apply` of a layer."""

        def apply(
            role: str, given: Sequence[V], masks: Sequence[V | None] = (), arguments: Mapping[str, Any] | None = None
        ) -> tuple[list[V], list[V | None]]:
            return self.layer(f"{shapes.pointer}/sublayers/{role}", given, list(masks) or [None] * len(given), arguments)

        return apply

    def _masks_said(self, said: Any, masks: Sequence[V | None]) -> list[V | None]:
        """`masks`, or what a call's argument says instead: a value for its first input, or one or None for each."""
        if said is None:
            return list(masks)
        listed = said if isinstance(said, list) else [said, *masks[1:]]
        return [None if one is None else self.as_mask(one) for one in listed]


def _looked_up(value: Json, values: Mapping[str, Any]) -> Any:
    """A call's argument with the values it names in their places."""
    if isinstance(value, list):
        return [_looked_up(one, values) for one in value]
    if isinstance(value, dict) and set(value) == {"value"}:
        return values[value["value"]]
    return value
