"""What each Keras makes of the masks of values that it merges: no configuration says it, so that the architecture has to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from triptych.layouts.keras_config.generations import Generation
from triptych.model import Architecture, Layer
from triptych.vocabulary import layer_type
from triptych.vocabulary.masking import makes_masks

MEMBER = "masks"


def rule_of(generation: Generation) -> str:
    """The rule by which `generation` merges masks; from 3.0 to 3.3 it lost them."""
    if generation < (3,):
        return "all"
    return "any" if generation >= (3, 4) else "none"


def with_rule(architecture: Architecture, generation: Generation) -> Architecture:
    """`architecture`, read from `generation`, with the rule said where a mask may reach it."""
    if not makes_masks(architecture) or rule_of(generation) == _default():
        return architecture
    return _saying(architecture, rule_of(generation))


def departures(architecture: Architecture, rule: str, text: str | None) -> Iterator[str]:
    """A sentence for each layer that merges masks by another rule than `rule`, which is that of Keras `text`."""
    if makes_masks(architecture):
        for path, _, layer in architecture.walk():
            said = layer.config.get(MEMBER, _default())
            if merges_masks(layer) and said != rule:
                yield f"layer {path}: Keras {text} merges masks by the rule {rule}, not by {said}"


def merges_masks(layer: Layer) -> bool:
    """Whether the type of `layer` has the member."""
    found = layer_type(layer.type)
    return found is not None and any(one.name == MEMBER for one in found.fields)


def _default() -> str:
    found = layer_type("Add")
    assert found is not None
    return str(found.resolve({})[MEMBER])


def _saying(architecture: Architecture, rule: str) -> Architecture:
    return replace(architecture, layers=tuple(_layer_saying(layer, rule) for layer in architecture.layers))


def _layer_saying(layer: Layer, rule: str) -> Layer:
    nested = layer.architecture
    return replace(
        layer,
        config={**layer.config, MEMBER: rule} if merges_masks(layer) else layer.config,
        sublayers={role: _layer_saying(one, rule) for role, one in layer.sublayers.items()},
        architecture=None if nested is None else _saying(nested, rule),
    )
