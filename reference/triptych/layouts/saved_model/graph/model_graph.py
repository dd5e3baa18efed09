"""The graph of a whole model: its inputs and outputs, its functions, and the variables that hold its weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from triptych.errors import InvalidModelError, UsageError, problem
from triptych.layouts import problems
from triptych.layouts.saved_model.graph import families
from triptych.layouts.saved_model.graph.attributes import Type
from triptych.layouts.saved_model.graph.emitting import Emitting
from triptych.layouts.saved_model.graph.signature import sign
from triptych.layouts.saved_model.graph.tables import add_tables
from triptych.layouts.saved_model.graph.values import Value
from triptych.layouts.saved_model.graph.variables import Variable, add_saver
from triptych.layouts.tensorflow import messages
from triptych.model import Panels
from triptych.model.composites import expand
from triptych.vocabulary import infer

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
    meta = messages.new("MetaGraph")
    meta.meta_info_def.tags.append("serve")
    sign(meta, architecture, given, [_handed_out(one) for one in outputs])
    variables = list(emitting.variables.made.values())
    add_saver(meta, emitting.body, variables)
    add_tables(meta, emitting.body)
    meta.graph_def.node.extend(emitting.body.nodes)
    meta.graph_def.library.function.extend(emitting.body.library.functions)
    meta.graph_def.versions.producer = PRODUCER
    return ModelGraph(meta, variables)


def _handed_out(value: Value) -> Value:
    """`value` by way of a node of its own: an output may be an input, or a variable, as it is."""
    with value.body.within("outputs"):
        return value.body.one("Identity", [value], value.dtype, value.shape, T=Type(value.dtype))
