"""Architecture text in JSON or YAML: this format's document alone, or Keras' ``to_json`` of any generation."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from triptych import documents
from triptych.errors import Findings, InvalidModelError, UnsupportedError, UsageError
from triptych.layouts.layout import Layout, Outline
from triptych.layouts.problems import unsupported
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Architecture, Json, Panels

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_OURS = re.compile(rb"^format_version\s*:", re.MULTILINE)
_JSON_START = re.compile(r'\s*(\{|\[\s*\{|"[\s\\"]*\{)')
_YAML_MEMBER = re.compile(r"^(- )?(format_version|class_name|config|backend|keras_version|layers|inputs|name)\s*:", re.MULTILINE)
_PROLOGUE = re.compile(r"\s*[#%-]")
"""How YAML starts before its first member: a comment, a directive, dashes."""
_LONG_PROLOGUE = 65_536
"""How far into a file that starts so its first member is looked for."""


def architecture_from_text(
    text: str | bytes, spelling: Literal["json", "yaml"], member: str = "", *, allow_code: bool = False
) -> Architecture:
    """The architecture that `text` says: a document of this format, read strictly, or Keras' text, read as Keras wrote it.

    `member` names the text in errors; `allow_code` carries the bytecode of Keras' lambda layers, as inert data.

    Raises:
        InvalidModelError: The text breaks the specification; each problem carries a JSON Pointer.
        UnsupportedError: It is Keras' and would run something, or exceeds a limit.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    findings = Findings(member=member)
    value = _json_value(data, findings) if spelling == "json" else _yaml_value(data, findings)
    if _may_be_keras(data) and (config := _model_object(value, member)) is not None:
        from triptych.layouts import keras_config

        version, backend = config.get("keras_version"), config.get("backend")
        return keras_config.read_model_config(
            config,
            keras_version=version if isinstance(version, str) else None,
            backend=backend if isinstance(backend, str) else None,
            allow_code=allow_code,
        )
    from triptych.checks import check_architecture

    architecture = documents.parse_architecture(value, findings)
    check_architecture(architecture, findings)
    findings.raise_if_any()
    return architecture


def architecture_to_text(
    architecture: Architecture, spelling: Literal["json", "yaml"], dialect: str | None = None
) -> tuple[str, tuple[str, ...]]:
    """The text of `architecture`, and a note of each thing it does not say.

    `dialect` is ``keras1``, ``keras2`` or ``keras3`` for what that Keras' ``to_json`` or ``to_yaml`` would write, ``keras`` for what the
    version wrote that the architecture was read from; None: this format's document, which says everything.

    Raises:
        ConversionError: Keras has no place for what it says.
        UsageError: No such dialect, or one that has no YAML.
    """
    if dialect is not None:
        from triptych.layouts.keras_config import text

        return text.dump(architecture, spelling, dialect)
    return (documents.dump_json if spelling == "json" else documents.dump_yaml)(documents.architecture_to_data(architecture)), ()


def _may_be_keras(data: bytes) -> bool:
    plain = data.replace(b"\0", b"")
    return b"class_name" in plain or b"modelTopology" in plain


def _model_object(value: Json, member: str) -> dict[str, Json] | None:
    from triptych.layouts.keras_config import text

    return text.model_object(value, member)


def _json_value(data: bytes, findings: Findings) -> Json:
    try:
        return documents.parse_json(data, findings)
    except (InvalidModelError, UnsupportedError):
        # Keras writes NaN, and others have encoded its text twice or put a mark before it: strictness is for our own documents.
        found = _keras_json(data, findings.member) if _may_be_keras(data) else None
        if found is None:
            raise
        findings.problems.clear()
        return found


def _keras_json(data: bytes, member: str) -> Json:
    """The value of Keras' JSON; None if it is none."""
    from triptych.layouts.keras_config import text

    try:
        value = text.parse(data, "json", member)
        return value if text.model_object(value, member) is not None else None
    except InvalidModelError:
        return None


def _yaml_value(data: bytes, findings: Findings) -> Json:
    from triptych.layouts.keras_config import text

    if not _may_be_keras(data) or _OURS.search(data):
        return documents.parse_yaml(data, findings)
    value = text.parse(data, "yaml", findings.member)
    return documents.parse_yaml(data, findings) if text.model_object(value, findings.member) is None else value


def spelling_of(head: bytes) -> Literal["json", "yaml"] | None:
    """Which spelling text that starts with `head` has; None if it is neither."""
    text = _start(head)
    if _JSON_START.match(text):
        return None if '"weight_map"' in text else "json"  # an index of files that hold weights
    return "yaml" if _YAML_MEMBER.search(text) else None


def _start(head: bytes) -> str:
    """The text that a file starts with, whose first bytes may end inside a character; empty if it is none."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, "ignore")
    text = head.decode("utf-8", "replace")
    return "" if b"\0" in head or text.count("\ufffd") > len(text) // 8 else text


def _recogniser(spelling: str) -> Callable[[Path, bytes], bool]:
    def recognises(path: Path, head: bytes) -> bool:
        found = spelling_of(head)
        if found is None and _PROLOGUE.match(_start(head)):
            with path.open("rb") as file:
                found = spelling_of(file.read(_LONG_PROLOGUE))
        return found == spelling

    return recognises


def _reader(spelling: Literal["json", "yaml"]) -> Callable[[Path], Panels]:
    limit = DEFAULT_LIMITS.document_bytes if spelling == "json" else DEFAULT_LIMITS.yaml_bytes

    def read(path: Path, *, allow_code: bool = False) -> Panels:
        with path.open("rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise unsupported(path.name, f"expected text of at most {limit} bytes, got more")
        return Panels(architecture=architecture_from_text(data, spelling, path.name, allow_code=allow_code))

    return read


def _writer(spelling: Literal["json", "yaml"]) -> Callable[..., tuple[str, ...]]:
    def write(
        panels: Panels,
        path: Path,
        *,
        dialect: str | None = None,
        overwrite: bool = True,
        progress: Callable[[int, int, str], None] | None = None,  # noqa: ARG001 - done at once
    ) -> tuple[str, ...]:
        from triptych.package.atomic import write_file

        text, notes = _text_of(panels, spelling, dialect)
        write_file(path, text.encode(), overwrite=overwrite)
        return notes

    return write


def _outliner(spelling: Literal["json", "yaml"]) -> Callable[..., Outline]:
    def outline(panels: Panels, _: Path, *, dialect: str | None = None) -> Outline:
        return Outline((), _text_of(panels, spelling, dialect)[1])

    return outline


def _text_of(panels: Panels, spelling: Literal["json", "yaml"], dialect: str | None) -> tuple[str, tuple[str, ...]]:
    """The text of the architecture, and what of `panels` is not in it."""
    if panels.architecture is None:
        raise UsageError("expected a model with an architecture to write its text, this one has none")
    text, notes = architecture_to_text(panels.architecture, spelling, dialect)
    left = [("weights", panels.weights), ("training", panels.training), ("assets", panels.assets), ("license", panels.license)]
    return text, (*notes, *(f"{name}: architecture text holds the architecture alone" for name, panel in left if panel))


def _layout(spelling: Literal["json", "yaml"], suffixes: tuple[str, ...]) -> Layout:
    return Layout(
        name=f"architecture-{spelling}",
        title=f"architecture text in {spelling.upper()}",
        suffixes=suffixes,
        recognises=_recogniser(spelling),
        read=_reader(spelling),
        write=_writer(spelling),
        outline=_outliner(spelling),
        options=frozenset({"dialect"}),
        read_options=frozenset({"allow_code"}),
    )


JSON_LAYOUT = _layout("json", (".json",))
YAML_LAYOUT = _layout("yaml", (".yaml", ".yml"))

__all__ = ["JSON_LAYOUT", "YAML_LAYOUT", "architecture_from_text", "architecture_to_text", "spelling_of"]
