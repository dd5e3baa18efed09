"""The architecture panel as data: layers, calls and the values between them. Knows no file and no framework."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Any
"""Plain data: what a document holds. Treated as immutable wherever it is part of a model."""

Shape = tuple[int | None, ...]
"""Extents from the outside in; None where an extent is not known before a call (the batch, a sequence length)."""

NamedShape = tuple[int | str | None, ...]
"""A shape that has names for extents that are not known but equal wherever the name stands."""


@dataclass(frozen=True, slots=True)
class Input:
    """One value that a caller of the model supplies."""

    name: str
    shape: Shape
    """With the batch extent first. An input of a composite has none (None), for it takes what a call gives."""
    dtype: str = "float32"
    metadata: Mapping[str, str] = field(default_factory=dict)
    extensions: Mapping[str, Json] = field(default_factory=dict)
    names: tuple[str | None, ...] = ()
    """Names of extents that are not known, each at its axis; empty where none has one."""

    @property
    def named_shape(self) -> NamedShape:
        """The shape with its names."""
        if not self.names:
            return self.shape
        return tuple(extent if name is None else name for extent, name in zip(self.shape, self.names, strict=True))


@dataclass(frozen=True, slots=True)
class WeightReference:
    """Where one weight of a layer is stored, if not under its canonical name in canonical axis order."""

    tensor: str
    """Name of a tensor of the weights section; two layers may name the same one (tied weights)."""
    axes: tuple[int, ...] | None = None
    """``axes[i]`` is the stored axis that holds canonical axis i; None when they agree."""
    trainable: bool | None = None
    """None: as the layer type's table says."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A named, typed, parameterised part of a network; owns weights; may be called any number of times."""

    name: str
    """Unique among its siblings; empty for a sublayer, which its key names."""
    type: str
    """A type of the vocabulary, ``Model`` for a nested architecture, or an extension type such as ``keras:RandomFlip``."""
    config: Mapping[str, Json] = field(default_factory=dict)
    sublayers: Mapping[str, Layer] = field(default_factory=dict)
    """The layers that a wrapper applies, by the role its type gives them (``forward``, ``layer``)."""
    architecture: Architecture | None = None
    """The nested graph of a layer of type ``Model``."""
    weights: Mapping[str, WeightReference] = field(default_factory=dict)
    """Exceptions to the naming rule, by role; an extension type lists all its weights here."""
    trainable: bool = True
    dtype: str = "float32"
    """Of its weights."""
    compute_dtype: str | None = None
    """Of its computation, where that differs from `dtype`."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    extensions: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One application of a layer, or of an operation, to values."""

    layer: str
    """Empty where an operation is called."""
    inputs: tuple[str, ...]
    arguments: Mapping[str, Json] = field(default_factory=dict)
    """Keyword arguments: literals, or ``{"value": NAME}`` for a value of the graph, or lists of those."""
    outputs: tuple[str, ...] = ()
    """Names of the values it yields; empty means one value, named as the layer."""
    extensions: Mapping[str, Json] = field(default_factory=dict)
    op: str | None = None
    """An operation of the vocabulary, or an extension operation such as ``torch:unfold``; None where a layer is called."""
    config: Mapping[str, Json] = field(default_factory=dict)
    """Of the operation."""

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the values this call yields."""
        return self.outputs or (self.layer,)


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a composite leaves open."""

    default: Json = None
    required: bool = True
    """Whether every use has to say it; `default` then means nothing."""


@dataclass(frozen=True, slots=True)
class Composite:
    """A graph that layers use as their type; ``{"parameter": NAME}`` in its configs stands for what a use says."""

    architecture: Architecture
    """Its inputs have names and no shapes: those are a call's."""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Architecture:
    """A graph of layers; sequential when it has no calls."""

    layers: tuple[Layer, ...]
    inputs: tuple[Input, ...] = ()
    calls: tuple[Call, ...] | None = None
    """In an order in which each call names only inputs and values of earlier calls; None: each layer in turn."""
    outputs: tuple[str, ...] = ()
    """Names of values; empty for a sequential architecture, which yields its last layer's value."""
    name: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    extensions_used: tuple[str, ...] = ()
    extensions_required: tuple[str, ...] = ()
    extensions: Mapping[str, Json] = field(default_factory=dict)
    composites: Mapping[str, Composite] = field(default_factory=dict)
    """By the name that layers have as their type; only of the outermost architecture."""

    @property
    def is_sequential(self) -> bool:
        """Whether the layers are applied one after the other."""
        return self.calls is None

    def walk(self, prefix: str = "", pointer: str = "") -> Iterator[tuple[str, str, Layer]]:
        """Every layer that can own weights, outermost first, as (path, JSON Pointer, layer).

        A path joins layer names and sublayer roles with dots: ``encoder.bi.forward``.
        """
        for index, layer in enumerate(self.layers):
            yield from walk_layer(layer, f"{prefix}{layer.name}", f"{pointer}/layers/{index}")


def walk_layer(layer: Layer, path: str, pointer: str) -> Iterator[tuple[str, str, Layer]]:
    """`layer` and every layer inside it, as (path, JSON Pointer, layer); see `Architecture.walk`."""
    yield path, pointer, layer
    for role, sublayer in layer.sublayers.items():
        yield from walk_layer(sublayer, f"{path}.{role}", f"{pointer}/sublayers/{role}")
    if layer.architecture is not None:
        yield from layer.architecture.walk(f"{path}.", f"{pointer}/architecture")
