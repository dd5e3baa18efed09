"""Architecture text in JSON or YAML: this format's document alone, or Keras' ``to_json`` of any generation."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from triptych import documents
from triptych.errors import Findings, UsageError
from triptych.layouts.layout import Layout
from triptych.layouts.problems import unsupported
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Architecture, Json, Panels

_YAML_MEMBER = re.compile(r"^(format_version|class_name|config|backend|layers|inputs|name)\s*:", re.MULTILINE)


def architecture_from_text(text: str | bytes, spelling: Literal["json", "yaml"], member: str = "") -> Architecture:
    """The architecture that `text` says.

    Raises:
        InvalidModelError: The text breaks the specification; each problem carries a JSON Pointer.
    """
    findings = Findings(member=member)
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return architecture_from_data((documents.parse_json if spelling == "json" else documents.parse_yaml)(data, findings), findings)


def architecture_from_data(data: Json, findings: Findings) -> Architecture:
    """The architecture in plain data: this format's members, or Keras' ``class_name`` and ``config``.

    Raises:
        InvalidModelError: It breaks the specification.
    """
    if isinstance(data, dict) and "class_name" in data and "format_version" not in data:
        from triptych.layouts import keras_config

        version, backend = data.get("keras_version"), data.get("backend")
        return keras_config.read_model_config(
            data,
            keras_version=version if isinstance(version, str) else None,
            backend=backend if isinstance(backend, str) else None,
        )
    from triptych.checks import check_architecture

    architecture = documents.parse_architecture(data, findings)
    check_architecture(architecture, findings)
    findings.raise_if_any()
    return architecture


def spelling_of(head: bytes) -> Literal["json", "yaml"] | None:
    """Which spelling text that starts with `head` has; None if it is neither."""
    try:
        # The head may end inside a character.
        text = head.decode("utf-8", "strict" if len(head) < 4 else "ignore")
    except UnicodeDecodeError:
        return None
    if b"\0" in head or not text:
        return None
    if text.lstrip().startswith("{"):
        return "json"
    return "yaml" if _YAML_MEMBER.search(text) else None


def _recogniser(spelling: str) -> Callable[[Path, bytes], bool]:
    return lambda path, head: spelling_of(head) == spelling  # noqa: ARG005 - every layout is asked with both


def _reader(spelling: Literal["json", "yaml"]) -> Callable[[Path], Panels]:
    limit = DEFAULT_LIMITS.document_bytes if spelling == "json" else DEFAULT_LIMITS.yaml_bytes

    def read(path: Path) -> Panels:
        with path.open("rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise unsupported(path.name, f"expected text of at most {limit} bytes, got more")
        return Panels(architecture=architecture_from_text(data, spelling, path.name))

    return read


def _writer(spelling: str) -> Callable[..., tuple[str, ...]]:
    def write(
        panels: Panels, path: Path, *, overwrite: bool = True, progress: Callable[[int, int, str], None] | None = None  # noqa: ARG001 - done at once
    ) -> tuple[str, ...]:
        from triptych.package.atomic import replace_file

        if panels.architecture is None:
            raise UsageError("expected a model with an architecture to write its text, this one has none")
        dump = documents.dump_json if spelling == "json" else documents.dump_yaml
        with replace_file(path, overwrite=overwrite) as staged:
            Path(staged).write_text(dump(documents.architecture_to_data(panels.architecture)), encoding="utf-8", newline="")
        left = [("weights", panels.weights), ("training", panels.training), ("assets", panels.assets), ("license", panels.license)]
        return tuple(f"{name}: architecture text holds the architecture alone" for name, panel in left if panel)

    return write


JSON_LAYOUT = Layout(
    "architecture-json", "architecture text in JSON", (".json",), _recogniser("json"), _reader("json"), _writer("json")
)
YAML_LAYOUT = Layout(
    "architecture-yaml", "architecture text in YAML", (".yaml", ".yml"), _recogniser("yaml"), _reader("yaml"), _writer("yaml")
)

__all__ = ["JSON_LAYOUT", "YAML_LAYOUT", "architecture_from_data", "architecture_from_text", "spelling_of"]
