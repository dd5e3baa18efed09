"""The data model: what a package says, apart from any file, framework or meaning of its types."""

from triptych.model.architecture import (
    Architecture,
    Call,
    Composite,
    Input,
    Json,
    Layer,
    NamedShape,
    Parameter,
    Shape,
    WeightReference,
    walk_layer,
)
from triptych.model.panels import Panels
from triptych.model.training import Component, Loss, Metric, Progress, Training
from triptych.model.weights import Tensor, Weights

__all__ = [
    "Architecture",
    "Call",
    "Component",
    "Composite",
    "Input",
    "Json",
    "Layer",
    "Loss",
    "Metric",
    "NamedShape",
    "Panels",
    "Parameter",
    "Progress",
    "Shape",
    "Tensor",
    "Training",
    "WeightReference",
    "Weights",
    "walk_layer",
]
