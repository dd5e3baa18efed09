"""Opens a model of any layout, recognised by its content."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path
from typing import Literal

from triptych import documents, package
from triptych.errors import Findings, Problem, UnsupportedError, UsageError, shorten
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.layouts import LAYOUTS, Layout
from triptych.model import Architecture, Json, Panels
from triptych.surface.model import Model

HEAD_BYTES = 512
"""Enough of a file to tell its layout."""


def recognise(path: Path) -> Layout:
    """The layout of what stands at `path`, by its first bytes or its members, never by its name.

    Raises:
        FileNotFoundError: Nothing stands there.
        UnsupportedError: No layout is like this.
    """
    head = b""
    if not path.is_dir():
        # O_NONBLOCK: a pipe in the place of a model is refused below instead of waited for.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            head = os.read(descriptor, HEAD_BYTES)
        finally:
            os.close(descriptor)
    for layout in LAYOUTS:
        if layout.recognises(path, head):
            return layout
    known = ", ".join(layout.title for layout in LAYOUTS)
    found = "a folder without manifest.json" if path.is_dir() else f"a file that starts with {shorten(head[:16])}" if head else "an empty file"
    raise UnsupportedError((Problem("LAYOUT_UNKNOWN", "", "", f"expected one of {known}; got {found}"),))


def load(
    path: str | PathLike[str], *, verify: Literal["lazy", "full", "off"] = "lazy", limits: Limits = DEFAULT_LIMITS
) -> Model:
    """Open the model at `path`, of any layout; reads headers and documents, and tensors only when they are used.

    Args:
        path: A package (folder or archive) or a file of a foreign layout.
        verify: When the digests of a package are checked: each tensor on first use, all before returning, or never.
        limits: What the reader may spend; see `triptych.limits`.

    Raises:
        InvalidModelError: The file breaks the specification of its layout; ``.problems`` lists how.
        UnsupportedError: No layout is like this, or a limit is exceeded.
        OSError: The file cannot be read.
    """
    target = Path(path)
    layout = recognise(target)
    if layout.name == package.LAYOUT_NAME:
        return Model(package.read_package(target, limits=limits, verify=verify))
    return Model(layout.read(target))


def model_from_json(text: str | bytes) -> Model:
    """The model that architecture text in JSON says: this format's, or Keras' ``to_json`` of any generation.

    Raises:
        InvalidModelError: The text breaks the specification; each problem carries a JSON Pointer.
    """
    return _from_text(text, "json")


def model_from_yaml(text: str | bytes) -> Model:
    """The model that architecture text in YAML says; see `model_from_json`.

    Raises:
        InvalidModelError: The text breaks the specification, or says something that only one YAML version would read so.
    """
    return _from_text(text, "yaml")


def _from_text(text: str | bytes, spelling: Literal["json", "yaml"]) -> Model:
    if not isinstance(text, str | bytes):
        raise UsageError(f"expected architecture text, got {shorten(text)}")
    findings = Findings()
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    parse = documents.parse_json if spelling == "json" else documents.parse_yaml
    architecture = architecture_from_data(parse(data, findings), findings)
    return Model(Panels(architecture=architecture))


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
