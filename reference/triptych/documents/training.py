"""The training document: plain data to `Training` and back, without loss (specification chapter 50)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triptych.documents import schemas
from triptych.documents.members import in_order, typed_object
from triptych.documents.scalars import spell, unspell_extensions, unspell_members
from triptych.documents.text import raise_problems
from triptych.documents.versions import FORMAT_VERSION, check_version
from triptych.errors import Findings
from triptych.model import Component, Json, Loss, Metric, Progress, Training


def parse_training(data: Json, findings: Findings) -> Training:
    """The training that the document `data` says, without its state, which is tensors of another member.

    Raises:
        InvalidModelError: `data` breaks the schema; every problem is listed.
        UnsupportedError: It is of a version that this reader does not know.
    """
    check_version(data, findings)
    schemas.check("training", data, findings)
    raise_problems(findings)
    optimizer, progress = data.get("optimizer"), data.get("progress")
    return Training(
        optimizer=None if optimizer is None else Component(**_component(optimizer)),
        losses=tuple(
            Loss(**_component(item), output=item.get("output"), weight=item.get("weight")) for item in data.get("losses", ())
        ),
        metrics=tuple(
            Metric(**_component(item), output=item.get("output"), weighted=item.get("weighted", False))
            for item in data.get("metrics", ())
        ),
        progress=None if progress is None else _progress(progress),
        metadata=data.get("metadata", {}),
        extensions_used=tuple(data.get("extensions_used", ())),
        extensions_required=tuple(data.get("extensions_required", ())),
        extensions=unspell_extensions(data.get("extensions", {})),
    )


def _component(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": data["type"],
        "config": unspell_members(data.get("config", {})),
        "extensions": unspell_extensions(data.get("extensions", {})),
    }


def _progress(data: Mapping[str, Any]) -> Progress:
    return Progress(data.get("step"), data.get("epoch"), data.get("samples"), unspell_members(data.get("best", {})))


def training_to_data(training: Training) -> dict[str, Json]:
    """The document of `training`: members in their order, defaults left out; its state is not part of it."""
    data: dict[str, Json] = {"format_version": FORMAT_VERSION}
    if training.optimizer is not None:
        data["optimizer"] = _component_to_data(training.optimizer, {})
    if training.losses:
        data["losses"] = [
            _component_to_data(loss, {"output": loss.output, "weight": None if _is_one(loss.weight) else loss.weight})
            for loss in training.losses
        ]
    if training.metrics:
        data["metrics"] = [
            _component_to_data(metric, {"output": metric.output, "weighted": metric.weighted or None})
            for metric in training.metrics
        ]
    if training.progress is not None:
        data["progress"] = _progress_to_data(training.progress)
    if training.metadata:
        data["metadata"] = in_order(training.metadata)
    if training.extensions_used:
        data["extensions_used"] = sorted(training.extensions_used)
    if training.extensions_required:
        data["extensions_required"] = sorted(training.extensions_required)
    if training.extensions:
        data["extensions"] = in_order(spell(training.extensions))
    return data


def _is_one(weight: object) -> bool:
    """Whether `weight` is the integer 1; 1.0 is another value."""
    return type(weight) is int and weight == 1


def _component_to_data(component: Component | Loss | Metric, more: Mapping[str, Json]) -> dict[str, Json]:
    data: dict[str, Json] = {"type": component.type}
    if component.config:
        data["config"] = {name: typed_object(spell(component.config[name])) for name in sorted(component.config)}
    data.update({name: value for name, value in more.items() if value is not None})
    if component.extensions:
        data["extensions"] = in_order(spell(component.extensions))
    return data


def _progress_to_data(progress: Progress) -> dict[str, Json]:
    counts = {"step": progress.step, "epoch": progress.epoch, "samples": progress.samples}
    data: dict[str, Json] = {name: value for name, value in counts.items() if value is not None}
    if progress.best:
        data["best"] = in_order(spell(progress.best))
    return data
