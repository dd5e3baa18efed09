"""A whole Keras model configuration, of any generation, as an architecture, and back; what it says comes back unchanged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from triptych.errors import UsageError, shorten
from triptych.layouts.keras_config import edits, models
from triptych.layouts.keras_config.composites import without_composites
from triptych.layouts.keras_config.generations import KERAS2, KERAS3, Generation, parse_version, recognise, target
from triptych.layouts.keras_config.layers import EXTENSION, MODEL_CLASSES, Writing, extension_of
from triptych.layouts.keras_config.masks import departures, rule_of, with_rule
from triptych.layouts.keras_config.plain import REFUSED, Unsayable, levels, plain, unsayable, without_code
from triptych.layouts.problems import inexpressible, invalid
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Architecture, Json, Layer, Panels

THEANO = "theano"
DIALECTS = ("keras1", KERAS2, KERAS3)
_TEXT_TYPE = f"{EXTENSION}:Model"


def read_model_config(
    config: Mapping[str, Json],
    *,
    keras_version: str | None,
    backend: str | None,
    allow_code: bool = False,
    theano: bool = False,
) -> Architecture:
    """The architecture that a Keras model configuration describes.

    `config` is what ``model_config`` or ``to_json`` hold; `keras_version` and `backend` are those of the file around it, if
    it names them. What our terms cannot say travels in ``extensions.keras``, so that `write_model_config` returns an equal
    configuration. Compiled code of lambdas is left out unless `allow_code`; `write_model_config` names what it misses.
    `theano` says that the backend was that one though nothing names it.

    Raises:
        InvalidModelError: It is no model configuration.
    """
    if (
        not isinstance(config, dict)
        or not isinstance(config.get("class_name"), str)
        or not config["class_name"]
        or not isinstance(config.get("config"), dict | list)
    ):
        raise invalid("model_config", f"expected a Keras model with class_name and config, got {shorten(config)}")
    if levels(config) >= REFUSED:
        raise invalid("model_config", f"expected less than {REFUSED} levels of nesting, got {levels(config)}")
    version = keras_version if keras_version is not None else _text(config.get("keras_version"))
    known_backend = backend if backend is not None else _text(config.get("backend"))
    original, omitted = (config, []) if allow_code else without_code(config)
    generation = replace(recognise(original, version), theano=theano or known_backend == THEANO)
    source: dict[str, Json] = {
        "dialect": generation.dialect,
        "version": version,
        "backend": known_backend,
        "theano": theano and known_backend is None,
        "code_omitted": omitted,
        "wrapped": generation.wrapped,
    }
    source = {key: value for key, value in source.items() if value}
    if parse_version(version) is None:
        source["taken_for"] = ".".join(map(str, generation.version))
    for attempt in (_translate, _opaque, _as_text):
        try:
            architecture = _with_source(attempt(original, generation), source)
            if edits.same(_write(architecture, _source_writing(architecture)), original):
                return architecture
        except Unsayable:
            continue
    raise invalid("model_config", "expected a configuration that can be kept, got one that does not come back")


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _with_source(architecture: Architecture, source: Mapping[str, Json]) -> Architecture:
    extensions = {**architecture.extensions, EXTENSION: {**source, **extension_of(architecture.extensions)}}
    return replace(architecture, extensions=extensions, extensions_used=(EXTENSION,))


def _translate(original: Json, generation: Generation) -> Architecture:
    if original["class_name"] not in MODEL_CLASSES:
        return _opaque(original, generation)
    return with_rule(models.read(plain(original), generation), generation)


def _opaque(original: Json, generation: Generation) -> Architecture:
    """The model as one layer of an extension type: a graph that cannot be said is not said wrongly."""
    layer = models.LAYERS.read(plain(original), generation, opaque=True)
    return Architecture(layers=(layer,), extensions={EXTENSION: {"whole": True}})


def _as_text(original: Json, _: Generation) -> Architecture:
    """The model as a text, for what no document can hold as data."""
    text = json.dumps(original)
    if len(text) > DEFAULT_LIMITS.string_bytes:
        unsayable("a long text")
    return Architecture(layers=(Layer("model", _TEXT_TYPE),), extensions={EXTENSION: {"text": text}})


def source_generation(architecture: Architecture) -> Generation | None:
    """The generation that `architecture` was read from; None if it was not read from Keras."""
    source = extension_of(architecture.extensions)
    if source.get("dialect") not in DIALECTS:
        return None
    text = _text(source.get("version"))
    version = parse_version(text) or parse_version(_text(source.get("taken_for")))
    if version is None:
        return None
    theano = source.get("backend") == THEANO or source.get("theano") is True
    return Generation(version, text, bool(source.get("wrapped")), theano=theano)


def _source_writing(architecture: Architecture) -> Writing:
    generation = source_generation(architecture)
    assert generation is not None
    return Writing(generation, edits_apply=True)


def written_generation(architecture: Architecture | None, dialect: str | None, *, wrapped: bool = False) -> Writing:
    """How `write_model_config` would write for `dialect`, and `wrapped` or not: the generation, and whether the source's edits apply.

    Who names keras2 wants what its newest version reads, so that a source of an early version is translated like any other.

    Raises:
        UsageError: No such dialect.
    """
    source = None if architecture is None else source_generation(architecture)
    if dialect is None:
        return Writing(target(KERAS2), edits_apply=False) if source is None else Writing(source, edits_apply=True)
    if dialect not in DIALECTS:
        raise UsageError(f"expected a dialect of {', '.join(DIALECTS)}, got {shorten(dialect)}")
    wanted = Generation((1, 2, 2), "1.2.2") if dialect == "keras1" else target(dialect)
    # What is written for a dialect runs on TensorFlow; what pads as on Theano goes back to its own file only.
    fits = source is not None and source.dialect == dialect and not source.theano
    if source is not None and fits and (dialect != KERAS2 or source.version >= wanted.version):
        bare = dialect == KERAS3 and not source.wrapped
        return Writing(replace(source, wrapped=source.wrapped or (wrapped and bare)), edits_apply=True, modules_stay=bare)
    return Writing(replace(wanted, wrapped=wrapped and dialect == KERAS3), edits_apply=False)


def write_model_config(
    architecture: Architecture, *, dialect: str | None = None, wrapped: bool = False
) -> tuple[dict[str, Json], tuple[str, ...]]:
    """The Keras model configuration of `architecture`, and a note of each thing it does not say.

    Each use of a composite becomes a nested model. `dialect` is ``keras2`` or ``keras3``; None writes the generation that the architecture was read from, else keras2.
    `wrapped` makes each object of Keras 3 say its module, as its ``to_json`` and its archives do and HDF5 files need not.

    Raises:
        ConversionError: It is the text of a model of another dialect, which cannot be translated, or Keras lacks an operation.
        UsageError: No such dialect.
    """
    architecture, nested = without_composites(architecture)
    writing = written_generation(architecture, dialect, wrapped=wrapped)
    writing.notes += nested
    writing.notes += omitted_code(extension_of(architecture.extensions), "model")
    written = _write(architecture, writing)
    # What is written for a Keras 3 in general is read by those of today.
    generation = writing.generation
    rule = rule_of(generation) if writing.edits_apply or generation < (3,) else "any"
    writing.notes += departures(architecture, rule, generation.text)
    return written, tuple(dict.fromkeys(writing.notes))


def omitted_code(kept: Mapping[str, Json], what: str) -> list[str]:
    """A note of each place whose code was left out when `what` was read, by what its extension keeps."""
    places = kept.get("code_omitted")
    return [
        f"the code of the lambda at {shorten(place)} was left out when the {what} was read; "
        "allow_code=True (--allow-code) carries it as data that nothing runs"
        for place in (places if isinstance(places, list | tuple) else ())
    ]


def left_out(panels: Panels) -> tuple[str, ...]:
    """A sentence for each thing of the Keras file that was read that `panels` do not hold."""
    of = (("model", panels.architecture), ("training", panels.training))
    return tuple(note for what, panel in of if panel is not None for note in omitted_code(extension_of(panel.extensions), what))


def object_of(text: Json) -> dict[str, Json] | None:
    """The object that `text` is the JSON of; None if it is not."""
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _write(architecture: Architecture, writing: Writing) -> dict[str, Json]:
    source = extension_of(architecture.extensions)
    if "text" in source and architecture.layers and architecture.layers[0].type == _TEXT_TYPE:
        found = object_of(source["text"])
        if found is None or not writing.edits_apply:
            raise inexpressible("layers/0", "expected a model that can be translated to another dialect, got one kept as text")
        return found
    if source.get("whole") and len(architecture.layers) == 1 and not architecture.inputs:
        return models.LAYERS.write(architecture.layers[0], writing)
    # A source that named its model nothing is not given a name on the way back.
    name = architecture.name or (None if writing.edits_apply else "model")
    return models.write(architecture, {"trainable": True}, name, writing)
