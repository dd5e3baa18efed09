"""Keras' architecture and training configurations, of every generation, as ours and back, without Keras.

Our terms are what counts; ``extensions.keras`` keeps the rest, so that the generation a configuration came from gets it back:

* of an architecture or training: ``dialect``, ``version`` and ``backend`` of the source (``taken_for`` where it names no version,
  ``theano`` where only its weights show that backend),
  ``wrapped`` for the form of ``.keras`` files, ``code_omitted``: places of lambdas' code; of an architecture also ``config`` (``list`` or
  ``object``) and ``input`` (``layer``, ``first`` or ``nested``) of a Sequential that says them unlike its generation, ``whole`` for a model
  kept as one opaque layer, ``branches`` for what a Sequential was whose Merge of models our graph says flat, ``text`` for one that no document
  can hold as data;
* of an input: ``before``, the layer it is listed before (null: at the end), and ``rank`` among its like;
* of an architecture: ``listed``, the order of layers and operations, where it is not the usual one;
* of a call of an operation: ``layer``, the name that Keras has for it, where it is not that of its value;
* of a layer of unknown type: ``weight_order``, its roles in Keras' order where that is not the order of names;
* of a nested model: ``first_call``, the index by which references name its first call;
* of all, and of layers, calls and optimizers: ``edits``, from what is generated to what there was, see `edits`.
"""

from triptych.layouts.keras_config.architecture import (
    left_out,
    read_model_config,
    source_generation,
    write_model_config,
    written_generation,
)
from triptych.layouts.keras_config.composites import without_composites
from triptych.layouts.keras_config.layers import name_of
from triptych.layouts.keras_config.optimizers import default_name as optimizer_name
from triptych.layouts.keras_config.training import read_training_config, write_training_config

__all__ = [
    "left_out",
    "name_of",
    "optimizer_name",
    "read_model_config",
    "read_training_config",
    "source_generation",
    "without_composites",
    "write_model_config",
    "write_training_config",
    "written_generation",
]
