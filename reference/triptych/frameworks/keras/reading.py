"""Takes a live Keras model apart: its configurations through `keras_config`, its variables in place, no file in between."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from triptych.errors import UsageError, shorten
from triptych.frameworks.keras import optimizers, variables
from triptych.frameworks.keras.library import Library, of_model
from triptych.layouts import keras_config
from triptych.layouts.keras_config.architecture import omitted_code
from triptych.layouts.keras_config.layers import extension_of
from triptych.layouts.keras_weights.lineage import with_weights
from triptych.layouts.keras_weights.matching import Match, matches, with_unknown_weights
from triptych.layouts.keras_weights.optimizer import STEP
from triptych.layouts.keras_weights.places import top_layers
from triptych.layouts.problems import mismatch
from triptych.model import Architecture, Json, Panels, Progress, Training, WeightReference, Weights


def panels_of(
    live: Any, *, include_optimizer: bool = True, progress: Progress | None = None, lazily: bool = False
) -> Panels:
    """The panels of the live Keras model `live`.

    Args:
        live: A model of Keras 3 or tf-keras, with its weights made.
        include_optimizer: Whether to take what it was compiled with, and the state of its optimizer.
        progress: How far training got, as far as the caller knows; the step is the optimizer's own count.
        lazily: Read each variable only when its tensor is used, and then as it is at that time.

    Raises:
        UsageError: It is no Keras model, has no weights yet, or cannot say its configuration.
        InvalidModelError: Its weights are not those that its configuration speaks of.
    """
    library = of_model(live)
    variables.synchronise(live)
    if not live.built:
        raise UsageError(f"expected a model that has been built, {shorten(live.name)} has no weights yet; call it, or give it an Input")
    architecture = keras_config.read_model_config(_model_config(live, library), keras_version=library.version, backend=library.backend)
    stored = variables.groups(live, architecture)
    described = variables.described(stored)
    architecture = with_unknown_weights(architecture, described)
    found = list(matches(described, top_layers(architecture)))
    architecture, names = _named(architecture, found, stored)
    _check_all_are_there(live, names)
    held = {id(one): one for group in stored.values() for one in group}
    tensors = {tensor: variables.tensor(held[key], library, lazily=lazily) for key, tensor in names.items()}
    training = _training(live, library, architecture, names, lazily=lazily) if include_optimizer else None
    if progress is not None:
        training = training or Training()
        step = training.progress.step if training.progress is not None else progress.step
        training = replace(training, progress=replace(progress, step=step))
    return Panels(architecture=architecture, weights=Weights(tensors), training=training, name=architecture.name)


def _model_config(live: Any, library: Library) -> dict[str, Json]:
    """What the model says of its architecture, without what it was compiled with."""
    try:
        config: dict[str, Json] = json.loads(live.to_json())
    except (NotImplementedError, TypeError, ValueError) as error:
        raise UsageError(
            f"expected a model that says its configuration, {shorten(live.name)} does not: {shorten(str(error), 300)}"
        ) from error
    config.pop("compile_config", None)
    if library.dialect == "keras2":
        # Said already, beside the configuration of the model itself.
        config = {key: value for key, value in config.items() if key not in ("keras_version", "backend")}
    return config


def _named(architecture: Architecture, found: list[Match], stored: variables.Groups) -> tuple[Architecture, dict[int, str]]:
    """``id`` of each weight -> its tensor; a weight that stands in two places is one tensor that both of them name."""
    names: dict[int, str] = {}
    tied: dict[str, dict[str, WeightReference]] = {}
    for match in found:
        for index, place in zip(match.chosen, match.top.places, strict=True):
            key = id(stored[match.top.name][index])
            if names.setdefault(key, place.tensor) != place.tensor:
                tied.setdefault(place.owner.pointer, {})[place.role] = WeightReference(names[key], place.axes)
    return with_weights(architecture, tied), names


def _check_all_are_there(live: Any, names: Mapping[int, str]) -> None:
    for one in live.weights:
        if id(one) not in names:
            raise mismatch(variables.name(one), "expected each weight to belong to a layer of the model's configuration, found no layer for this one")


def _training(live: Any, library: Library, architecture: Architecture, names: Mapping[int, str], *, lazily: bool) -> Training | None:
    config = _compile_config(live, library)
    state = {name: variables.tensor(one, library, lazily=lazily) for name, one in variables.generators(live)}
    if config is None and not state:
        return None
    training = Training() if config is None else keras_config.read_training_config(config, architecture, keras_version=library.version)
    optimizer = getattr(live, "optimizer", None)
    if config is not None and optimizer is not None:
        found = optimizers.state_of(optimizer, live.weights, lambda one: names.get(id(one)))
        step = found.pop(STEP, None)
        if step is not None:
            training = replace(training, progress=Progress(step=int(variables.elements(step, library))))
        state = {name: variables.tensor(one, library, lazily=lazily) for name, one in found.items()} | state
    return replace(training, state=Weights(state)) if state else training


def _compile_config(live: Any, library: Library) -> dict[str, Json] | None:
    """What the model was compiled with; None if it was not."""
    config = live.get_compile_config()
    if not config:
        return None
    if not isinstance(config.get("optimizer"), dict) and getattr(live, "optimizer", None) is not None:
        # Given by its name. What wraps it was put around it by the model's policy, and will be again.
        optimizer = live.optimizer
        config = {**config, "optimizer": library.module.saving.serialize_keras_object(getattr(optimizer, "inner_optimizer", optimizer))}
    plain: dict[str, Json] = json.loads(json.dumps(config, default=_plain))
    return {**plain, "loss": _completed(plain.get("loss"), getattr(live, "loss", None))}


def _completed(config: Json, loss: Any) -> Json:
    """The configuration of `loss` with what Keras 3 leaves out of it: Huber's delta, for one."""
    if isinstance(config, list) and isinstance(loss, list | tuple) and len(config) == len(loss):
        return [_completed(one, given) for one, given in zip(config, loss, strict=True)]
    if isinstance(config, dict) and isinstance(loss, Mapping):
        return {name: _completed(one, loss.get(name)) for name, one in config.items()}
    arguments = getattr(loss, "_fn_kwargs", None)
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict) or not isinstance(arguments, Mapping):
        return config
    missing = {name: value for name, value in arguments.items() if isinstance(value, int | float)}
    return {**config, "config": {**missing, **config["config"]}}


def _plain(value: object) -> Json:
    """A number of numpy as one of Python."""
    item = getattr(value, "item", None)
    if item is None:
        raise UsageError(f"expected a model compiled with what has a configuration, got {shorten(value)}")
    return item()




def left_out(panels: Panels) -> list[str]:
    """A sentence for each thing of the live model that `panels` do not hold: code."""
    said = []
    for what, panel in (("model", panels.architecture), ("training", panels.training)):
        if panel is not None:
            said += omitted_code(extension_of(panel.extensions), what)
    return said
