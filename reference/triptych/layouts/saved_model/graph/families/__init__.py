"""The emitters, one module for each family of types: importing this registers them all; a new family is named here."""

from triptych.layouts.saved_model.graph.families import (
    activation,
    cells,
    convolution,
    convolutional_recurrent,
    core,
    merging,
    normalization,
    pooling,
    position,
    recurrent,
    reshaping,
    resizing,
    wrapping,
)

FAMILIES = (core, activation, convolution, pooling, normalization, reshaping, resizing, merging, wrapping, position, recurrent, convolutional_recurrent, cells)
"""The modules that register emitters."""
