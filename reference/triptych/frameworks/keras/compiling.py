"""Compiles a live Keras model as a training configuration says, and puts the optimizer where it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from triptych.errors import Problem
from triptych.frameworks.keras import admission, optimizers, variables
from triptych.frameworks.keras.admission import Allow
from triptych.frameworks.keras.library import Library
from triptych.layouts.keras_weights.optimizer import STEP
from triptych.model import Json, Training
from triptych.vocabulary.training.optimizers import momentum_of

_BY_CONFIG = ("optimizer.learning_rate", "optimizer.outer_learning_rate")
"""Tensors that repeat what the configuration says, which counts."""
_ANEW = ("random.", "metrics.")
"""What another framework, and each epoch, begins anew."""


def compile_model(live: Any, library: Library, config: dict[str, Json], *, at_home: bool) -> None:
    """Compile `live` as `config` says, in either form that Keras has for it.

    Args:
        live: The model, with its weights.
        library: Its framework.
        config: A compile configuration, or the training configuration of HDF5 files.
        at_home: Whether the configuration was made by this framework on this backend, so that what it says of jit holds.
    """
    if "optimizer_config" not in config:
        live.compile_from_config(config if at_home else {key: value for key, value in config.items() if key != "jit_compile"})
        return
    module = library.module
    live.compile(
        optimizer=module.optimizers.deserialize(config["optimizer_config"]),
        loss=_each(config.get("loss"), module.losses.deserialize),
        loss_weights=config.get("loss_weights"),
        metrics=_each(config.get("metrics"), module.metrics.deserialize),
        weighted_metrics=_each(config.get("weighted_metrics"), module.metrics.deserialize),
    )


def _each(value: Json, make: Callable[[Json], Any]) -> Any:
    """`value` with what each configuration in it describes; names stay what they are, for the model to understand."""
    if isinstance(value, list):
        return [_each(item, make) for item in value]
    if isinstance(value, dict):
        return make(value) if "class_name" in value else {key: _each(item, make) for key, item in value.items()}
    return value


def restore(live: Any, library: Library, training: Training, names: Mapping[int, str], allow: Allow) -> None:
    """Give the optimizer of the compiled model `live` the slots and the count that `training` holds.

    A slot that it does not hold stays as the optimizer begins.

    Args:
        live: The model.
        library: Its framework.
        training: With the state.
        names: ``id`` of each weight -> its tensor.
        allow: Whether state without a place in this optimizer may be left out: only if ``inexpressible``.

    Raises:
        ConversionError: The state has tensors that this optimizer has no place for, or of other shapes.
    """
    optimizers.build(live.optimizer, list(live.trainable_variables))
    step = training.progress.step if training.progress is not None else None
    left = dict(training.state.tensors) if training.state is not None else {}
    problems: list[Problem] = []
    for target, variable in optimizers.state_of(live.optimizer, live.weights, lambda one: names.get(id(one))).items():
        tensor = left.pop(target, None)
        if target == STEP:
            if step is not None:
                variables.assign(variable, step)
        elif target in _BY_CONFIG:
            continue
        elif tensor is not None and tensor.shape != tuple(variable.shape):
            problems.append(admission.problem(target, f"expected shape {tuple(variable.shape)}, the state has {tensor.shape}"))
        elif tensor is not None:
            variables.assign(variable, tensor.array())
        elif target == "optimizer.u_product" and step is not None and training.optimizer is not None:
            variables.assign(variable, math.prod(momentum_of(training.optimizer.config, past) for past in range(1, step + 1)))
    if allow != "inexpressible":
        kind = type(live.optimizer).__name__
        problems += [
            admission.problem(name, f"expected state that {library.name}'s {kind} has a place for, got {name!r}; pass allow='inexpressible' to leave it out")
            for name in left
            if name not in _BY_CONFIG and not name.startswith(_ANEW) and not _follows(name, training)
        ]
    admission.refuse(problems)
    if hasattr(live.optimizer, "_u_product_counter") and live.run_eagerly and step is not None:
        live.optimizer._u_product_counter = step + 1  # noqa: SLF001 - tf-keras counts in Python how often it multiplied


def _follows(name: str, training: Training) -> bool:
    """Whether the tensor `name` follows from the count of updates, so that an optimizer may do without."""
    return name == "optimizer.u_product" and training.progress is not None and training.progress.step is not None
