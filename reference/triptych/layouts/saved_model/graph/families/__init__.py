"""The emitters, one module for each family of types: importing this registers them all; a new family is named here."""

from triptych.layouts.saved_model.graph.families import (
    activation,
    convolution,
    core,
    merging,
    normalization,
    pooling,
    position,
    reshaping,
    resizing,
    wrapping,
)

FAMILIES = (core, activation, convolution, pooling, normalization, reshaping, resizing, merging, wrapping, position)
"""The modules that register emitters."""
