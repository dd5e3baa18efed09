"""Decides everything that an archive or a weights file of Keras 3 holds, so that writing it only copies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from triptych.errors import UsageError, shorten
from triptych.layouts import keras_config
from triptych.layouts.keras_config.generations import KERAS2, KERAS3, Generation, target
from triptych.layouts.keras_v3 import optimizer_state
from triptych.layouts.keras_v3.facts import Facts, of_panels
from triptych.layouts.keras_v3.graph_order import in_keras_order
from triptych.layouts.keras_v3.groups import Group, index_order, split_variable
from triptych.layouts.keras_v3.lookup_assets import apart
from triptych.layouts.keras_v3.object_paths import Saved, saved_objects
from triptych.layouts.keras_v3.reader import ASSETS, STATE, architecture_config, path_of
from triptych.layouts.keras_weights.assignment import Place
from triptych.layouts.keras_weights.lineage import weight_order
from triptych.layouts.keras_weights.optimizer import Trained
from triptych.layouts.keras_weights.probing import VARS
from triptych.layouts.keras_weights.renaming import without_slashes
from triptych.layouts.keras_weights.storing import as_stored, state_as_stored
from triptych.layouts.problems import inexpressible
from triptych.layouts.vocabularies import inlined
from triptych.model import Architecture, Json, Panels, Tensor, Training, Weights


@dataclass(slots=True)
class Contents:
    """What is to be written."""

    groups: dict[str, Group] = field(default_factory=dict)
    """By path, in Keras' order."""
    named: bool = True
    says_bfloat16: bool = True
    metadata: dict[str, Json] = field(default_factory=dict)
    """Empty where there is to be none."""
    config: dict[str, Json] = field(default_factory=dict)
    assets: dict[str, Tensor] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def archive_contents(panels: Panels, dialect: str | None) -> Contents:
    """What an archive of `panels` holds; see `writer.write_archive`."""
    architecture, weights = panels.architecture, panels.weights
    if architecture is None or weights is None:
        missing = "an architecture" if architecture is None else "weights"
        raise inexpressible("", f"expected a model with architecture and weights for an archive of Keras, this one lacks {missing}")
    architecture, nested = keras_config.without_composites(architecture)
    panels = replace(panels, architecture=architecture)
    facts = of_panels(panels)
    facts = None if facts is not None and facts.weights_only else facts
    source = keras_config.source_generation(architecture)
    came_from = source.dialect if facts is not None and source is not None else KERAS3
    chosen = dialect or came_from
    if chosen not in (KERAS3, came_from):
        raise UsageError(f"expected the dialect {KERAS3}, in which Keras writes archives, got {shorten(chosen)}")
    if source is None or source.dialect != chosen:
        facts = None  # names and versions of another generation mean nothing here
    renamed: tuple[str, ...] = ()
    if chosen == KERAS3 and facts is None:
        panels, renamed = without_slashes(panels)
    panels, theirs = _with_assets(panels, facts, chosen)
    architecture = panels.architecture
    assert architecture is not None
    config, notes = keras_config.write_model_config(architecture, dialect=chosen, wrapped=True)
    generation = keras_config.written_generation(architecture, chosen, wrapped=True).generation
    config = in_keras_order(config, architecture)
    contents = _contents(facts, generation)
    contents.notes += (*nested, *renamed, *notes)
    _fill(contents, panels, config, generation, facts)
    contents.metadata = {"keras_version": generation.text or ".".join(map(str, generation.version))} if facts is None else _in_order(facts.metadata)
    contents.config = {**config, **_compile_config(contents, panels.training, architecture, chosen, facts)}
    kept = {name: asset for name, asset in panels.assets.items() if name.startswith(ASSETS)} | theirs
    contents.assets = dict(sorted(kept.items()))
    contents.notes += [f"{name} of the package: an archive of Keras has no place for it" for name in ("license", "provenance") if getattr(panels, name)]
    if panels.metadata:
        contents.notes.append("metadata of the package: an archive of Keras has no place for it")
    contents.notes += [f"asset {name!r}: an archive of Keras keeps assets under {ASSETS}" for name in panels.assets if not name.startswith(ASSETS)]
    return contents


def _with_assets(panels: Panels, facts: Facts | None, dialect: str) -> tuple[Panels, dict[str, Tensor]]:
    """`panels` with every vocabulary in its config, but for those that came from Keras' assets and go back there; these."""
    architecture, theirs = panels.architecture, dict[str, Tensor]()
    if facts is not None and architecture is not None and panels.assets:
        config, generation = architecture_config(architecture, dialect)
        architecture, theirs = apart(architecture, saved_objects(config, architecture, generation), panels.assets)
        panels = replace(panels, architecture=architecture, assets={name: one for name, one in panels.assets.items() if name not in theirs})
    return inlined(panels), theirs


def _in_order(metadata: Mapping[str, Json]) -> dict[str, Json]:
    """`metadata` as Keras orders it, whatever documents it went through."""
    first = [key for key in ("keras_version", "date_saved") if key in metadata]
    return {key: metadata[key] for key in (*first, *sorted(metadata.keys() - set(first)))}


def weights_contents(panels: Panels, dialect: str | None, *, alone: bool) -> Contents:
    """What a weights file of `panels` holds; see `writer.write_weights`."""
    if panels.weights is None:
        raise inexpressible("", "expected a model with weights, this one has none")
    if dialect not in (None, KERAS2, KERAS3):
        raise UsageError(f"expected the dialect {KERAS2} or {KERAS3}, got {shorten(dialect)}")
    facts = of_panels(panels)
    if panels.architecture is None:
        contents = _contents(facts, target(KERAS3))
        _fill_by_name(contents, panels, facts or Facts())
    else:
        architecture = keras_config.without_composites(panels.architecture)[0]
        panels = replace(panels, architecture=architecture)
        config, generation = architecture_config(architecture, dialect)
        source = keras_config.source_generation(architecture)
        facts = facts if facts is not None and source is not None and source.dialect == generation.dialect else None
        contents = _contents(facts, generation)
        _fill(contents, panels, in_keras_order(config, architecture), generation, facts)
    if not alone:
        training = panels.training
        left = {
            "architecture": panels.architecture is not None,
            "the configuration of training": training is not None and bool(training.optimizer or training.losses),
            "assets": bool(panels.assets),
            "license": bool(panels.license),
        }
        contents.notes += [f"{name}: a weights file has no place for it" for name, there in left.items() if there]
    return contents


def _contents(facts: Facts | None, generation: Generation) -> Contents:
    if facts is None:
        return Contents(named=generation >= (3,), says_bfloat16=generation >= (3,))
    says = facts.says_bfloat16 and (generation >= (3,) or facts.weights_only)
    return Contents(named=facts.named, says_bfloat16=says)


def _compile_config(
    contents: Contents, training: Training | None, architecture: Architecture, dialect: str, facts: Facts | None
) -> dict[str, Json]:
    """The member ``compile_config``, or nothing."""
    none: dict[str, Json] = {"null": None, "empty": {}}
    said = facts.compile_config if facts is not None else ""
    nothing = {"compile_config": none[said]} if said in none else {}
    if training is None:
        return nothing
    was_read = "dialect" in training.extensions.get("keras", {})
    if training.optimizer is None and not (was_read and facts is not None):
        if training.losses or training.metrics:
            contents.notes.append("training: nothing says the optimizer, and Keras would take one of its own choice")
        return nothing
    config, notes = keras_config.write_training_config(training, architecture, dialect=dialect, wrapped=True)
    contents.notes += notes
    return {"compile_config": config}


# --- groups


def _fill(contents: Contents, panels: Panels, config: Mapping[str, Json], generation: Generation, facts: Facts | None) -> None:
    """Put the variables of `panels` at the paths that Keras looks for."""
    assert panels.architecture is not None
    assert panels.weights is not None
    known = facts or Facts()
    tensors = panels.weights.tensors
    trained: list[Trained] = []
    places: list[Place] = []
    used: set[str] = set()
    for one in saved_objects(config, panels.architecture, generation):
        path = path_of(one, public_names=known.public_names)
        if path in known.absent and not one.places and one.owner is None:
            continue
        contents.groups.setdefault(path, Group(known.names.get(path, one.name)))
        rows = _of_unknown(contents, one) if one.owner is not None else _of_known(one)
        for below, key, name, place in rows:
            found = _stored(name, place, tensors, path)
            places += [] if place is None else [place]
            where = "/".join(part for part in (path, below) if part)
            contents.groups.setdefault(where, Group(known.names.get(where))).tensors[key] = found
            if name not in used:
                trained.append(Trained(path, name, found.shape, place is None or place.trainable))
            used.add(name)
    for path in known.extra:
        contents.groups.setdefault(path, Group(known.names.get(path)))
    contents.notes += [f"tensor {name!r}: no layer owns it" for name in tensors if name not in used]
    if panels.training is not None:
        training = panels.training
        if training.state is not None:
            training = replace(training, state=Weights(state_as_stored(training.state.tensors, places)))
        _fill_state(contents, training, trained, generation, known)


def _of_known(one: Saved) -> Iterator[tuple[str, str, str, Place | None]]:
    for key, place in one.keyed:
        yield "", key, place.tensor, place


def _of_unknown(contents: Contents, one: Saved) -> Iterator[tuple[str, str, str, Place | None]]:
    """The weights of a layer of unknown type: where its roles are paths there, else one after the other."""
    assert one.owner is not None
    weights = one.owner.layer.weights
    known = weight_order(one.owner.layer)
    order = known if sorted(known) == sorted(weights) else list(weights)
    counted = 0
    for role in order:
        found = split_variable(role)
        if found is None:
            found, counted = ("", str(counted)), counted + 1
        yield found[0], found[1], weights[role].tensor, None
    if counted > 1:
        contents.notes.append(
            f"layer {one.owner.path}: only its class tells the order of its weights, which stand as {', '.join(order)} in {one.path}/{VARS}"
        )


def _stored(name: str, place: Place | None, tensors: Mapping[str, Tensor], path: str) -> Tensor:
    """The tensor of one weight as Keras stores it, in canonical axis order."""
    tensor = tensors.get(name)
    if tensor is None:
        raise inexpressible(path, f"expected all weights of the layer, {shorten(name)} is missing")
    return tensor if place is None else as_stored(tensor, place)


def _fill_state(contents: Contents, training: Training, trained: list[Trained], generation: Generation, facts: Facts) -> None:
    """Put in the optimizer's variables, and whatever else of the state was read from such a file."""
    others: list[tuple[str, str, Tensor]] = []
    for name, tensor in (training.state.tensors if training.state is not None else {}).items():
        found = split_variable(name.removeprefix(STATE)) if name.startswith(STATE) else None
        if found is not None:
            others.append((*found, tensor))
        elif not name.startswith("optimizer."):
            contents.notes.append(f"training state {name!r}: Keras has no place for it")
    _put(contents, others, facts)
    if training.progress is not None:
        lost = [word for word in ("epoch", "samples", "best") if getattr(training.progress, word)]
        contents.notes += [f"training progress {word!r}: Keras has no place for it" for word in lost]
    if contents.groups.get(optimizer_state.PATH, Group()).tensors:
        return
    tensors, notes = optimizer_state.variables(training, trained, generation, facts.step_dtype)
    contents.notes += notes
    if tensors:
        kind = training.optimizer.type if training.optimizer is not None else ""
        name = facts.names.get(optimizer_state.PATH, keras_config.optimizer_name(kind))
        contents.groups[optimizer_state.PATH] = Group(name, {str(index): tensor for index, tensor in enumerate(tensors)})


def _fill_by_name(contents: Contents, panels: Panels, facts: Facts) -> None:
    """Put variables without an architecture where their names say that they were."""
    assert panels.weights is not None
    rows = list(panels.weights.tensors.items())
    if panels.training is not None and panels.training.state is not None:
        rows += [(name.removeprefix(STATE), tensor) for name, tensor in panels.training.state.tensors.items() if name.startswith(STATE)]
    variables = []
    for name, tensor in rows:
        found = split_variable(name)
        if found is None:
            raise inexpressible(shorten(name), "expected an architecture, by which Keras names what it saves, or a tensor called by such a path")
        variables.append((*found, tensor))
    _put(contents, variables, facts)
    for path in sorted(facts.extra):
        contents.groups.setdefault(path, Group(facts.names.get(path)))


def _put(contents: Contents, variables: Iterable[tuple[str, str, Tensor]], facts: Facts) -> None:
    """Put in variables by path and key, in an order that does not depend on where they come from."""
    for path, key, tensor in sorted(variables, key=lambda row: (row[0], index_order(row[1]))):
        contents.groups.setdefault(path, Group(facts.names.get(path))).tensors[key] = tensor


__all__ = ["Contents", "archive_contents", "weights_contents"]
