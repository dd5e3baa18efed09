"""The graph of a whole model: its inputs and outputs, its functions, and the variables that hold its weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from triptych.errors import InvalidModelError, UsageError, problem
from triptych.layouts import problems
from triptych.layouts.saved_model.graph import families
from triptych.layouts.saved_model.graph.attributes import Type, fill_shape, number_of
from triptych.layouts.saved_model.graph.emitting import Emitting
from triptych.layouts.saved_model.graph.values import Value
from triptych.layouts.saved_model.graph.variables import Variable, add_saver
from triptych.layouts.tensorflow import messages
from triptych.model import Architecture, Panels
from triptych.model.composites import expand
from triptych.vocabulary import infer

SIGNATURE = "serving_default"
METHOD = "tensorflow/serving/predict"
PRODUCER = 1882
"""The version of graphs whose operations these are: that of TensorFlow 2.17."""
assert families.FAMILIES


@dataclass(frozen=True, slots=True)
class ModelGraph:
    """What a SavedModel says of a model."""

    meta_graph: Any
    """A MetaGraph message with the graph, its signature and how its variables are restored."""
    variables: Sequence[Variable]
    """In the order in which they are first used."""


def graph_of(panels: Panels) -> ModelGraph:
    """The graph that predicts as the model of `panels` does.

    Raises:
        ConversionError: Layers or operations of it are none that a TensorFlow graph can be made of; all are named.
        InvalidModelError: The architecture does not fit together.
        UsageError: There is no architecture, or its layers need weights and there are none.
    """
    if panels.architecture is None:
        raise UsageError("expected a model with an architecture to write a SavedModel of, this one has none")
    architecture = expand(panels.architecture)
    if not architecture.inputs:
        raise problems.inexpressible("/inputs", "expected inputs with shapes: a signature names them, and this architecture has none")
    inference = infer(architecture)
    if inference.problems:
        raise InvalidModelError(tuple(problem(one.requirement, one.pointer, one.message) for one in inference.problems))
    emitting = Emitting(architecture, panels.weights.tensors if panels.weights else {}, panels.assets)
    emitting.refuse_unknown(architecture)
    given = [emitting.input(one) for one in architecture.inputs]
    outputs, _ = emitting.architecture(architecture, "", given, [None] * len(given))
    emitting.finish()
    names = architecture.outputs or (architecture.layers[-1].name if architecture.layers else architecture.inputs[0].name,)
    meta = messages.new("MetaGraph")
    meta.meta_info_def.tags.append("serve")
    _sign(meta, architecture, given, [_handed_out(one) for one in outputs], names)
    variables = list(emitting.variables.made.values())
    add_saver(meta, emitting.body, variables)
    meta.graph_def.node.extend(emitting.body.nodes)
    meta.graph_def.library.function.extend(emitting.body.library.functions)
    meta.graph_def.versions.producer = PRODUCER
    return ModelGraph(meta, variables)


def _handed_out(value: Value) -> Value:
    """`value` by way of a node of its own: an output may be an input, or a variable, as it is."""
    with value.body.within("outputs"):
        return value.body.one("Identity", [value], value.dtype, value.shape, T=Type(value.dtype))


def _sign(meta: Any, architecture: Architecture, given: Sequence[Value], outputs: Sequence[Value], names: Sequence[str]) -> None:
    """Name the inputs and outputs of the graph."""
    signature = meta.signature_def[SIGNATURE]
    signature.method_name = METHOD
    for one, value in zip(architecture.inputs, given, strict=True):
        _inform(signature.inputs[one.name], value)
    for name, value in zip(names, outputs, strict=True):
        _inform(signature.outputs[name], value)


def _inform(target: Any, value: Value) -> None:
    target.name = f"{value.ref}:0"
    target.dtype = number_of(value.dtype)
    fill_shape(target.tensor_shape, value.shape)
