"""Operations that Keras keeps in graphs as if they were layers, as calls of ours, and back.

Keras 2 wraps functions of TensorFlow in layers (`tensorflow`), before 2.4 nodes of its graphs (`graph_nodes`); Keras 3 has operations of
its own (`keras3`). One whose function and
arguments mean exactly one operation of the vocabulary becomes a call; arrays among its arguments become calls of ``constant``.
What means anything else stays a layer of an extension type.
"""

from triptych.layouts.keras_config.operations.dtypes import dtype_of_layer, dtypes_yielded
from triptych.layouts.keras_config.operations.functions import Lacking
from triptych.layouts.keras_config.operations.reading import read_operation, stands_for_operation
from triptych.layouts.keras_config.operations.said import Constant, Context, Said, Tensor, config_of
from triptych.layouts.keras_config.operations.writing import constant_of, repeated_elements, write_operation

__all__ = [
    "Constant",
    "Context",
    "Lacking",
    "Said",
    "Tensor",
    "config_of",
    "constant_of",
    "dtype_of_layer",
    "dtypes_yielded",
    "read_operation",
    "repeated_elements",
    "stands_for_operation",
    "write_operation",
]
