"""YAML text to plain data: the part of YAML that every parser reads as the same JSON (specification chapter 10)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from triptych.documents.plain_scalars import AmbiguousScalar, resolve_plain
from triptych.documents.scalars import INTEGER_RANGE
from triptych.documents.text import decode_text, raise_problems, too_large
from triptych.documents.yaml_source import YamlSource
from triptych.errors import PROBLEM_LIMIT, Findings, UnsupportedError, pointer_token, shorten
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Json

_FOREIGN_BREAK = re.compile("[\x85\u2028\u2029]")
_BLANK = re.compile("\t|\r(?!\n)")
_NONFINITE = re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE)


def parse_yaml(data: bytes, findings: Findings, *, limits: Limits = DEFAULT_LIMITS, size_limit: int | None = None) -> Json:
    """The value that the YAML text `data` holds; integers as int, numbers with a point as float.

    Raises:
        InvalidModelError: The text breaks chapter 10; every problem is listed with its line and column.
        UnsupportedError: It is larger than `size_limit` (default: ``limits.yaml_bytes``) or another limit.
    """
    import yaml

    too_large(data, limits.yaml_bytes if size_limit is None else size_limit, findings)
    text = decode_text(data, findings)
    if found := _FOREIGN_BREAK.search(text):
        line = text.count("\n", 0, found.start()) + 1
        findings.add(
            "DOC-025", None, f"expected U+{ord(found[0]):04X} to be escaped in double quotes, got it as it is in line {line}"
        )
    if found := _BLANK.search(text):
        line = text.count("\n", 0, found.start()) + 1
        what = "tabs" if found[0] == "\t" else "carriage returns without line feeds"
        findings.add("DOC-028", None, f"expected no {what}, got one in line {line}")
    source = YamlSource(text)
    if fault := source.character_fault():
        findings.fatal("DOC-018", None, fault)
    builder = _Builder(findings, limits, source)
    try:
        for event in yaml.parse(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            builder.take(event)
    except (yaml.YAMLError, ValueError) as error:
        findings.fatal("DOC-018", None, f"expected well-formed YAML, got {_reason(error)}")
    builder.lax(source.comment_fault())
    raise_problems(findings)
    if not builder.documents:
        findings.fatal("DOC-018", None, "expected a YAML document, got no content")
    return builder.result


def _reason(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error)
    where = f"an error at line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    return where + " ".join(str(what).split())


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    value: Any
    pointer: str
    key: str | None = None
    """Of an object: the name whose value comes next."""
    flow: bool = False
    """Whether it stands in brackets."""
    line: int = 0
    column: int = 0
    """Where it begins."""


class _Builder:
    """Builds plain data from parser events; depth and count are checked on each, and nothing recurses."""

    def __init__(self, findings: Findings, limits: Limits, source: YamlSource) -> None:
        self.findings = findings
        self.source = source
        self.limits = limits
        self.open: list[_Open] = []
        self.documents = 0
        self.values = 0
        self.result: Json = None

    def take(self, event: Any) -> None:
        """Digest one event."""
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._properties(event)
            self._scalar(event)
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self._properties(event)
            self._start({} if kind == "MappingStartEvent" else [], event)
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            closed = self.open.pop()
            if closed.flow and closed.line != event.end_mark.line:
                self.lax(self.source.flow_fault(closed.line, event.end_mark.line, self._around()))
        elif kind == "AliasEvent":
            self._add("DOC-020", event, f"expected no aliases, got {shorten('*' + event.anchor)}")
            self._place(None, event)
        elif kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                self.findings.fatal("DOC-019", None, f"expected one document, got another {_at(event)}")
            if event.version or event.tags:
                self.findings.add("DOC-019", None, "expected no directives, got one before the document")

    def _around(self) -> int | None:
        """The column of the block collection that what comes next stands in; None where it stands in none, or in brackets."""
        return None if not self.open or self.open[-1].flow else self.open[-1].column

    def lax(self, fault: str | None) -> None:
        """Note what the parser admits and the specification does not."""
        if fault is not None:
            self.findings.add("DOC-018", None, fault)

    def _add(self, requirement: str, event: Any, message: str) -> None:
        self.findings.add(requirement, self._pointer(), f"{message} {_at(event)}")
        if len(self.findings.problems) > PROBLEM_LIMIT:
            raise_problems(self.findings)

    def _pointer(self) -> str:
        """The place of the value that comes next."""
        if not self.open:
            return ""
        top = self.open[-1]
        if isinstance(top.value, list):
            return f"{top.pointer}/{len(top.value)}"
        return top.pointer if top.key is None else f"{top.pointer}/{pointer_token(top.key)}"

    def _properties(self, event: Any) -> None:
        if event.anchor is not None:
            self._add("DOC-020", event, f"expected no anchors, got {shorten('&' + event.anchor)}")
        if event.tag is not None:
            self._add("DOC-021", event, f"expected no tags, got {shorten(event.tag)}")

    def _place(self, value: Json, event: Any) -> None:
        """Put a value that is not a name where it belongs."""
        self.values += 1
        if self.values > self.limits.values:
            message = f"expected at most {self.limits.values} values in one document, got more"
            self.findings.fatal("DOC-010", None, message, error=UnsupportedError)
        if not self.open:
            self.result = value
            return
        top = self.open[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is None:
            self._add("DOC-023", event, "expected a name to be a string, got a collection or an alias")
            top.key = ""
        else:
            top.value[top.key] = value
            top.key = None

    def _start(self, value: Any, event: Any) -> None:
        if len(self.open) >= self.limits.depth:
            message = f"expected at most {self.limits.depth} nested arrays and objects, got one more {_at(event)}"
            self.findings.fatal("DOC-009", None, message)
        mark = event.start_mark
        opened = _Open(value, self._pointer(), flow=bool(event.flow_style), line=mark.line, column=mark.column)
        self._place(value, event)
        self.open.append(opened)

    def _scalar(self, event: Any) -> None:
        text: str = event.value
        plain = not event.style
        self.lax(self.source.scalar_fault(event, self._around()))
        top = self.open[-1] if self.open else None
        is_name = top is not None and isinstance(top.value, dict) and top.key is None
        limit = self.limits.name_bytes if is_name else self.limits.string_bytes
        if len(text) > limit // 4 and (size := len(text.encode())) > limit:
            what = "a name" if is_name else "a string"
            self.findings.fatal(
                "DOC-010", self._pointer(), f"expected {what} of at most {limit} bytes, got {size} bytes", error=UnsupportedError
            )
        value: Json = self._plain(text, event, is_name) if plain else text
        if not is_name:
            self._place(value, event)
            return
        assert top is not None
        if not isinstance(value, str):
            self._add(
                "DOC-023", event, f"expected a name to be a string, got {shorten(text) if text else 'nothing'}; put it in quotes"
            )
            value = text
        elif value in top.value:
            self._add("DOC-004", event, f"expected each name once in an object, got {shorten(value)} again")
        top.key = value

    def _plain(self, text: str, event: Any, is_name: bool) -> Json:  # noqa: FBT001
        """The value of a scalar without quotes."""
        if text == "<<" and is_name:
            self._add("DOC-022", event, "expected no merge keys, got '<<'")
            return text
        if _NONFINITE.fullmatch(text):
            name = "NaN" if "n" in text[-1].lower() else "-Infinity" if text[0] == "-" else "Infinity"
            self._add("DOC-013", event, f'expected a number that is not finite to be spelled {{float: "{name}"}}, got {text}')
            return text
        try:
            value = resolve_plain(text)
        except AmbiguousScalar as error:
            self._add(
                str(error),
                event,
                f"expected quotes around a string, or a spelling that every YAML parser reads alike, got {shorten(text)}",
            )
            return text
        if isinstance(value, int | float) and not isinstance(value, bool):
            if len(text) > self.limits.number_chars:
                self._add("DOC-008", event, f"expected a number of at most {self.limits.number_chars} characters, got {len(text)}")
            elif isinstance(value, int) and not INTEGER_RANGE[0] <= value <= INTEGER_RANGE[1]:
                self._add("DOC-006", event, f"expected an integer from -2^63 to 2^64-1, got {text}")
            elif value - value != 0:
                self._add("DOC-007", event, f"expected a number within binary64, got {text}")
        return value


def _at(event: Any) -> str:
    return f"at line {event.start_mark.line + 1}, column {event.start_mark.column + 1}"
