"""The vocabulary: what layer types mean, as data, and what follows from them for an architecture.

A family of types is one module, which registers its definitions when it is imported; a new family is named here.
"""

from __future__ import annotations

from triptych.vocabulary import (
    activation,
    attention,
    augmentation,
    cells,
    convolution,
    core,
    lookup,
    merging,
    normalization,
    pooling,
    positions,
    preprocessing,
    recurrent,
    recurrent_convolution,
    reshaping,
    resizing,
    vectorization,
    wrapping,
)
from triptych.vocabulary.definition import LAYER_TYPES, Field, LayerType, Sublayer, Weight
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.inference import CallShapes, Inference, LayerShapes, Misfit, infer
from triptych.vocabulary.slots import WeightSlot, weight_slots

FAMILIES = (
    core,
    convolution,
    pooling,
    normalization,
    activation,
    reshaping,
    resizing,
    merging,
    recurrent,
    cells,
    recurrent_convolution,
    wrapping,
    attention,
    positions,
    preprocessing,
    augmentation,
    lookup,
    vectorization,
)
"""The modules that define types, in the order of the specification."""

__all__ = [
    "FAMILIES",
    "LAYER_TYPES",
    "CallShapes",
    "Field",
    "Inference",
    "LayerShapes",
    "LayerType",
    "Misfit",
    "ShapeError",
    "Sublayer",
    "Weight",
    "WeightSlot",
    "infer",
    "layer_type",
    "weight_slots",
]


def layer_type(name: str) -> LayerType | None:
    """The definition of layer type `name`; None if the vocabulary has none."""
    return LAYER_TYPES.get(name)
