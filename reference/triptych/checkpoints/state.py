"""The state file of a checkpoint series: which checkpoints there are, how far each had got, and which are on their way out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from triptych.documents import dump_json, parse_json
from triptych.errors import Findings, shorten
from triptych.layouts.problems import invalid
from triptych.model import Json

STATE = "checkpoints.json"
"""Name of the state file."""
FORMAT = "triptych-checkpoints"
VERSION = "1.0"
NAME = re.compile(r"step-\d{1,16}(-epoch-\d{1,16})?(-\d{1,6})?(\.[a-z0-9]{1,16}){0,2}")
"""What the name of a checkpoint looks like: of a file or folder in the series, so that a state file reaches nothing else."""
LONGEST = 2**26
"""Bytes of a state file, at most."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One saved model of a series."""

    name: str
    """Of its file or folder."""
    step: int
    """Updates made before it was saved."""
    epoch: int | None = None
    """Epochs completed."""
    samples: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    """What was reported when it was saved."""


@dataclass(frozen=True, slots=True)
class State:
    """What the state file says."""

    checkpoints: tuple[Checkpoint, ...] = ()
    """Oldest first, in the order in which they were saved."""
    metric: str | None = None
    """The one that decides which is the best."""
    mode: Literal["min", "max"] = "min"
    retiring: tuple[str, ...] = ()
    """Names that no longer count and may be removed at any time, in the order of their letters."""

    @property
    def latest(self) -> Checkpoint | None:
        """The one saved last."""
        return self.checkpoints[-1] if self.checkpoints else None

    @property
    def best(self) -> Checkpoint | None:
        """The one with the best value, the earlier of two equals; None where none has a value."""
        return next(iter(self.ranked()), None)

    def ranked(self) -> list[Checkpoint]:
        """Those that have a value, best first, the earlier of two equals first."""
        metric, sign = self.metric or "", -1.0 if self.mode == "max" else 1.0
        return sorted((one for one in self.checkpoints if metric in one.metrics), key=lambda one: sign * one.metrics[metric])


def to_text(state: State) -> str:
    """The state file that says `state`; the same state gives the same text."""
    data: dict[str, Json] = {"format": FORMAT, "format_version": VERSION}
    for word, one in (("latest", state.latest), ("best", state.best)):
        if one is not None:
            data[word] = one.name
    if state.metric is not None:
        data["monitor"] = {"metric": state.metric, "mode": state.mode}
    data["checkpoints"] = [_to_data(one) for one in state.checkpoints]
    if state.retiring:
        data["retiring"] = sorted(state.retiring)
    return dump_json(data)


def _to_data(one: Checkpoint) -> dict[str, Json]:
    data: dict[str, Json] = {"name": one.name, "step": one.step, "epoch": one.epoch, "samples": one.samples}
    data = {word: value for word, value in data.items() if value is not None}
    if one.metrics:
        data["metrics"] = {name: one.metrics[name] for name in sorted(one.metrics)}
    return data


def from_bytes(content: bytes) -> State:
    """The state that a state file says.

    Raises:
        InvalidModelError: It is none, or names something outside its folder.
    """
    if len(content) > LONGEST:
        raise invalid(STATE, f"expected at most {LONGEST} bytes, got {len(content)}")
    findings = Findings(member=STATE)
    data = parse_json(content, findings)
    findings.raise_if_any()
    if not isinstance(data, dict) or data.get("format") != FORMAT or data.get("format_version") != VERSION:
        raise invalid(STATE, f"expected a state file of {FORMAT} {VERSION}, got {shorten(data)}")
    monitor = _kind(data, "monitor", dict, {})
    mode = monitor.get("mode", "min")
    metric = monitor.get("metric")
    if mode not in ("min", "max") or not (metric is None or isinstance(metric, str)):
        raise invalid(f"{STATE}#/monitor", f"expected a metric and the mode min or max, got {shorten(monitor)}")
    return State(
        checkpoints=tuple(_checkpoint(one, index) for index, one in enumerate(_kind(data, "checkpoints", list, []))),
        metric=metric,
        mode=mode,
        retiring=tuple(sorted(_name(one, f"retiring/{index}") for index, one in enumerate(_kind(data, "retiring", list, [])))),
    )


def _kind(data: Mapping[str, Json], word: str, kind: type, otherwise: Json) -> Json:
    value = data.get(word, otherwise)
    if not isinstance(value, kind):
        raise invalid(f"{STATE}#/{word}", f"expected {'an object' if kind is dict else 'an array'}, got {shorten(value)}")
    return value


def _checkpoint(data: Json, index: int) -> Checkpoint:
    place = f"checkpoints/{index}"
    if not isinstance(data, dict):
        raise invalid(f"{STATE}#/{place}", f"expected an object, got {shorten(data)}")
    counts = {word: data.get(word) for word in ("step", "epoch", "samples")}
    for word, value in counts.items():
        if not (value is None and word != "step") and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise invalid(f"{STATE}#/{place}/{word}", f"expected an integer from 0, got {shorten(value)}")
    metrics = _kind(data, "metrics", dict, {})
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in metrics.values()):
        raise invalid(f"{STATE}#/{place}/metrics", f"expected numbers, got {shorten(metrics)}")
    step = counts["step"]
    assert isinstance(step, int)
    return Checkpoint(_name(data.get("name"), f"{place}/name"), step, counts["epoch"], counts["samples"], metrics)


def _name(value: Json, place: str) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise invalid(f"{STATE}#/{place}", f"expected the name of a checkpoint such as 'step-00000120.triptych', got {shorten(value)}")
    return value
