"""The training panel as data: how the model is trained, how far it got, and the state to go on from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from triptych.model.architecture import Json
from triptych.model.weights import Weights


@dataclass(frozen=True, slots=True)
class Component:
    """A typed, parameterised part of training: an optimizer or a metric."""

    type: str
    config: Mapping[str, Json] = field(default_factory=dict)
    extensions: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Loss:
    """One term of the objective."""

    type: str
    config: Mapping[str, Json] = field(default_factory=dict)
    output: str | None = None
    """The output it is computed on; None when the model has one."""
    weight: float | None = None
    """Its factor in the sum; None means 1."""
    extensions: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metric:
    """One quantity that is reported and not optimised."""

    type: str
    config: Mapping[str, Json] = field(default_factory=dict)
    output: str | None = None
    weighted: bool = False
    """Whether sample weights apply."""
    extensions: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far training got."""

    step: int | None = None
    """Optimizer updates made so far."""
    epoch: int | None = None
    samples: int | None = None
    best: Mapping[str, float] = field(default_factory=dict)
    """Metric name -> best value seen."""


@dataclass(frozen=True, slots=True)
class Training:
    """Configuration and state of training."""

    optimizer: Component | None = None
    losses: tuple[Loss, ...] = ()
    metrics: tuple[Metric, ...] = ()
    progress: Progress | None = None
    state: Weights | None = None
    """Tensors: ``optimizer.<slot>.<weight>`` for a slot of the weight stored as tensor ``<weight>``,
    ``optimizer.<name>`` for a slot of the optimizer as a whole; other prefixes by extensions."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    extensions_used: tuple[str, ...] = ()
    extensions_required: tuple[str, ...] = ()
    extensions: Mapping[str, Json] = field(default_factory=dict)
