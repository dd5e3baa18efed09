"""Whether the config of an optimizer, a loss, a schedule or an initializer is what its type's table says (chapters 50 and 51)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from triptych.checks.registry import Found, check
from triptych.documents import schemas
from triptych.documents.scalars import spell
from triptych.errors import Findings, pointer_token, shorten
from triptych.model import Json, Panels, Training

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_SCHEDULED = {"optimizers": ("learning_rate",), "schedules": ("after",)}
"""Family -> members of a config that may be a schedule."""


_PARTS = {"initializer": "initializers", "regularizer": "regularizers", "constraint": "constraints"}
"""How a member of a layer's config ends -> the family of its value."""


@check("TRN-011", "training")
def types_are_of_the_vocabulary(panels: Panels) -> Found:
    """An optimizer, a loss or a metric is of the vocabulary or of an extension."""
    if panels.training is None:
        return
    for family, pointer, name, _ in _components(panels.training):
        # What is not even the name of a type is another requirement's business.
        if _NAME.fullmatch(name) and not schemas.exists(f"{family}/{name}"):
            what = {"optimizers": "an optimizer", "losses": "a loss", "metrics": "a metric"}[family]
            yield f"{pointer}/type", f"expected {what} of the vocabulary or an extension type, got {shorten(name)}"


def check_training_configs(training: Training, findings: Findings) -> None:
    """Add a problem for each config of `training` that its type does not take."""
    for family, pointer, name, config in _components(training):
        check_component(family, name, config, findings, pointer)


def _components(training: Training) -> Iterator[tuple[str, str, str, Mapping[str, Json]]]:
    if training.optimizer is not None:
        yield "optimizers", "/optimizer", training.optimizer.type, training.optimizer.config
    for index, loss in enumerate(training.losses):
        yield "losses", f"/losses/{index}", loss.type, loss.config
    for index, metric in enumerate(training.metrics):
        yield "metrics", f"/metrics/{index}", metric.type, metric.config


def check_parts(config: Mapping[str, Json], findings: Findings, pointer: str) -> None:
    """Add a problem for each initializer, regularizer, constraint or activation in a layer's `config` that its type does not take."""
    for key, value in config.items():
        if key.endswith("activation") and _is_component(value):
            _check_activation(value, findings, f"{pointer}/{pointer_token(key)}")
        family = _PARTS.get(key.rpartition("_")[2])
        if family is not None and _is_component(value):
            check_component(family, value["type"], value.get("config", {}), findings, f"{pointer}/{pointer_token(key)}")


def _check_activation(value: Mapping[str, Json], findings: Findings, pointer: str) -> None:
    """Add a problem where an activation's type is none, or does not take its config; types of extensions may hold anything."""
    name, config = value["type"], value.get("config", {})
    if ":" in name:
        return
    if not can_be_activation(name):
        message = f"expected a type of the family Activation without weights that keeps a shape, or an extension type, got {shorten(name)}"
        findings.add("LYR-003", f"{pointer}/type", message)
        return
    schemas.check(f"layers/{name}", spell(config), findings, f"{pointer}/config")
    check_parts(config, findings, f"{pointer}/config")


def can_be_activation(name: str) -> bool:
    """Whether the layer type `name` may stand as the activation of another: it has no weights, and keeps a shape."""
    from triptych.vocabulary import layer_type

    found = layer_type(name)
    return found is not None and found.family == "Activation" and not found.weights and name != "GLU"


def check_component(family: str, name: str, config: Mapping[str, Json], findings: Findings, pointer: str) -> None:
    """Add a problem for each place where `config` is not of type `name`; types of extensions may hold anything.

    Args:
        family: ``optimizers``, ``losses``, …: the folder of the schema.
        name: The type.
        config: As the document says it.
        findings: Receives the problems.
        pointer: JSON Pointer of the component.
    """
    while schemas.exists(f"{family}/{name}"):
        before = len(findings.problems)
        schemas.check(f"{family}/{name}", spell(config), findings, f"{pointer}/config")
        if name == "PiecewiseConstantDecay" and len(findings.problems) == before:
            _check_boundaries(config, findings, f"{pointer}/config/boundaries")
        inner = next(((key, config[key]) for key in _SCHEDULED.get(family, ()) if _is_component(config.get(key))), None)
        if inner is None:
            return
        key, value = inner
        family, name, config, pointer = "schedules", value["type"], value.get("config", {}), f"{pointer}/config/{key}"


def _check_boundaries(config: Mapping[str, Json], findings: Findings, pointer: str) -> None:
    from triptych.vocabulary.training.schedules import boundaries_fit

    if not boundaries_fit(config):
        message = f"expected rising boundaries, one fewer than the {len(config['values'])} values, got {shorten(config['boundaries'])}"
        findings.add("TRN-017", pointer, message)


def _is_component(value: Json) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("type"), str) and isinstance(value.get("config", {}), Mapping)


def fits(family: str, name: str, config: Mapping[str, Json]) -> bool:
    """Whether `config` is one that type `name` takes."""
    findings = Findings()
    check_component(family, name, config, findings, "")
    return not findings.problems
