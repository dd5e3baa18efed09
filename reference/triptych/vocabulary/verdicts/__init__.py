"""Verdicts: whether a framework can compute what a layer, an optimizer or a loss with its config means; data, and how it is looked up.

*exact*: with the framework's own layers and functions, the same numbers up to the rounding of floating point. *bounded*: by at
most what the verdict says, different. *inexpressible*: only with code of one's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from triptych.model import Architecture, Json, Layer
from triptych.model.composites import expand, is_use
from triptych.vocabulary.definition import LAYER_TYPES
from triptych.vocabulary.masking import makes_masks
from triptych.vocabulary.operations import operation
from triptych.vocabulary.verdicts import jax, keras, losses, operations, torch
from triptych.vocabulary.verdicts.rules import BOUNDED, EXACT, INEXPRESSIBLE, LISTED, RANKS, SAID, Rule, Rules, Table

LAYERS: Mapping[str, Table] = {"keras2": keras.KERAS2_LAYERS, "keras3": keras.KERAS3_LAYERS, "torch": torch.LAYERS, "jax": jax.LAYERS}
"""Framework -> layer type -> rules."""
OPTIMIZERS: Mapping[str, Table] = {
    "keras2": keras.KERAS2_OPTIMIZERS,
    "keras3": keras.KERAS3_OPTIMIZERS,
    "torch": torch.OPTIMIZERS,
    "jax": jax.OPTIMIZERS,
}
"""Framework -> optimizer type -> rules."""
LOSSES: Mapping[str, Table] = {
    "keras2": losses.KERAS2_LOSSES,
    "keras3": losses.KERAS3_LOSSES,
    "torch": losses.TORCH_LOSSES,
    "jax": losses.JAX_LOSSES,
}
"""Framework -> loss type -> rules."""
OPERATIONS: Mapping[str, Table] = {"keras2": operations.KERAS2, "keras3": operations.KERAS3, "torch": operations.TORCH, "jax": operations.JAX}
"""Framework -> operation -> rules."""
MASKS = "masks"
"""The member that only matters where something makes a mask."""
NAMES = {"keras": "keras3", "keras2": "keras2", "keras3": "keras3", "torch": "torch", "jax": "jax", "flax": "jax"}
"""What people call a framework -> the key of its tables."""

__all__ = [
    "BOUNDED",
    "EXACT",
    "INEXPRESSIBLE",
    "LAYERS",
    "LOSSES",
    "NAMES",
    "OPERATIONS",
    "OPTIMIZERS",
    "RANKS",
    "LayerVerdict",
    "Rule",
    "data",
    "of_layers",
    "of_loss",
    "of_operation",
    "of_operations",
    "of_optimizer",
    "of_type",
]


@dataclass(frozen=True, slots=True)
class LayerVerdict:
    """The verdict on one layer of an architecture."""

    path: str
    type: str
    rule: Rule


def _decided(rules: Rules | None, config: Mapping[str, Json], name: str) -> Rule:
    found = next((rule for rule in rules or () if rule.holds(config)), None)
    return found or Rule(INEXPRESSIBLE, f"nobody has said yet what {name} is there")


def of_type(framework: str, name: str, config: Mapping[str, Json]) -> Rule:
    """The verdict of `framework`, a key of `LAYERS`, on a layer of type `name`."""
    if ":" in name:
        return _of_extension(framework, name)
    found = LAYER_TYPES.get(name)
    resolved = found.resolve(config) if found is not None else config
    rule = _decided(LAYERS[framework].get(name), resolved, name)
    inner = [of_activation(framework, resolved[member]) for member in ("activation", "recurrent_activation") if resolved.get(member)]
    return max([rule, *inner], key=lambda one: RANKS.index(one.verdict))


def _of_extension(framework: str, name: str) -> Rule:
    owner = name.partition(":")[0]
    if owner == framework.rstrip("23"):
        return Rule(EXACT, "its own")
    return Rule(INEXPRESSIBLE, f"only {owner} knows what {name} computes")


def of_activation(framework: str, value: Json) -> Rule:
    """The verdict on an activation, a name or an object with type and config."""
    if isinstance(value, dict):
        return of_type(framework, value["type"], value.get("config", {}))
    return of_type(framework, value, {}) if ":" in value else Rule(EXACT, "a function")


def of_optimizer(framework: str, name: str, config: Mapping[str, Json]) -> Rule:
    """The verdict of `framework` on an optimizer."""
    from triptych.vocabulary.training import component_type

    found = component_type("optimizers", name)
    return _decided(OPTIMIZERS[framework].get(name), found.resolve(config) if found is not None else config, name)


def of_loss(framework: str, name: str, config: Mapping[str, Json]) -> Rule:
    """The verdict of `framework` on a loss."""
    from triptych.vocabulary.training import component_type

    if ":" in name:
        return _of_extension(framework, name)
    found = component_type("losses", name)
    return _decided(LOSSES[framework].get(name), found.resolve(config) if found is not None else config, name)


def data() -> dict[str, Json]:
    """All tables, for programs in any language: the first rule whose condition holds decides.

    A condition gives for each member of the config, defaults filled in, the values that will do.
    """
    return {
        "conditions": {
            LISTED: "any array",
            SAID: "anything but null and 0",
            MASKS: "of this member, any value where no layer and no call of the architecture makes a mask",
        },
        "layers": _all(LAYERS),
        "optimizers": _all(OPTIMIZERS),
        "losses": _all(LOSSES),
        "operations": _all(OPERATIONS),
    }


def _all(tables: Mapping[str, Table]) -> Json:
    return {framework: {name: [_plain(rule) for rule in rules] for name, rules in table.items()} for framework, table in tables.items()}


def _plain(rule: Rule) -> dict[str, Json]:
    plain: dict[str, Json] = {"verdict": rule.verdict, "how": rule.how}
    if rule.when:
        plain["when"] = {name: list(value) if isinstance(value, tuple) else [value] for name, value in rule.when.items()}
    if rule.bound:
        plain["bound"] = rule.bound
    if rule.training:
        plain["while"] = "training"
    return plain


def of_layers(framework: str, architecture: Architecture) -> Iterator[LayerVerdict]:
    """The verdict on every layer and sublayer, in the order of the document, what is nested after what holds it."""
    expanded = expand(architecture)
    masked = makes_masks(expanded)
    for layer in expanded.layers:
        yield from _of_layer(framework, layer, layer.name, masked=masked)


def _of_layer(framework: str, layer: Layer, path: str, *, masked: bool) -> Iterator[LayerVerdict]:
    judged = Rule(EXACT, "its layers, each judged by itself") if is_use(layer) else _of_either(framework, layer, masked=masked)
    yield LayerVerdict(path, layer.type, judged)
    for role, sublayer in layer.sublayers.items():
        yield from _of_layer(framework, sublayer, f"{path}.{role}", masked=masked)
    if layer.architecture is not None:
        for one in layer.architecture.layers:
            yield from _of_layer(framework, one, f"{path}.{one.name}", masked=masked)


def _of_either(framework: str, layer: Layer, *, masked: bool) -> Rule:
    """The verdict on a layer; where nothing makes a mask, by the rule about masks that suits the framework best."""
    said = of_type(framework, layer.type, layer.config)
    found = LAYER_TYPES.get(layer.type)
    member = next((one for one in found.fields if one.name == MASKS), None) if found is not None else None
    if masked or member is None:
        return said
    others = [of_type(framework, layer.type, {**layer.config, MASKS: value}) for value in member.kind.schema["enum"]]
    return min([said, *others], key=lambda one: RANKS.index(one.verdict))


def of_operation(framework: str, name: str, config: Mapping[str, Json]) -> Rule:
    """The verdict of `framework` on a call of operation `name`."""
    if ":" in name:
        return _of_extension(framework, name)
    found = operation(name)
    return _decided(OPERATIONS[framework].get(name), found.resolve(config) if found is not None else config, name)


def of_operations(framework: str, architecture: Architecture) -> Iterator[LayerVerdict]:
    """The verdict on every call of an operation, under the name of its first value, in the order of the document."""
    yield from _of_calls(framework, expand(architecture), "")


def _of_calls(framework: str, graph: Architecture, path: str) -> Iterator[LayerVerdict]:
    for call in graph.calls or ():
        if call.op is not None:
            yield LayerVerdict(f"{path}{call.outputs[0]}", call.op, of_operation(framework, call.op, call.config))
    for layer in graph.layers:
        if layer.architecture is not None:
            yield from _of_calls(framework, layer.architecture, f"{path}{layer.name}.")
