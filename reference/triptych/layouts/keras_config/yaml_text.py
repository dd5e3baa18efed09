"""The YAML that Keras 1 and 2 wrote, as plain data: YAML 1.1 as PyYAML reads it, with Python's tags, none of which is obeyed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

from triptych.errors import shorten
from triptych.layouts.keras_config import edits, yaml_tags
from triptych.layouts.problems import invalid, unsupported
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Json

ALIASED = 1_000_000
"""What all aliases of a text may stand for together: one for each value and one for each character of a string."""


def parse(text: str, member: str = "", *, limits: Limits = DEFAULT_LIMITS) -> Json:
    """The value that the YAML `text` of Keras holds.

    Tuples are lists, Python 2's strings strings, numpy's scalars numbers and its arrays lists. An alias stands for a copy.
    `member` names the text in errors.

    Raises:
        InvalidModelError: It is no YAML, or a name is no string or stands twice.
        UnsupportedError: A tag would build or import something, or a limit is exceeded; the message says what and where.
    """
    import yaml

    builder = _Builder(member, limits)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f" at line {mark.line + 1}, column {mark.column + 1}"
        what = " ".join(str(getattr(error, "problem", None) or error).split())
        raise invalid(member, f"expected the YAML of a Keras model, got an error{where}: {shorten(what)}") from error
    if builder.repeated:
        # What comes last counts, as for PyYAML.
        warnings.warn(f"{member or 'the text'} holds several models, one behind the other; the last is read", stacklevel=2)
    return builder.result


_SPECIAL = {"tag:yaml.org,2002:timestamp": "a date", "tag:yaml.org,2002:merge": "an order to merge"}
"""What PyYAML makes of a scalar without quotes that no configuration can hold."""


@dataclass(slots=True)
class _Anchored:
    """What an anchor names, once it is complete."""

    value: Any
    weight: int = 0
    levels: int = 0

    def measure(self, ceiling: int) -> None:
        """Count what an alias of it stands for, no further than `ceiling`."""
        layer, self.weight, self.levels = [self.value], 0, 0
        while layer and self.weight <= ceiling:
            self.weight += len(layer) + sum(len(item) for item in layer if isinstance(item, str | bytes))
            self.levels += any(isinstance(item, dict | list) for item in layer)
            layer = [
                inner
                for item in layer
                if isinstance(item, dict | list)
                for inner in (item.values() if isinstance(item, dict) else item)
            ]


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    event: Any
    value: Any
    part: bool
    """Whether what is in it are arguments of something to build: there, bytes are bytes and types types."""
    key: str | None = None
    """Of a mapping: the name whose value comes next."""


@dataclass(slots=True)
class _Builder:
    """Builds plain data from parser events; depth and count are checked on each, and nothing recurses."""

    member: str
    limits: Limits
    result: Json = None
    open: list[_Open] = field(default_factory=list)
    anchors: dict[str, _Anchored | None] = field(default_factory=dict)
    """None while the collection of that name is open."""
    documents: int = 0
    values: int = 0
    aliased: int = 0
    repeated: bool = False
    """Whether a member of the whole stands again: of a file that models were appended to."""

    def take(self, event: Any) -> None:
        """Digest one event."""
        kind = type(event).__name__
        try:
            if kind == "ScalarEvent":
                self._scalar(event)
            elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
                self._deepen(1, event)
                if event.anchor is not None:
                    self.anchors[event.anchor] = None
                part = yaml_tags.builds(event.tag) or (bool(self.open) and self.open[-1].part)
                self.open.append(_Open(event, {} if kind == "MappingStartEvent" else [], part))
            elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
                self._close()
            elif kind == "AliasEvent":
                self._alias(event)
            elif kind == "DocumentStartEvent":
                self.documents += 1
                if self.documents > 1:
                    raise invalid(self.member, f"expected one document, got another {_at(event)}")
        except yaml_tags.Refused as error:
            raise unsupported(self.member, f"{error} {_at(event)}") from error

    def _deepen(self, levels: int, event: Any) -> None:
        if len(self.open) + levels > self.limits.depth:
            raise unsupported(self.member, f"expected at most {self.limits.depth} nested collections, got one more {_at(event)}")

    def _scalar(self, event: Any) -> None:
        text: str = event.value
        if len(text) > self.limits.string_bytes:
            message = f"expected a string of at most {self.limits.string_bytes} characters, got {len(text)} {_at(event)}"
            raise unsupported(self.member, message)
        self._place(yaml_tags.scalar(text, event.tag or _implied(text, plain=event.implicit[0])), event, raw=True)

    def _close(self) -> None:
        top = self.open.pop()
        tag = top.event.tag or "!"
        try:
            value = yaml_tags.mapped(top.value, tag) if isinstance(top.value, dict) else yaml_tags.listed(top.value, tag)
        except yaml_tags.Refused as error:
            raise unsupported(self.member, f"{error} {_at(top.event)}") from error
        self._place(value, top.event, raw=top.part)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            raise invalid(self.member, f"expected an anchor {shorten(event.anchor)} before its alias {_at(event)}, found none")
        anchored = self.anchors[event.anchor]
        if anchored is None:
            raise invalid(
                self.member,
                f"expected a value that ends, got one that holds itself through the alias {shorten(event.anchor)} {_at(event)}",
            )
        if not anchored.weight:
            anchored.measure(ALIASED)
        self._deepen(anchored.levels, event)
        self.aliased += anchored.weight
        if self.aliased > ALIASED:
            message = f"expected aliases that stand for at most {ALIASED} values and characters, got more {_at(event)}"
            raise unsupported(self.member, message)
        self._place(edits.copy(anchored.value), event, raw=True)

    def _place(self, value: Any, event: Any, *, raw: bool) -> None:
        """Put a value where it belongs; a `raw` one may hold what is data only as an argument."""
        anchor = None if type(event).__name__ == "AliasEvent" else event.anchor
        if anchor is not None:
            self.anchors[anchor] = _Anchored(value)
        self.values += 1
        if self.values > self.limits.values:
            raise unsupported(self.member, f"expected at most {self.limits.values} values, got more")
        top = self.open[-1] if self.open else None
        if raw and (top is None or not top.part):
            value = yaml_tags.finished(value)
        if top is None:
            self.result = value
            return
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is None:
            self._name(value, top, event)
        else:
            top.value[top.key] = value
            top.key = None

    def _name(self, value: Any, top: _Open, event: Any) -> None:
        if not isinstance(value, str):
            raise invalid(self.member, f"expected a name to be a string, got {shorten(value)} {_at(event)}; put it in quotes")
        if value in top.value and len(self.open) == 1:
            self.repeated = True
        elif value in top.value:
            raise invalid(self.member, f"expected each name once in a mapping, got {shorten(value)} again {_at(event)}")
        top.key = value


def _implied(text: str, *, plain: bool) -> str:
    """The tag of a scalar that has none, by the rules of PyYAML."""
    if not plain:
        return "!"
    import yaml

    table = yaml.SafeLoader.yaml_implicit_resolvers
    for tag, pattern in (*table.get(text[:1], ()), *table.get("*", ())):
        if pattern.match(text):
            if what := _SPECIAL.get(tag):
                raise yaml_tags.Refused(f"expected quotes around {shorten(text)}, which YAML takes for {what}")
            return str(tag)
    return "!"


def _at(event: Any) -> str:
    return f"at line {event.start_mark.line + 1}, column {event.start_mark.column + 1}"
