"""An optimizer as an object: with slots, as until TensorFlow 2.10; with a flat list of variables, as since 2.11 and in Keras 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_v3 import optimizer_state
from triptych.layouts.keras_weights.optimizer import Trained, default_entries
from triptych.layouts.keras_weights.step_count import scalar
from triptych.layouts.tensorflow.object_graph import Slot
from triptych.layouts.tf_checkpoint.building import GraphBuilder
from triptych.layouts.tf_checkpoint.objects import TRAINED
from triptych.model import Component, Tensor, Training

_LEGACY_SLOTS: Mapping[str, Mapping[str, str]] = {
    "Adam": {"momentum": "m", "velocity": "v", "velocity_hat": "vhat"}, "Nadam": {"momentum": "m", "velocity": "v"},
    "Adamax": {"momentum": "m", "norm": "v"}, "SGD": {"momentum": "momentum"}, "Adagrad": {"accumulator": "accumulator"},
    "RMSprop": {"velocity": "rms", "momentum": "momentum", "average_gradient": "mg"}, "Ftrl": {"accumulator": "accumulator", "linear": "linear"},
    "Adadelta": {"accumulated_grad": "accum_grad", "accumulated_delta_var": "accum_var"},
}  # fmt: skip
"""Optimizer -> slot -> what it was called until TensorFlow 2.10."""
_LEGACY_NUMBERS: Mapping[str, Sequence[str]] = {
    "Adam": ("beta_1", "beta_2"), "Nadam": ("beta_1", "beta_2", "momentum_cache"), "Adamax": ("beta_1", "beta_2"), "SGD": ("momentum",), "RMSprop": ("rho", "momentum"),
    "Adagrad": (), "Adadelta": ("rho",),
    "Ftrl": ("learning_rate_power", "l1_regularization_strength", "l2_regularization_strength", "beta"),
}  # fmt: skip
"""Optimizer -> its parameters that were variables, beside rate and decay."""
_RATE = optimizer_state.LEARNING_RATE


def add_optimizer(
    builder: GraphBuilder, node: int, training: Training, trained: Sequence[tuple[int, Trained]], generation: Generation, *, legacy: bool
) -> list[str]:
    """Make `node` the optimizer of `training`; a note of each thing in its state that is not stored.

    Args:
        builder: Where its variables go.
        node: The object.
        training: With the state as Keras stores it.
        trained: The weights that may be trained, in order, each after its object.
        generation: Whose optimizer it is.
        legacy: Whether it is one of before TensorFlow 2.11.
    """
    optimizer = training.optimizer
    if optimizer is None:
        state = training.state.tensors if training.state is not None else {}
        return [f"training state {name!r}: nothing says which optimizer it is of" for name in state]
    if legacy:
        return _add_legacy(builder, node, training, optimizer, trained)
    weights = [weight for _, weight in trained]
    variables, notes = optimizer_state.variables(training, weights, generation, "int64")
    state = training.state.tensors if training.state is not None else {}
    notes += [f"training state {name!r}: nothing says where in a checkpoint it belongs" for name in state if not name.startswith("optimizer.")]
    if not variables:
        return notes
    keras3 = generation >= (3,)
    names = [name for name, _ in default_entries(list(state), weights, optimizer.type, has_step=True, dialect=generation.dialect)]
    listed = builder.step(node, ("_variables",))
    for index, tensor in enumerate(variables):
        # Names are labels here, and as many as variables where the state has nothing else.
        label = names[index] if len(names) == len(variables) else f"{optimizer.type.lower()}/variable_{index}"
        builder.variable(builder.step(listed, (str(index),)), tensor, label.removesuffix(":0"))
    builder.children[node]["_iterations"] = builder.children[listed]["0"]
    scheduled = isinstance(optimizer.config.get("learning_rate"), Mapping)
    if keras3:
        if not scheduled:
            builder.children[node]["_learning_rate"] = builder.children[listed]["1"]
        owned = builder.step(node, (TRAINED,))
        builder.children[owned].update({str(index): one for index, one in enumerate(one for one, weight in trained if weight.trainable)})
        return notes
    rate = builder.step(node, ("_current_learning_rate",) if scheduled else ("_learning_rate",))
    if not scheduled or _RATE in state:
        builder.variable(rate, _rate(state, optimizer), "current_learning_rate" if scheduled else "learning_rate")
    kept = {_RATE, optimizer_state.U_PRODUCT}
    notes = [note for note in notes if not any(repr(name) in note for name in kept)]
    if optimizer.type == "Nadam":
        product = builder.step(node, ("_u_product",))
        if optimizer_state.U_PRODUCT in state:
            builder.variable(product, state[optimizer_state.U_PRODUCT], "u_product")
        else:
            notes.append("training state 'optimizer.u_product': the source has none, so that a live Nadam goes on with the product that it has")
    return notes


def _add_legacy(
    builder: GraphBuilder, node: int, training: Training, optimizer: Component, trained: Sequence[tuple[int, Trained]]
) -> list[str]:
    slots = _LEGACY_SLOTS.get(optimizer.type)
    state = dict(training.state.tensors if training.state is not None else {})
    if slots is None:
        return [f"training state {name!r}: what {optimizer.type} of before TensorFlow 2.11 calls it is not known" for name in state]
    step = training.progress.step if training.progress is not None else None
    kind = optimizer.type
    if step is not None or state:
        builder.variable(builder.step(node, ("iter",)), scalar(step or 0, "int64"), f"{kind}/iter")
    for name in ("decay", *_LEGACY_NUMBERS[kind]):
        number = builder.step(node, (name,))
        value = state.pop(f"optimizer.{name}", None)
        if value is None and isinstance(optimizer.config.get(name), int | float):
            value = scalar(optimizer.config[name], "float32")
        if value is not None:
            builder.variable(number, value, f"{kind}/{name}")
    if not isinstance(optimizer.config.get("learning_rate"), Mapping):
        builder.variable(builder.step(node, ("learning_rate",)), _rate(state, optimizer), f"{kind}/learning_rate")
    state.pop(_RATE, None)
    found = []
    for slot, word in slots.items():
        for variable, weight in trained:
            value = state.pop(f"optimizer.{slot}.{weight.tensor}", None)
            if value is not None:
                found.append(Slot(variable, word, builder.variable(builder.add(), value, f"{kind}/{weight.label}/{word}")))
    if found:
        builder.slots[node] = found
    return [f"training state {name!r}: {kind} of before TensorFlow 2.11 has no such variable" for name in state]


def _rate(state: Mapping[str, Tensor], optimizer: Component) -> Tensor:
    return state[_RATE] if _RATE in state else scalar(optimizer.config.get("learning_rate", 0.001), "float32")


__all__ = ["add_optimizer"]
