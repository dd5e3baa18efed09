"""One update of the weights, as any optimizer makes it: scaling, accumulation, clipping, decay, its formula, averages, constraints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from triptych.errors import UsageError, shorten
from triptych.model import Component, Json
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.expressions import evaluate
from triptych.vocabulary.training.definition import ComponentType, Slot, component_type
from triptych.vocabulary.training.optimizers import momentum_of
from triptych.vocabulary.training.schedules import rate_of
from triptych.vocabulary.training.update import Update

PREFIX = "optimizer."


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one gradient makes of a model."""

    weights: dict[str, Array]
    state: dict[str, Array]
    """By the names that chapter 50 gives: ``optimizer.<slot>.<weight>`` and ``optimizer.<slot>``."""


def slots_of(kind: ComponentType, config: Mapping[str, Json], *, rank: int) -> tuple[Slot, ...]:
    """The slots of a weight of `rank` under a resolved `config`, shared ones too."""
    found = (one for one in kind.slots if one.when is None or evaluate(one.when, config))
    return tuple(one for one in found if one.rank[0] <= rank and (one.rank[1] is None or rank <= one.rank[1]))


def step(
    optimizer: Component,
    weights: Mapping[str, Array],
    gradients: Mapping[str, Array],
    state: Mapping[str, Array],
    *,
    count: int,
    epoch: int = 0,
    learning_rate: float | None = None,
    constraints: Mapping[str, Component] | None = None,
    axes: Mapping[str, tuple[int, ...] | None] | None = None,
) -> Stepped:
    """The weights and the state after one more gradient; nothing is changed in place.

    Args:
        optimizer: Of a type of the vocabulary, with a config that its schema takes.
        weights: Tensor name -> array. The arithmetic is that of their dtype.
        gradients: Tensor name -> array, for the weights that are trained.
        state: Slots as they are; those that are not there begin with their initial values.
        count: Gradients seen before this one: ``progress.step``.
        epoch: Epochs completed, for schedules that count them.
        learning_rate: Takes the place of the config's.
        constraints: Tensor name -> what it is projected to after the update.
        axes: Tensor name -> the stored axis that holds each canonical one, for constraints; None: as stored.

    Raises:
        UsageError: The vocabulary has no such optimizer, or a gradient belongs to no weight.
    """
    kind = component_type("optimizers", optimizer.type)
    if kind is None:
        raise UsageError(f"expected an optimizer of the vocabulary, got {shorten(optimizer.type)}")
    if unknown := sorted(set(gradients) - set(weights)):
        raise UsageError(f"expected gradients of weights, got one of {shorten(unknown[0])}")
    config = kind.resolve(optimizer.config)
    after, kept = dict(weights), dict(state)
    scale = config["loss_scale_factor"] or 1.0
    flows = {name: np.asarray(g, weights[name].dtype) / weights[name].dtype.type(scale) for name, g in gradients.items()}
    many = config["gradient_accumulation_steps"]
    updates = count if many is None else count // many
    if many is not None:
        sums = {name: g + state.get(f"{PREFIX}accumulated_gradient.{name}", np.zeros_like(g)) for name, g in flows.items()}
        due = (count + 1) % many == 0
        kept |= {f"{PREFIX}accumulated_gradient.{name}": np.zeros_like(g) if due else g for name, g in sums.items()}
        flows = {name: g / many for name, g in sums.items()} if due else {}
    flows = clipped(flows, config)
    if flows:
        rate = rate_of(config["learning_rate"], step=count, epoch=epoch, state=state) if learning_rate is None else learning_rate
        rate /= 1.0 + config["decay"] * count
        shared = _shared(kind, config, kept, updates)
        for name, g in flows.items():
            after[name] = _updated(kind, config, name, g, after[name], kept, shared, rate, updates)
        if config["use_ema"]:
            _average(config, weights, after, kept, tuple(flows), updates)
    for name, constraint in (constraints or {}).items():
        projection = component_type("constraints", constraint.type)
        if name in flows and projection is not None:
            after[name] = _projected(projection, constraint, after[name], (axes or {}).get(name))
    return Stepped(after, kept)


def _projected(projection: ComponentType, constraint: Component, weight: Array, axes: tuple[int, ...] | None) -> Array:
    order = tuple(range(weight.ndim)) if axes is None else axes
    found: Array = projection.formula(projection.resolve(constraint.config), weight.transpose(order))
    return np.asarray(found.transpose(np.argsort(order)), weight.dtype)


def clipped(gradients: Mapping[str, Array], config: Mapping[str, Json]) -> dict[str, Array]:
    """`gradients` within the bounds that a resolved config sets."""
    found = dict(gradients)
    added = config["clip_epsilon"]
    if config["clipnorm"] is not None:
        found = {name: g * _factor(config["clipnorm"], _norm(g), added) for name, g in found.items()}
    if config["global_clipnorm"] is not None and found:
        factor = _factor(config["global_clipnorm"], math.sqrt(sum(_norm(g) ** 2 for g in found.values())), added)
        found = {name: g * factor for name, g in found.items()}
    if config["clipvalue"] is not None:
        found = {name: np.clip(g, -config["clipvalue"], config["clipvalue"]) for name, g in found.items()}
    return found


def _norm(g: Array) -> float:
    return float(np.sqrt(np.sum(np.square(g, dtype=np.float64))))


def _factor(largest: float, norm: float, added: float) -> float:
    return 1.0 if norm + added <= largest else largest / (norm + added)


def _shared(kind: ComponentType, config: Mapping[str, Json], kept: dict[str, Array], count: int) -> dict[str, float]:
    if not any(slot.name == "u_product" for slot in kind.slots):
        return {}
    name = f"{PREFIX}u_product"
    # A file that does not hold it loses nothing: it follows from the count.
    before = float(kept[name]) if name in kept else math.prod(momentum_of(config, past) for past in range(1, count + 1))
    product = before * momentum_of(config, count + 1)
    kept[name] = np.asarray(product, kept[name].dtype if name in kept else np.float64)
    return {"u_product": product}


def _updated(  # noqa: PLR0917 - one step of `step`
    kind: ComponentType,
    config: Mapping[str, Json],
    name: str,
    g: Array,
    w: Array,
    kept: dict[str, Array],
    shared: Mapping[str, float],
    rate: float,
    count: int,
) -> Array:
    """The weight `name` after its update; its slots go into `kept`."""
    strength, mode = config["weight_decay"], config["decay_mode"]
    if strength is not None and mode == "l2":
        g = g + strength * w
    if strength is not None and mode == "decoupled":
        w = w - (strength * rate) * w
    slots = {}
    for slot in slots_of(kind, config, rank=w.ndim):
        if slot.shared or slot.name in ("average", "accumulated_gradient"):
            continue
        stored = kept.get(f"{PREFIX}{slot.name}.{name}")
        slots[slot.name] = initial(slot, config, w) if stored is None else np.asarray(stored, w.dtype)
    new, changed = kind.formula(Update(config, w, g, slots, shared, rate, count + 1))
    kept |= {f"{PREFIX}{slot}.{name}": np.asarray(value, w.dtype) for slot, value in changed.items()}
    return np.asarray(new, w.dtype)


def initial(slot: Slot, config: Mapping[str, Json], weight: Array) -> Array:
    """What a slot of `weight` holds before the first update."""
    value = config[slot.initial] if slot.initial in config else float(slot.initial)
    return np.full(evaluate(slot.shape, {**config, "weight": list(weight.shape)}), value, weight.dtype)


def _average(  # noqa: PLR0917 - one step of `step`
    config: Mapping[str, Json],
    before: Mapping[str, Array],
    after: dict[str, Array],
    kept: dict[str, Array],
    names: tuple[str, ...],
    count: int,
) -> None:
    """Move the averages of weights, and put them in the weights' place when it is time."""
    every, old = config["ema_overwrite_frequency"], config["ema_momentum"]
    for name in names:
        slot = f"{PREFIX}average.{name}"
        begin = before[name] if config["ema_start"] == "weight" else after[name]
        kept[slot] = kept.get(slot, begin) * old + after[name] * (1.0 - old)
        if every is not None and (count + 1) % every == 0:
            after[name] = kept[slot].copy()
