"""The training vocabulary: what optimizers, losses, metrics, schedules, initializers, regularizers and constraints mean.

Each type is one definition (config, state, equivalents, formula); schemas, ``vocabulary.json`` and chapter 51 are generated.
"""

from __future__ import annotations

from triptych.vocabulary.training import constraints, initializers, losses, metrics, optimizers, regularizers, schedules  # noqa: F401 - register their types
from triptych.vocabulary.training.definition import FAMILIES, TYPES, ComponentType, Slot, component_type
from triptych.vocabulary.training.losses import loss
from triptych.vocabulary.training.metrics import metric
from triptych.vocabulary.training.step import Stepped, step

__all__ = ["FAMILIES", "TYPES", "ComponentType", "Slot", "Stepped", "component_type", "loss", "metric", "step"]
