"""Puts a live Keras model together: made by the framework's own ``from_config``, then given its weights and its training."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from triptych import dtypes
from triptych.errors import ConversionError, Problem, UsageError, WeightsMismatchError, shorten
from triptych.frameworks.keras import admission, compiling, library, variables
from triptych.frameworks.keras.admission import Allow
from triptych.frameworks.keras.library import Library
from triptych.layouts import keras_config
from triptych.layouts.keras_config.layers import extension_of
from triptych.layouts.keras_weights.matching import matches, with_unknown_weights
from triptych.layouts.keras_weights.places import TopLayer, top_layers
from triptych.layouts.vocabularies import inlined
from triptych.model import Architecture, Json, Panels, Tensor, Training, Weights
from triptych.vocabulary import verdicts

_FAILURES = (TypeError, ValueError, KeyError, AttributeError, IndexError, NotImplementedError, ImportError)
"""What Keras raises when a configuration does not suit it."""


def live_of(
    panels: Panels,
    *,
    framework: str | None = None,
    with_training: bool = True,
    custom_objects: Mapping[str, Any] | None = None,
    allow: Allow = "exact",
) -> Any:
    """A live Keras model of `panels`, with their weights, and compiled to go on where its training stopped.

    Args:
        panels: With an architecture; without weights, the model begins as its initializers say.
        framework: ``keras`` or ``tf_keras``; None: where the model comes from, if it is installed, else the other.
        with_training: Whether to compile it and restore its optimizer, if the panels say how.
        custom_objects: Name -> class or function, for what the framework does not know.
        allow: The worst verdict that is accepted: ``exact``, ``bounded``, or ``inexpressible`` for as much as can be said.

    Raises:
        UsageError: There is no architecture.
        ConversionError: The framework computes something else, or knows a class not; every problem is listed.
        WeightsMismatchError: Weights are missing, left over or of another shape.
        UnsupportedError: The framework is not installed.
    """
    admission.check_allow(allow)
    panels = inlined(panels)
    if panels.architecture is None:
        raise UsageError("expected a model with an architecture to build it, this one has none")
    panels = replace(panels, architecture=keras_config.without_composites(panels.architecture)[0])
    assert panels.architecture is not None
    chosen = library.named(framework) if framework is not None else library.for_architecture(panels.architecture)
    training = panels.training if with_training and panels.training is not None and panels.training.optimizer is not None else None
    # A Keras that gets its own configuration back computes what it did.
    home = _is_from(panels.architecture.extensions, chosen) and (training is None or _is_from(training.extensions, chosen))
    admission.refuse(admission.judged(panels.architecture, training, chosen, max(allow, "bounded", key=verdicts.RANKS.index) if home else allow))
    config, notes = keras_config.write_model_config(panels.architecture, dialect=chosen.dialect)
    compile_config: dict[str, Json] | None = None
    if training is not None:
        compile_config, more = keras_config.write_training_config(training, panels.architecture, dialect=chosen.dialect)
        notes += more
    objects = dict(custom_objects or {})
    admission.refuse([*admission.lost(notes, allow), *admission.unknown({"model": config, "training": compile_config}, chosen, objects)])
    with chosen.module.saving.custom_object_scope(objects):
        live = _made(config, chosen)
        names = _fill(live, panels.architecture, panels.weights, allow) if panels.weights is not None else {}
        if compile_config is not None and training is not None:
            admission.refuse(_parted(names, allow))
            _compile(live, chosen, compile_config, at_home=home and _backend(panels.architecture) == chosen.backend)
            compiling.restore(live, chosen, training, names, allow)
    _restore_generators(live, panels.training)
    return live


def _made(config: dict[str, Json], chosen: Library) -> Any:
    """A model of `config`, with new weights."""
    plain: dict[str, Json] = json.loads(json.dumps(config))
    module = chosen.module
    try:
        if chosen.dialect == "keras2":
            return module.models.model_from_json(json.dumps(plain))
        if "module" in plain:
            return module.saving.deserialize_keras_object(plain)
        return (module.Sequential if plain["class_name"] == "Sequential" else module.Model).from_config(plain["config"])
    except _FAILURES as error:
        raise _failure("", "a configuration that it builds a model from", chosen, error) from error


def _compile(live: Any, chosen: Library, config: dict[str, Json], *, at_home: bool) -> None:
    try:
        compiling.compile_model(live, chosen, json.loads(json.dumps(config)), at_home=at_home)
    except _FAILURES as error:
        raise _failure("training", "a configuration that it compiles", chosen, error) from error
    if getattr(live, "optimizer", None) is None:
        raise ConversionError((admission.problem("training", "expected compile_from_config to compile the model, it did not"),))


def _failure(place: str, wanted: str, chosen: Library, error: Exception) -> ConversionError:
    return ConversionError((admission.problem(place, f"expected of {chosen.name} {chosen.version} {wanted}, got: {shorten(str(error), 1000)}"),))


def _is_from(extensions: Mapping[str, Json], chosen: Library) -> bool:
    return extension_of(extensions).get("dialect") == chosen.dialect


def _backend(architecture: Architecture) -> Json:
    return extension_of(architecture.extensions).get("backend")


# --- weights


def _fill(live: Any, architecture: Architecture, weights: Weights, allow: Allow) -> dict[int, str]:
    """Assign `weights` to the variables of `live`; ``id`` of each variable -> its tensor."""
    stored = variables.groups(live, architecture)
    described = variables.described(stored)
    tops = top_layers(with_unknown_weights(architecture, described))
    needed = dict.fromkeys(place.tensor for top in tops.values() for place in top.places)
    absent = [Problem("WEIGHT_MISSING", "", name, "expected this weight, the model has none") for name in needed if name not in weights]
    extra = [Problem("WEIGHT_UNEXPECTED", "", name, "expected a weight of a layer, no layer owns this tensor") for name in weights if name not in needed]
    if absent or extra:
        raise WeightsMismatchError((*absent, *extra))
    names: dict[int, str] = {}
    narrowed: list[Problem] = []
    for found in matches(described, {name: _with_shapes(top, weights) for name, top in tops.items()}):
        for index, place in zip(found.chosen, found.top.places, strict=True):
            variable, tensor = stored[found.top.name][index], weights.tensors[place.tensor]
            if allow == "exact" and not _holds(variables.dtype(variable), tensor.dtype):
                narrowed.append(admission.problem(place.tensor, f"expected a dtype that {variables.dtype(variable)} holds, got {tensor.dtype}"))
                continue
            array = tensor.array()
            variables.assign(variable, array if place.axes is None else array.transpose(place.axes))
            names[id(variable)] = place.tensor
    admission.refuse(narrowed)
    return names


def _parted(names: Mapping[int, str], allow: Allow) -> list[Problem]:
    """A problem for each tensor that became two variables, which training would lead apart."""
    if allow == "inexpressible":
        return []
    shared = [name for name, count in Counter(names.values()).items() if count > 1]
    return [admission.problem(name, "expected each weight in one place to train it, Keras makes two of one that nested models share; pass compile=False to load it all the same") for name in shared]


def _with_shapes(top: TopLayer, weights: Weights) -> TopLayer:
    """`top` with the shapes that its weights have, as Keras orders their axes."""
    places = []
    for place in top.places:
        shape = weights.tensors[place.tensor].shape
        places.append(replace(place, shape=shape if place.axes is None else tuple(shape[axis] for axis in place.axes)))
    return replace(top, places=tuple(places))


def _holds(wide: str, narrow: str) -> bool:
    """Whether each value of dtype `narrow` is one of `wide`, too."""
    import numpy as np

    return wide == narrow or np.can_cast(dtypes.numpy_dtype(narrow), dtypes.numpy_dtype(wide), "safe")


def _restore_generators(live: Any, training: Training | None) -> None:
    """Put the random-number generators where they were; those of another framework begin anew."""
    state: Mapping[str, Tensor] = training.state.tensors if training is not None and training.state is not None else {}
    for name, variable in variables.generators(live):
        if name in state and state[name].shape == tuple(variable.shape):
            variables.assign(variable, state[name].array())
