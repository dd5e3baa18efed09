"""A Keras training configuration, of any generation, as ours, and back; what it says comes back unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from triptych.errors import shorten
from triptych.layouts.keras_config import architecture as architectures
from triptych.layouts.keras_config import edits, objectives, optimizers
from triptych.layouts.keras_config.generations import KERAS2, Generation, parse_version, recognise
from triptych.layouts.keras_config.layers import EXTENSION, Writing, extension_of
from triptych.layouts.keras_config.plain import REFUSED, Unsayable, levels, plain, unsayable, without_code
from triptych.layouts.problems import invalid
from triptych.model import Architecture, Component, Json, Loss, Metric, Training
from triptych.vocabulary import infer

_TRAINING_TARGET = Generation((2, 15, 0), "2.15.0")
"""Written for keras2 when the training comes from elsewhere: names the optimizers of today, ``Custom>Adam``."""


_NOTHING_SAID: tuple[Json, ...] = (None, [], {}, False, 1, "auto")
_HARMLESS = frozenset(
    {"name", "fn", "dtype", "reduction", "module", "registered_name", "build_config", "run_eagerly", "jit_compile"}
)
"""Keys whose edits carry no meaning for another dialect."""


class _Outputs:
    """The outputs of an architecture: the names Keras has for them, and ours."""

    def __init__(self, architecture: Architecture | None) -> None:
        self.values: tuple[str, ...] = ()
        self.keras: dict[str, str] = {}
        self._binary: tuple[bool, ...] = ()
        if architecture is None:
            return
        makers = {name: call.layer for call in architecture.calls or () for name in call.output_names}
        self.values = architecture.outputs
        for value in self.values:
            wanted = name = makers.get(value, value)
            number = 1
            while name in self.keras.values():
                name, number = f"{wanted}_{number}", number + 1
            self.keras[value] = name
        self._binary = tuple(shape is not None and bool(shape) and shape[-1] == 1 for shape in infer(architecture).outputs)

    @property
    def several(self) -> bool:
        """Whether a loss must say which output it is of."""
        return len(self.values) > 1

    def named(self, name: str) -> str | None:
        """Our name of the output that Keras calls `name`.

        Raises:
            Unsayable: There is no such output.
        """
        if not self.values:
            return name
        if not self.several:
            return None if self.keras[self.values[0]] == name else unsayable("an output")
        return next((value for value, known in self.keras.items() if known == name), None) or (
            name if name in self.values else unsayable("an output")
        )

    def at(self, index: int) -> str | None:
        """Our name of output number `index`."""
        if not self.several:
            return None if index == 0 else unsayable("an output")
        return self.values[index] if index < len(self.values) else unsayable("an output")

    def binary(self, output: str | None) -> bool:
        """Whether the last extent of `output` is 1."""
        index = self.values.index(output) if output in self.values else 0
        return index < len(self._binary) and self._binary[index]


def read_training_config(
    config: Mapping[str, Json], architecture: Architecture | None, *, keras_version: str | None, allow_code: bool = False
) -> Training:
    """The training that a Keras training configuration describes, without state.

    `config` is what ``training_config`` holds, or ``compile_config`` of a ``.keras`` file. What our terms cannot say travels in
    ``extensions.keras``, so that `write_training_config` returns an equal configuration.

    Raises:
        InvalidModelError: It is no object, or nested without bound.
    """
    if not isinstance(config, dict):
        raise invalid("training_config", f"expected an object, got {shorten(config)}")
    if levels(config) >= REFUSED:
        raise invalid("training_config", f"expected less than {REFUSED} levels of nesting, got {levels(config)}")
    original, omitted = (config, []) if allow_code else without_code(config)
    known = architectures.source_generation(architecture) if architecture is not None and keras_version is None else None
    generation = known or recognise(original, keras_version)
    wrapped = "optimizer_config" not in original and ("optimizer" in original or "run_eagerly" in original)
    generation = Generation(generation.version, generation.text, wrapped)
    source: dict[str, Json] = {
        "dialect": generation.dialect,
        "version": generation.text,
        "code_omitted": omitted,
        "wrapped": wrapped,
    }
    source = {key: value for key, value in source.items() if value}
    if parse_version(generation.text) is None:
        source["taken_for"] = ".".join(map(str, generation.version))
    for attempt in (_translate, _as_text):
        try:
            training = attempt(original, architecture, generation)
            training = replace(
                training, extensions={EXTENSION: {**source, **extension_of(training.extensions)}}, extensions_used=(EXTENSION,)
            )
            if edits.same(_write(training, architecture, Writing(generation, edits_apply=True)), original):
                return training
        except Unsayable:
            continue
    raise invalid("training_config", "expected a configuration that can be kept, got one that does not come back")


def _as_text(original: Json, _architecture: Architecture | None, _generation: Generation) -> Training:
    return Training(extensions={EXTENSION: {"text": json.dumps(original)}})


def _translate(original: Json, architecture: Architecture | None, generation: Generation) -> Training:
    config = plain(original)
    outputs = _Outputs(architecture)
    optimizer = None
    found = config.get("optimizer_config", config.get("optimizer"))
    if found is not None:
        try:
            optimizer = optimizers.read(found, generation)
        except Unsayable:
            optimizer = None
    losses = _attempt(lambda: _read_losses(config.get("loss"), config.get("loss_weights"), outputs, generation))
    metrics = _attempt(lambda: _read_metrics(config.get("metrics"), outputs, losses, generation, weighted=False))
    weighted = _attempt(lambda: _read_metrics(config.get("weighted_metrics"), outputs, losses, generation, weighted=True))
    training = Training(optimizer=optimizer, losses=tuple(losses), metrics=(*metrics, *weighted))
    generated = _generate(training, architecture, Writing(generation, edits_apply=True))
    changes = edits.difference(generated, config)
    return replace(training, extensions={EXTENSION: {"edits": changes}} if changes else {})


def _attempt(read: object) -> list[Json]:
    """What `read` yields; nothing where it cannot be said, so that edits keep it."""
    assert callable(read)
    try:
        return list(read())
    except Unsayable:
        return []


def _read_losses(value: Json, weights: Json, outputs: _Outputs, generation: Generation) -> list[Loss]:
    factors = _factors(weights, outputs)
    return [
        Loss(name, config, output, factors.get(output))
        for output, given in _by_output(value, outputs, every=True)
        for name, config in [objectives.read_loss(given, generation)]
    ]


def _by_output(value: Json, outputs: _Outputs, *, every: bool) -> list[tuple[str | None, Json]]:
    """Pairs of an output and what `value` gives for it; one value alone holds for `every` output or for none in particular."""
    if value is None:
        return []
    if isinstance(value, list):
        return [(outputs.at(index), item) for index, item in enumerate(value) if item is not None]
    if isinstance(value, dict) and "class_name" not in value:
        return [(outputs.named(name), item) for name, item in value.items() if item is not None]
    return [(output, value) for output in outputs.values] if every and outputs.several else [(None, value)]


def _factors(weights: Json, outputs: _Outputs) -> dict[str | None, float]:
    pairs = _by_output(weights, outputs, every=True)
    if any(isinstance(item, bool) or not isinstance(item, int | float) for _, item in pairs):
        unsayable("a loss weight")
    return dict(pairs)


def _read_metrics(
    value: Json, outputs: _Outputs, losses: Iterable[Loss], generation: Generation, *, weighted: bool
) -> list[Metric]:
    pairs: list[tuple[str | None, Json]] = []
    if isinstance(value, list) and any(isinstance(item, list) for item in value):
        pairs = [
            (outputs.at(index), item)
            for index, items in enumerate(value)
            for item in (items if isinstance(items, list) else [items])
        ]
    elif isinstance(value, list):
        pairs = [(output, item) for output in (outputs.values if outputs.several else (None,)) for item in value]
    elif isinstance(value, dict) and "class_name" not in value:
        pairs = [
            (outputs.named(name), item) for name, items in value.items() for item in (items if isinstance(items, list) else [items])
        ]
    elif value is not None:
        pairs = [(None, value)]
    by_output = {loss.output: loss.type for loss in losses}
    found = []
    for output, item in pairs:
        if item is not None:
            name, config = objectives.read_metric(item, by_output.get(output), generation, binary=outputs.binary(output))
            found.append(Metric(name, config, output, weighted))
    return found


def write_training_config(
    training: Training, architecture: Architecture | None, *, dialect: str | None = None, wrapped: bool | None = None
) -> tuple[dict[str, Json], tuple[str, ...]]:
    """The Keras training configuration of `training`, and a note of each thing it does not say.

    `dialect` is ``keras2`` or ``keras3``; None writes the generation that the training was read from, else that of the
    architecture, else keras2. `wrapped` says whether as ``compile_config`` of ``.keras`` files; None: in the source's form.

    Raises:
        UsageError: No such dialect.
    """
    writing = _writing(training, architecture, dialect)
    if wrapped is not None and wrapped != writing.generation.wrapped:
        # An archive becomes an HDF5 file, in which Keras reads other spellings, or the other way round.
        writing.modules_stay = wrapped
        writing.edits_apply = writing.edits_apply and wrapped
        writing.generation = replace(writing.generation, wrapped=wrapped)
    kept = extension_of(training.extensions)
    writing.notes += architectures.omitted_code(kept, "training")
    result = _write(training, architecture, writing)
    return result, tuple(dict.fromkeys(writing.notes))


def _writing(training: Training, architecture: Architecture | None, dialect: str | None) -> Writing:
    own = architectures.written_generation(Architecture(layers=(), extensions=training.extensions), dialect)
    if own.edits_apply:
        return own
    around = architectures.written_generation(architecture, dialect)
    generation = around.generation
    if generation.dialect == KERAS2 and not around.edits_apply:
        generation = _TRAINING_TARGET
    return Writing(Generation(generation.version, generation.text), edits_apply=False)


def _write(training: Training, architecture: Architecture | None, writing: Writing) -> dict[str, Json]:
    kept = extension_of(training.extensions)
    if "text" in kept:
        text = architectures.object_of(kept["text"])
        if text is not None and writing.edits_apply:
            return text
        writing.notes.append("training: kept as text, it was not translated")
    generated = _generate(training, architecture, writing)
    finished: dict[str, Json] = writing.finish(generated, training.extensions, "training")
    if not writing.edits_apply:
        for edit in edits.stored(extension_of(training.extensions)):
            at = str(edit["at"])
            if edit.get("from") is None and edit.get("to") not in _NOTHING_SAID and at.rpartition("/")[2] not in _HARMLESS:
                writing.notes.append(f"training: {shorten(at)} of Keras' configuration was not kept")
    return finished


def _generate(training: Training, architecture: Architecture | None, writing: Writing) -> dict[str, Json]:
    generation = writing.generation
    outputs = _Outputs(architecture)
    result: dict[str, Json] = {}
    if training.optimizer is not None:
        result["optimizer" if generation.wrapped else "optimizer_config"] = _write_optimizer(training.optimizer, writing)
    for loss in training.losses:
        writing.notes += objectives.unsaid("losses", loss.type, loss.config, generation)
    for metric in training.metrics:
        writing.notes += objectives.unsaid("metrics", metric.type, metric.config, generation)
    result["loss"] = _collect(
        [(loss.output, objectives.write_loss(loss.type, loss.config, generation)) for loss in training.losses], outputs
    )
    weights = [(loss.output, loss.weight) for loss in training.losses if loss.weight is not None]
    result["loss_weights"] = _collect(weights, outputs)
    for key, weighted in (("metrics", False), ("weighted_metrics", True)):
        if not weighted or generation >= (2, 3):
            chosen = [metric for metric in training.metrics if metric.weighted == weighted]
            result[key] = _write_metrics(chosen, outputs, generation)
        elif any(metric.weighted for metric in training.metrics):
            writing.notes.append(f"training: Keras {generation.text} has no weighted metrics")
    if generation < (2, 3, 50):
        result["sample_weight_mode"] = None
    if generation >= (3,) or generation.wrapped:
        result |= {"run_eagerly": False, "steps_per_execution": 1, "jit_compile": False}
    return result


def _write_optimizer(optimizer: Component, writing: Writing) -> Json:
    if ":" in optimizer.type and not optimizer.type.startswith(f"{EXTENSION}:"):
        writing.notes.append(f"optimizer: Keras knows no {optimizer.type}")
    writing.notes += optimizers.unsaid(optimizer, writing.generation)
    return writing.finish(optimizers.write(optimizer, writing.generation), optimizer.extensions, "optimizer")


def _collect(pairs: list[tuple[str | None, Json]], outputs: _Outputs) -> Json:
    """One value, or an object by Keras' names of outputs."""
    if not pairs:
        return None
    if len(pairs) == 1 and pairs[0][0] is None:
        return pairs[0][1]
    return {outputs.keras.get(output or "", output or ""): value for output, value in pairs}


def _write_metrics(metrics: list[Metric], outputs: _Outputs, generation: Generation) -> Json:
    if not metrics:
        return [] if generation < (2, 3, 50) else None
    spelled = [(metric.output, objectives.write_metric(metric.type, metric.config, generation)) for metric in metrics]
    if (2, 3, 50) <= generation.version < (3,) and not generation.wrapped:
        return [
            [item for output, item in spelled if output == value] or [None]
            for value in (outputs.values if outputs.several else (None,))
        ]
    if not outputs.several and all(output is None for output, _ in spelled):
        return [item for _, item in spelled]
    names = dict.fromkeys(output for output, _ in spelled)
    return {outputs.keras.get(name or "", name or ""): [item for output, item in spelled if output == name] for name in names}
