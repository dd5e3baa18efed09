"""TensorFlow graphs of models, made node by node without TensorFlow: each layer type and operation has an emitter."""

from triptych.layouts.saved_model.graph.model_graph import ModelGraph, graph_of
from triptych.layouts.saved_model.graph.variables import Variable

__all__ = ["ModelGraph", "Variable", "graph_of"]
