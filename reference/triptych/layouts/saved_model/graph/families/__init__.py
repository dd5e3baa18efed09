"""The emitters, one module for each family of types: importing this registers them all; a new family is named here."""

from triptych.layouts.saved_model.graph.families import (
    activation,
    attention,
    cells,
    convolution,
    convolutional_recurrent,
    core,
    lookup,
    merging,
    normalization,
    pooling,
    position,
    preprocessing,
    recurrent,
    reshaping,
    resizing,
    text,
    wrapping,
)
from triptych.layouts.saved_model.graph.families.operations import element_wise, joining, multiplying, reducing, shaping

FAMILIES = (
    *(core, activation, convolution, pooling, normalization, reshaping, resizing, merging, wrapping, position, recurrent, convolutional_recurrent, cells),
    *(attention, preprocessing, lookup, text),
    *(element_wise, joining, multiplying, reducing, shaping),
)
"""The modules that register emitters."""
