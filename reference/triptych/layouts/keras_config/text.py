"""Keras' architecture text in JSON or YAML, of every generation, as the model object it holds, and back; less strict than our own documents."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from typing import Any, Literal

from triptych.errors import UsageError, shorten
from triptych.layouts.keras_config import edits, yaml_text
from triptych.layouts.keras_config.architecture import write_model_config, written_generation
from triptych.layouts.keras_config.layers import Writing, extension_of
from triptych.layouts.keras_config.plain import REFUSED, levels
from triptych.layouts.problems import invalid, unsupported
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Architecture, Json

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_WRAPPERS = ("modelTopology", "model_config", "config")
"""Members whose value is a model object, or the JSON text of one: of TensorFlow.js, of what copies an HDF5 file's attributes, of a model
whose class was left out."""
SOURCE = "keras"
"""The dialect that asks for text as the Keras wrote it that the model comes from."""
_ENCODINGS = 3
"""How often a text may have been encoded as JSON."""


def decode(data: bytes) -> str:
    """The text of `data`: UTF-8, UTF-16 if its mark says so, or else Latin-1, which Python 2 wrote."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def parse(data: bytes, spelling: Literal["json", "yaml"], member: str = "") -> Json:
    """The value that Keras' text holds; NaN and Infinity are numbers.

    Raises:
        InvalidModelError: It is no text of this spelling.
        UnsupportedError: It holds a tag that is no data, or exceeds a limit.
    """
    limit = DEFAULT_LIMITS.document_bytes if spelling == "json" else DEFAULT_LIMITS.yaml_bytes
    if len(data) > limit:
        raise unsupported(member, f"expected text of at most {limit} bytes, got {len(data)} bytes")
    text = decode(data)
    return _from_json(text, member) if spelling == "json" else yaml_text.parse(text, member)


def _from_json(text: str, member: str) -> Json:
    def members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            repeated = next(name for name in names if names.count(name) > 1)
            raise invalid(member, f"expected each name once in an object, got {shorten(repeated)} again")
        return found

    try:
        return json.loads(text, object_pairs_hook=members)
    except json.JSONDecodeError as error:
        what = f"an error at line {error.lineno}, column {error.colno}: {error.msg[0].lower()}{error.msg[1:]}"
        raise invalid(member, f"expected the JSON of a Keras model, got {what}") from error
    except RecursionError as error:
        raise unsupported(member, f"expected less than {REFUSED} nested arrays and objects, got more") from error
    except ValueError as error:
        raise invalid(member, f"expected the JSON of a Keras model, got {shorten(str(error))}") from error


def model_object(value: Json, member: str = "") -> dict[str, Json] | None:
    """The Keras model object in `value`: itself, what is encoded or wrapped in it, or what the bare config of a model stands for.

    None if `value` is nothing of Keras.

    Raises:
        UnsupportedError: It is a TensorFlow graph instead of layers.
    """
    for _ in range(_ENCODINGS):
        if isinstance(value, str):
            value = _from_json(value, member)
    if isinstance(value, list):
        return {"class_name": "Sequential", "config": value} if _are_layers(value) else None
    if not isinstance(value, dict) or "format_version" in value:
        return None
    if "class_name" in value:
        return value
    for name in _WRAPPERS:
        inner = value.get(name)
        if isinstance(inner, dict) and "node" in inner and "class_name" not in inner:
            raise unsupported(member, "expected a model of layers, got the TensorFlow graph of a TensorFlow.js graph model")
        if isinstance(inner, str | dict) and levels(inner) < REFUSED:
            found = model_object(inner, member)
            return None if found is None else _with_versions(found, value)
    if _are_layers(value.get("layers")):
        return {"class_name": "Model" if "input_layers" in value else "Sequential", "config": value}
    return None


def _are_layers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) and "class_name" in item for item in value)


def _with_versions(found: Mapping[str, Json], around: Mapping[str, Json]) -> dict[str, Json]:
    """`found` with the versions that stand around it."""
    return {**{name: around[name] for name in ("keras_version", "backend") if name in around}, **found}


def dump(architecture: Architecture, spelling: Literal["json", "yaml"], dialect: str) -> tuple[str, tuple[str, ...]]:
    """What Keras' ``to_json`` or ``to_yaml`` would say of `architecture`, and a note of each thing it does not say.

    `dialect` is ``keras1``, ``keras2``, ``keras3``, or ``keras`` for the very version that the architecture was read from.

    Raises:
        ConversionError: Keras has no place for what it says.
        UsageError: No such dialect, or one that has no YAML.
    """
    asked = None if dialect == SOURCE else dialect
    writing = written_generation(architecture, asked, wrapped=True)
    if spelling == "yaml" and writing.generation >= (3,):
        raise UsageError(
            f"expected the dialect keras1 or keras2 for YAML, got {dialect!r}: Keras 3 neither writes nor reads it; ask for JSON"
        )
    config, notes = write_model_config(architecture, dialect=asked, wrapped=True)
    config = _complete(config, architecture, writing)
    if spelling == "json":
        return json.dumps(config), notes
    import yaml

    # A document that says nothing twice by reference: every reader of YAML follows it.
    return yaml.dump(edits.copy(config), Dumper=_plain_dumper(), default_flow_style=False, allow_unicode=False), notes


def _plain_dumper() -> Any:
    import yaml

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - whatever it is
            return True

    return Plain


def _complete(config: dict[str, Json], architecture: Architecture, writing: Writing) -> dict[str, Json]:
    """`config` with what ``to_json`` says around it and HDF5 files say elsewhere."""
    generation = writing.generation
    if generation >= (3,):
        sequential = config["class_name"] == "Sequential"
        module, registered = ("keras", None) if sequential else ("keras.src.models.functional", config["class_name"])
        return {"module": module, "registered_name": registered, **config}
    if writing.edits_apply:
        source = extension_of(architecture.extensions)
        found = {"keras_version": source.get("version"), "backend": source.get("backend")}
    else:
        found = {"keras_version": generation.text, "backend": None if generation < (2,) else "tensorflow"}
    return {**config, **{name: value for name, value in found.items() if value is not None and name not in config}}
