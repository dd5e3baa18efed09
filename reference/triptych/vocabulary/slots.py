"""Weight slots: every weight an architecture owns, in the order of ``get_weights()``."""

from __future__ import annotations

from dataclasses import dataclass

from triptych.model import Architecture, Layer, Shape
from triptych.vocabulary.inference import Inference, LayerShapes, infer


@dataclass(frozen=True, slots=True)
class WeightSlot:
    """One weight of one layer, and the tensor that holds it."""

    path: str
    """Of the layer that owns it."""
    role: str
    pointer: str
    """JSON Pointer of the layer."""
    tensor: str
    """Name of the stored tensor: the canonical one, or what the layer says."""
    axes: tuple[int, ...] | None
    """``axes[i]`` is the stored axis that holds canonical axis i; None: as stored."""
    shape: Shape | None
    """In canonical axis order; None when it cannot be known from the architecture."""
    dtype: str
    trainable: bool
    """Whether its role, its layer and every layer around it are trainable."""
    layer: Layer
    place: str = ""
    """JSON Pointer of the layer in the document: for one inside a composite, that of the use."""

    @property
    def stored_shape(self) -> Shape | None:
        """The shape in the order of the stored axes; None when unknown, or when `axes` does not permute the shape's axes."""
        if self.shape is None or self.axes is None:
            return self.shape
        if sorted(self.axes) != list(range(len(self.shape))):
            return None
        stored = [0] * len(self.shape)
        for extent, axis in zip(self.shape, self.axes, strict=True):
            assert extent is not None
            stored[axis] = extent
        return tuple(stored)


def weight_slots(architecture: Architecture, inference: Inference | None = None) -> tuple[WeightSlot, ...]:
    """Every weight of `architecture`: layers in document order, a layer's own before those inside it, roles in table order."""
    inference = inference or infer(architecture)
    return tuple(slot for shapes in inference.layers.values() for slot in _slots_of(shapes, inference.place(shapes.pointer)))


def _slots_of(shapes: LayerShapes, place: str) -> list[WeightSlot]:
    layer = shapes.layer
    if shapes.type is None:
        # An extension type lists all its weights.
        rows: list[tuple[str, Shape | None, bool, str]] = [(role, None, True, layer.dtype) for role in layer.weights]
    else:
        rows = [(weight.role, shape, weight.trainable, weight.dtype or layer.dtype) for weight, shape in shapes.weights]
    slots = []
    for role, shape, by_table, dtype in rows:
        said = layer.weights.get(role)
        tensor = f"{shapes.path}.{role}" if said is None else said.tensor
        axes = None if said is None else said.axes
        trainable = by_table if said is None or said.trainable is None else said.trainable
        slots.append(
            WeightSlot(shapes.path, role, shapes.pointer, tensor, axes, shape, dtype, trainable and shapes.trainable, layer, place)
        )
    return slots
