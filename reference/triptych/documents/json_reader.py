"""JSON text to plain data, strictly: what two parsers could read differently is refused (specification chapter 10)."""

from __future__ import annotations

import json
import re
from typing import Any

from triptych.documents.scalars import INTEGER_RANGE
from triptych.documents.text import decode_text, raise_problems, too_large
from triptych.documents.walking import walk
from triptych.errors import PROBLEM_LIMIT, Findings, UnsupportedError, pointer_token, shorten
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Json

_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_LONG = 64
_LONG_NUMBER = re.compile(rb"[0-9]{19}|[eE][+-]?[0-9]{3}|[0-9.eE+-]{%d}" % (_LONG + 1))
"""What no number within every range holds; only where it is found are numbers looked at one by one."""
_BRACKET_OR_STRING = re.compile(rb'\\.|"(?:[^"\\]|\\.)*+"?|[\[{\]}]', re.DOTALL)
_BRACKETS = bytes.maketrans(b"[]{}", b"()()")
_NOT_A_BRACKET = bytes(byte for byte in range(256) if byte not in b"[]{}")


class _Fault:
    """Stands in the parsed data where a value is that the format does not allow."""

    def __init__(self, requirement: str, message: str, value: Json) -> None:
        self.requirement = requirement
        self.message = message
        self.value = value


def parse_json(data: bytes, findings: Findings, *, limits: Limits = DEFAULT_LIMITS, size_limit: int | None = None) -> Json:
    """The value that the JSON text `data` holds.

    Integers come as int, numbers with a fraction or exponent as float; both survive a round trip as what they are.

    Raises:
        InvalidModelError: The text breaks chapter 10; every problem that can be told apart is listed.
        UnsupportedError: It is larger than `size_limit` (default: ``limits.document_bytes``) or another limit.
    """
    too_large(data, limits.document_bytes if size_limit is None else size_limit, findings)
    text = decode_text(data, findings)
    outside, longest = _skeleton(data)
    _check_depth(outside, data, findings, limits)
    _check_count(outside, findings, limits)
    odd_numbers = limits.number_chars < _LONG or _LONG_NUMBER.search(outside) is not None
    value = _parse(text, odd_numbers, findings, limits)
    if longest > limits.name_bytes or _SURROGATE.search(data):
        _check_strings(value, findings, limits)
    raise_problems(findings)
    return value


def _skeleton(data: bytes) -> tuple[bytes, int]:
    """The text with every string replaced by an ``s``, and an upper bound of the longest string's bytes."""
    plain = _ESCAPE.sub(b".", data) if b"\\" in data else data
    parts = plain.split(b'"')
    longest = max(map(len, parts[1::2]), default=0)
    return b"s".join(parts[::2]), longest


def _check_depth(outside: bytes, data: bytes, findings: Findings, limits: Limits) -> None:
    """Refuse text that nests deeper than the limit, in linear time and before any parser has seen it."""
    brackets = outside.translate(_BRACKETS, _NOT_A_BRACKET)
    depth = 0
    while brackets and depth <= limits.depth:
        shorter = brackets.replace(b"()", b"")  # each pass removes the innermost level
        if len(shorter) == len(brackets):
            break
        brackets = shorter
        depth += 1
    # What is left never closes; the parser will say so, but must not descend into it first.
    if depth > limits.depth or brackets.count(b"(") > limits.depth:
        level = 0
        for match in _BRACKET_OR_STRING.finditer(data):
            level += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(match[0], 0)
            if level > limits.depth:
                line, column = _position(data, match.start())
                findings.fatal(
                    "DOC-009",
                    None,
                    f"expected at most {limits.depth} nested arrays and objects, got one more at line {line}, column {column}",
                )
        findings.fatal("DOC-009", None, f"expected at most {limits.depth} nested arrays and objects, got more")


def _position(data: bytes, offset: int) -> tuple[int, int]:
    before = data[:offset]
    return before.count(b"\n") + 1, len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1


def _check_count(outside: bytes, findings: Findings, limits: Limits) -> None:
    # A value follows the start of the text, an opening bracket (unless nothing is inside) or a comma.
    count = 1 + outside.count(b",") + outside.count(b"[") + outside.count(b"{")
    if count <= limits.values:
        return
    tight = outside.translate(None, b" \t\r\n")
    count -= tight.count(b"[]") + tight.count(b"{}")
    if count > limits.values:
        findings.fatal(
            "DOC-010", None, f"expected at most {limits.values} values in one document, got {count}", error=UnsupportedError
        )


def _repeated(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return name
        seen.add(name)
    raise AssertionError(pairs)


def _parse(text: str, odd_numbers: bool, findings: Findings, limits: Limits) -> Json:  # noqa: FBT001
    """The value of `text`; what breaks chapter 10 in it is added to `findings`."""
    faults = False

    def fault(requirement: str, message: str, value: Json) -> _Fault:
        nonlocal faults
        faults = True
        return _Fault(requirement, message, value)

    def members(pairs: list[tuple[str, Any]]) -> Any:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        return fault("DOC-004", f"expected each name once in an object, got {shorten(_repeated(pairs))} again", found)

    def integer(literal: str) -> Any:
        if len(literal) > limits.number_chars:
            return fault("DOC-008", f"expected a number of at most {limits.number_chars} characters, got {len(literal)}", 0)
        value = int(literal)
        if INTEGER_RANGE[0] <= value <= INTEGER_RANGE[1]:
            return value
        return fault("DOC-006", f"expected an integer from -2^63 to 2^64-1, got {literal}", value)

    def real(literal: str) -> Any:
        if len(literal) > limits.number_chars:
            return fault("DOC-008", f"expected a number of at most {limits.number_chars} characters, got {len(literal)}", 0.0)
        value = float(literal)
        if value - value == 0.0:
            return value
        return fault("DOC-007", f"expected a number within binary64, got {literal}", value)

    def constant(literal: str) -> Any:
        return fault(
            "DOC-013", f'expected a JSON value, got {literal}, which is spelled {{"float": "{literal}"}}', {"float": literal}
        )

    hooks: dict[str, Any] = {"parse_int": integer, "parse_float": real} if odd_numbers else {}
    try:
        value = json.loads(text, object_pairs_hook=members, parse_constant=constant, **hooks)
    except json.JSONDecodeError as error:
        what = error.msg[0].lower() + error.msg[1:]
        findings.fatal("DOC-003", None, f"expected JSON text, got an error at line {error.lineno}, column {error.colno}: {what}")
    if not faults:
        return value
    return _without_faults(value, "", findings)


def _without_faults(value: Any, pointer: str, findings: Findings) -> Any:
    """`value` with each fault reported and replaced by what it stands for; no deeper than the depth limit."""
    if type(value) is _Fault:
        if len(findings.problems) <= PROBLEM_LIMIT:
            findings.add(value.requirement, pointer, value.message)
        return _without_faults(value.value, pointer, findings)
    if isinstance(value, dict):
        return {name: _without_faults(item, f"{pointer}/{pointer_token(name)}", findings) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_faults(item, f"{pointer}/{index}", findings) for index, item in enumerate(value)]
    return value


def _check_strings(value: Json, findings: Findings, limits: Limits) -> None:
    """Lengths and surrogates of every name and string; called only where the text gave reason to look."""
    for pointer, item in walk(value):
        if isinstance(item, str):
            _check_string(item, pointer, findings, limits.string_bytes, "a string")
        elif isinstance(item, dict):
            for name in item:
                _check_string(name, pointer, findings, limits.name_bytes, "a name")


def _check_string(text: str, pointer: str, findings: Findings, limit: int, what: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        if len(findings.problems) > PROBLEM_LIMIT:
            raise_problems(findings)
        findings.add("DOC-005", pointer, f"expected Unicode text, got the lone surrogate {text[error.start]!a} in {shorten(text)}")
        return
    if size > limit:
        findings.fatal("DOC-010", pointer, f"expected {what} of at most {limit} bytes, got {size} bytes", error=UnsupportedError)
