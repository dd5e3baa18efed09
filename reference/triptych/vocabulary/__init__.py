"""The vocabulary: what layer types mean, as data, and what follows from them for an architecture.

A family of types is one module; importing it registers its definitions, and their order here is that of the specification.
"""

from __future__ import annotations

# The import order is the order of the specification's tables.
# isort: off
from triptych.vocabulary import (
    core,
    convolution,
    pooling,
    normalization,
    activation,
    reshaping,
    merging,
    recurrent,
    wrapping,
    attention,
)  # noqa: F401

# isort: on
from triptych.vocabulary.definition import LAYER_TYPES, Field, LayerType, Sublayer, Weight
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.inference import CallShapes, Inference, LayerShapes, Misfit, infer
from triptych.vocabulary.slots import WeightSlot, weight_slots

__all__ = [
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
