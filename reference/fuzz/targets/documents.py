"""Text: strict JSON and YAML, architecture documents, lists of tokens, the state file of a series, places in a text."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from fuzz.mutators import json_values, texts
from fuzz.target import Disagreement, Target
from fuzz.targets.reading import as_file, same
from triptych import documents
from triptych.checkpoints import state
from triptych.documents import lines
from triptych.documents.walking import walk
from triptych.errors import Findings
from triptych.layouts import architecture_text
from triptych.model import Architecture
from triptych.vocabulary.lookup_tokens import VocabularyError, asset_of, read_tokens


def _strict_json(data: memoryview) -> Any:
    findings = Findings()
    value = documents.parse_json(bytes(data), findings)
    findings.raise_if_any()
    return value


def _as_python_reads(data: bytes, _: Any, value: Any) -> None:
    if not same(value, json.loads(data)):
        raise Disagreement(f"Python's json reads {data[:200]!r} otherwise")
    if not same(_strict_json(memoryview(documents.dump_json(value).encode())), value):
        raise Disagreement("the value is another one when it is written and read again")


def _strict_yaml(data: memoryview) -> Any:
    findings = Findings()
    value = documents.parse_yaml(bytes(data), findings)
    findings.raise_if_any()
    return value


def _as_others_read(data: bytes, _: Any, value: Any) -> None:
    import yaml

    if not same(yaml.load(data, yaml.CSafeLoader), value):
        raise Disagreement(f"PyYAML reads {data[:200]!r} otherwise")
    if not same(_strict_yaml(memoryview(documents.dump_yaml(value).encode())), value):
        raise Disagreement("the value is another one when it is written and read again")


def _as_yaml_12(data: bytes, _: Any, value: Any) -> None:
    from ruamel.yaml import YAML

    if not same(_plain(YAML(typ="safe", pure=True).load(data)), value):
        raise Disagreement(f"ruamel.yaml reads {data[:200]!r} otherwise")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _architecture(data: memoryview) -> Architecture:
    return architecture_text.architecture_from_text(bytes(data), "json")


def _architecture_yaml(data: memoryview) -> Architecture:
    return architecture_text.architecture_from_text(bytes(data), "yaml")


def _returns(_data: bytes, _: Any, architecture: Architecture) -> None:
    text, _notes = architecture_text.architecture_to_text(architecture, "json")
    # Lists of extensions are written in order (DOC-017).
    used, required = sorted(architecture.extensions_used), sorted(architecture.extensions_required)
    expected = replace(architecture, extensions_used=tuple(used), extensions_required=tuple(required))
    if architecture_text.architecture_from_text(text, "json") != expected and not _has_nan(text):
        raise Disagreement("the architecture is another one when it is written and read again")


def _has_nan(text: str) -> bool:
    return any(isinstance(value, float) and math.isnan(value) for _, value in walk(json.loads(text))) or '"NaN"' in text


def _places(data: memoryview) -> None:
    text = bytes(data).decode("utf-8", "replace")
    for pointer in ("", "/a", "/layers/0/config/units", "/layers/1/name", "/~0/~1", "/0/0/0"):
        lines.line_of(text, pointer)


def _recognised(path: Path) -> None:
    from triptych import layouts

    layouts.recognise(path)
    architecture_text.spelling_of(path.read_bytes()[:512])


def _tokens(data: memoryview) -> list[Any]:
    for integers in (True, False):
        try:
            found = read_tokens(data, integers=integers)
        except VocabularyError:
            if not integers:
                raise
    return found


def _written_again(data: bytes, _: Any, tokens: list[Any]) -> None:
    if bytes(asset_of(tokens).read()) != data:
        raise Disagreement("the tokens are other bytes when they are written again")


def _series(data: memoryview) -> state.State:
    return state.from_bytes(bytes(data))


def _series_again(_data: bytes, _: Any, found: state.State) -> None:
    if state.from_bytes(state.to_text(found).encode()) != found:
        raise Disagreement("the state is another one when it is written and read again")


TARGETS = (
    Target("json", _strict_json, json_values.mutated, judge=_as_python_reads, longest=1 << 13),
    Target("yaml", _strict_yaml, texts.mutated, judge=_as_others_read, judge_long=_as_yaml_12, longest=1 << 13),
    Target("architecture-json", _architecture, json_values.mutated, judge=_returns, layouts=("architecture-json",), longest=1 << 14),
    Target("architecture-yaml", _architecture_yaml, texts.mutated, judge=_returns, layouts=("architecture-yaml",), longest=1 << 14),
    Target("places", _places, texts.mutated, longest=1 << 12),
    Target("vocabulary", _tokens, texts.mutated, declared=(VocabularyError,), judge=_written_again, longest=1 << 12),
    Target("series", _series, json_values.mutated, judge=_series_again, longest=1 << 13),
    Target("recognition", _recognised, texts.mutated, as_file("model"), longest=1 << 13),
)
