"""What stands against building a model in one Keras: verdicts that are not good enough, notes of what is lost, unknown classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from triptych.errors import ConversionError, Problem, UsageError, shorten
from triptych.frameworks.keras.library import Library
from triptych.model import Architecture, Json, Training
from triptych.vocabulary import verdicts
from triptych.vocabulary.verdicts import Rule

Allow = Literal["exact", "bounded", "inexpressible"]
"""The worst verdict that is accepted."""
_ROOMS = (
    "layers", "models", "optimizers", "optimizers.schedules", "optimizers.legacy", "losses", "metrics", "initializers",
    "regularizers", "constraints", "activations", "mixed_precision", "dtype_policies", "quantizers",
)  # fmt: skip
"""Where a Keras has its own classes and functions."""
_MODULES = ("builtins", "keras", "tf_keras", "tensorflow")
_MODELS = ("Functional", "Model", "Sequential")
_WRAPPERS = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")
"""Layers in which Keras 2 keeps operations."""


def check_allow(allow: str) -> None:
    """Refuse what is no verdict.

    Raises:
        UsageError: It is none.
    """
    if allow not in verdicts.RANKS:
        raise UsageError(f"expected allow to be one of {', '.join(verdicts.RANKS)}, got {shorten(allow)}")


def refuse(problems: list[Problem]) -> None:
    """Raise all of `problems`, if there are any."""
    if problems:
        raise ConversionError(tuple(problems))


def problem(place: str, message: str) -> Problem:
    """What this framework cannot hold."""
    return Problem("LAYOUT_INEXPRESSIBLE", "", place, message)


def judged(architecture: Architecture, training: Training | None, library: Library, allow: Allow) -> list[Problem]:
    """The verdicts on layers, optimizer and losses that are worse than `allow`; of training only if there is any."""
    found = [
        problem(place, f"expected a type that {library.name} computes, got {name}, which is {_said(rule)}; pass allow={rule.verdict!r} to accept it")
        for place, name, rule in _rules(architecture, training, library.dialect)
        if verdicts.RANKS.index(rule.verdict) > verdicts.RANKS.index(allow) and not (rule.training and training is None)
    ]
    return list(dict.fromkeys(found))


def _said(rule: Rule) -> str:
    return f"{rule.verdict} there: {rule.how}" + (f" (within {rule.bound})" if rule.bound else "")


def _rules(architecture: Architecture, training: Training | None, dialect: str) -> Iterator[tuple[str, str, Rule]]:
    for layer in verdicts.of_layers(dialect, architecture):
        yield layer.path, layer.type, layer.rule
    for call in verdicts.of_operations(dialect, architecture):
        yield call.path, call.type, call.rule
    if training is not None and training.optimizer is not None:
        kind, config = training.optimizer.type, training.optimizer.config
        yield "optimizer", kind, Rule(verdicts.EXACT, "its own") if kind.startswith("keras:") else verdicts.of_optimizer(dialect, kind, config)
    for index, loss in enumerate(training.losses if training is not None else ()):
        yield f"losses/{index}", loss.type, verdicts.of_loss(dialect, loss.type, loss.config)


def lost(notes: tuple[str, ...], allow: Allow) -> list[Problem]:
    """A problem for each of `notes`: what the framework's configuration does not say."""
    return [] if allow == verdicts.INEXPRESSIBLE else [problem("", f"expected a model that the configuration can say whole, lost: {note}") for note in notes]


def unknown(configs: Mapping[str, Json], library: Library, custom_objects: Mapping[str, Any]) -> list[Problem]:
    """A problem for each class or function in `configs` that neither the framework nor `custom_objects` has."""
    names = dict.fromkeys(name for config in configs.values() for name in _custom(config, library))
    registered = library.module.saving.get_registered_object
    return [
        problem(name, f"expected custom_objects to have {name!r}, which {library.name} does not know, got none")
        for name in names
        if name not in custom_objects
        and name.rpartition(">")[2] not in custom_objects
        and registered(name, custom_objects=dict(custom_objects)) is None
    ]


def _custom(value: Json, library: Library) -> Iterator[str]:
    """Names of what is not the framework's own, outermost first."""
    if isinstance(value, list):
        for item in value:
            yield from _custom(item, library)
    elif isinstance(value, dict):
        name = value.get("config") if value.get("class_name") == "function" else value.get("class_name")
        if isinstance(name, str) and "config" in value and not _is_own(name, value, library):
            registered = value.get("registered_name")
            yield registered if isinstance(registered, str) else name
        for item in value.values():
            yield from _custom(item, library)


def _is_own(name: str, value: Mapping[str, Json], library: Library) -> bool:
    module = value.get("module")
    if name.startswith("__") or name in _MODELS or (library.dialect == "keras2" and name in _WRAPPERS):
        return True
    if isinstance(module, str):
        return module.split(".")[0] in _MODULES
    bare = name.removeprefix("Custom>")
    return any(hasattr(room, bare) for room in map(library.room, _ROOMS))
