"""Reads a Keras HDF5 file into panels: its configurations through `keras_config`, its arrays in place."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from triptych.errors import shorten
from triptych.layouts import keras_config
from triptych.layouts.hdf5 import Container
from triptych.layouts.keras_config.generations import parse_version
from triptych.layouts.keras_hdf5.attributes import read_names, read_text
from triptych.layouts.keras_hdf5.facts import Facts, to_panels
from triptych.layouts.keras_hdf5.optimizer_state import with_optimizer_weights
from triptych.layouts.keras_weights.assignment import Array, keras_order
from triptych.layouts.keras_weights.fitting import Origin, filters_first, flip, is_flipped, steps_to, with_first_axes
from triptych.layouts.keras_weights.gates import gate_of, joined
from triptych.layouts.keras_weights.matching import Match, matches, with_unknown_weights
from triptych.layouts.keras_weights.names import configured_layers, tensor_names, unique
from triptych.layouts.keras_weights.optimizer import Trained
from triptych.layouts.keras_weights.places import TopLayer, default_names, top_layers
from triptych.layouts.keras_weights.recasting import Step, recast
from triptych.layouts.problems import invalid, unsupported
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Architecture, Json, Panels, Tensor, Training, Weights

TOP_LEVEL = "top_level_model_weights"
_CONFIGURATIONS = ("model_config", "training_config")
_VERSIONS = ("keras_version", "backend")
_IN_ORDER = (2, 0, 6)
"""Before this version optimizers took the weights in the order of their names."""


@dataclass(slots=True)
class _Group:
    """The stored weights of one top-level layer."""

    name: str
    arrays: list[Array] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)


def read(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS, allow_code: bool = False) -> Panels:
    """The panels of the whole model or weights file at `path`; arrays are read when they are used.

    What Keras says and the neutral terms do not goes into ``extensions.keras``, from where `writer.write` returns it.

    Args:
        path: The file.
        limits: What the reader may spend.
        allow_code: Whether to carry the bytecode of lambda layers, as inert data that nothing here runs.

    Raises:
        InvalidModelError: The file breaks the rules of HDF5 or of Keras, or its weights do not fit its own architecture.
        UnsupportedError: It reaches outside itself, holds something that is no Keras model, or exceeds a limit.
        OSError: The file cannot be read.
    """
    target = Path(path)
    with target.open("rb"):
        pass  # an error of the file system is its own, not one of the content
    container = Container(target, limits)
    try:
        panels = _Reading(container, _root(container), allow_code=allow_code).panels()
    except BaseException:
        container.close()
        raise
    if not container.needed:
        container.close()
    return panels


def _root(container: Container) -> str:
    """The group that holds the layers: the file's own in a weights file."""
    root = "" if _has_layers(container, "") or container.kinds.get("model_weights") != "group" else "model_weights"
    if not _has_layers(container, root) and container.attribute("", "model_config") is None:
        is_keras_3 = any(path.endswith("/vars") or path == "vars" for path in container.kinds)
        found = "the weights file of Keras 3, which this version does not read" if is_keras_3 else "neither"
        raise unsupported("/", f"expected a Keras model or weights file (with model_config or layer_names), found {found}")
    return root


def _has_layers(container: Container, group: str) -> bool:
    return container.attribute(group, "layer_names") is not None or container.attribute(group, "layer_names0") is not None


class _Reading:
    """One pass over one file."""

    def __init__(self, container: Container, root: str, *, allow_code: bool) -> None:
        self.container = container
        self.allow_code = allow_code
        self.root = root
        self.facts: dict[str, Any] = {"attributes": self._attributes("")}
        version = self.facts["attributes"].get("keras_version")
        self.version = version if isinstance(version, str) else None
        backend = self.facts["attributes"].get("backend")
        self.backend = backend if isinstance(backend, str) else None
        self.gates: dict[str, list[Array]] = {}
        """Top-level layer -> its arrays before its gates were joined."""

    def panels(self) -> Panels:
        config = self._json("model_config")
        groups = self._groups()
        if (
            groups is not None
            and config is not None
            and (order := [g.name for g in groups if g.name != TOP_LEVEL]) != configured_layers(config)
        ):
            self.facts["layer_names"] = order
        if config is None:
            return to_panels(self._weights_only(groups), Facts(**self.facts))
        architecture = keras_config.read_model_config(
            config,
            keras_version=self.version,
            backend=self.backend,
            allow_code=self.allow_code,
            theano=self._origin(groups or ()).theano,
        )
        weights, architecture, trained = self._assigned(groups, architecture) if groups is not None else (None, architecture, [])
        training = self._training(architecture, trained)
        panels = Panels(architecture=architecture, weights=weights, training=training, name=architecture.name)
        return to_panels(panels, Facts(**self.facts))

    # --- attributes

    def _attributes(self, path: str) -> dict[str, Json]:
        """The attributes of a group but for configurations and lists of names."""
        found: dict[str, Json] = {}
        for name in self.container.attribute_names(path):
            if name in _CONFIGURATIONS or name.rstrip("0123456789") == "layer_names":
                continue
            value = _plain(self.container.attribute(path, name))
            if value is None:
                self.facts_not_read(f"/{path}@{name}")
            else:
                found[name] = value
        return found

    def facts_not_read(self, place: str) -> None:
        """Note that `place` means nothing to us."""
        if hasattr(self, "facts"):
            self.facts.setdefault("not_read", []).append(place)

    def _json(self, name: str) -> Json:
        text = read_text(self.container, "", name)
        if text is None:
            return None
        try:
            value = json.loads(text)
            # Some writers encoded the text twice.
            value = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError) as error:
            raise invalid(f"/@{name}", f"expected JSON, got {shorten(str(error))}") from error
        if value is not None and not isinstance(value, dict):
            raise invalid(f"/@{name}", f"expected an object, got {shorten(value)}")
        return value

    # --- weights

    def _groups(self) -> list[_Group] | None:
        """The stored weights, layer by layer in the file's order; None if it has none."""
        named = read_names(self.container, self.root, "layer_names")
        if named is None:
            if self.root:
                raise invalid(f"/{self.root}", "expected an attribute layer_names, found none")
            return None
        layers, self.facts["fixed_width"] = named
        if repeated := _repeated(layers):
            raise invalid(f"/{self.root}@layer_names", f"expected each layer once, got {shorten(repeated)} twice")
        top_level = f"{self.root}/{TOP_LEVEL}".lstrip("/")
        self.facts["top_level"] = top_level in self.container.kinds
        groups = [self._group(layer) for layer in layers]
        if top_level in self.container.kinds and TOP_LEVEL not in layers and (loose := self._group(TOP_LEVEL)).arrays:
            groups.append(loose)
        if self.root:
            attributes = self._attributes(self.root)
            ordinary = {name: value for name, value in self.facts["attributes"].items() if name in _VERSIONS}
            self.facts["group_attributes"] = None if attributes == ordinary else attributes
        known = {layer.split("/")[0] for layer in layers} | {TOP_LEVEL}
        extra = [name for name in self.container.children(self.root) if name not in known]
        if self.root:
            extra += [f"/{name}" for name in self.container.children("") if name not in ("model_weights", "optimizer_weights")]
        for name in extra:
            self.facts_not_read(name if name.startswith("/") else f"/{self.root}/{name}".replace("//", "/"))
        return groups

    def _group(self, layer: str) -> _Group:
        path = f"{self.root}/{layer}".lstrip("/")
        if self.container.kinds.get(path) != "group":
            raise invalid(f"/{path}", "expected a group of weights, found none")
        named = read_names(self.container, path, "weight_names")
        names, fixed = named or ([], False)
        self.facts["fixed_width"] |= fixed
        if repeated := _repeated(names):
            raise invalid(
                f"/{path}@weight_names",
                f"expected each weight once, got {shorten(repeated)} twice; the save that wrote this failed",
            )
        group = _Group(layer)
        for name in names:
            tensor = self.container.tensor(f"{path}/{name}")
            group.arrays.append(Array(name, tensor.shape))
            group.tensors.append(tensor)
        return group

    def _weights_only(self, groups: list[_Group] | None) -> Panels:
        assert groups is not None
        # Weights beside a configuration that is not there stay where they are.
        self.facts["weights_only"] = not self.root
        self.facts["not_read"] = [
            *self.facts.get("not_read", ()),
            *(["/optimizer_weights"] if "optimizer_weights" in self.container.kinds else []),
        ]
        self.facts["layers"] = [[group.name, *(array.name for array in group.arrays)] for group in groups]
        names = unique(name for group in groups for name in tensor_names(group.name, [array.name for array in group.arrays]))
        tensors = (tensor for group in groups for tensor in group.tensors)
        return Panels(weights=Weights(dict(zip(names, tensors, strict=True))))

    def _origin(self, groups: Iterable[_Group]) -> Origin:
        return Origin.of(self.version, self.backend, [array.name for group in groups for array in group.arrays])

    def _assigned(self, groups: list[_Group], architecture: Architecture) -> tuple[Weights, Architecture, list[Trained]]:
        """The tensors under the names that the architecture gives them; with what layers of unknown type were found to own."""
        origin = self._origin(groups)
        if origin.keras_1:
            architecture = with_first_axes(architecture)
            tops = top_layers(architecture)
            for group in groups:
                self._join_gates(group, tops.get(group.name))
        architecture = with_unknown_weights(architecture, {group.name: group.arrays for group in groups})
        tops = top_layers(architecture)
        made = {group.name: _steps(group, tops.get(group.name), origin) for group in groups}
        held = {group.name: list(map(recast, group.tensors, made[group.name])) for group in groups}
        stored = {
            group.name: [Array(array.name, tensor.shape) for array, tensor in zip(group.arrays, held[group.name], strict=True)]
            for group in groups
        }
        dialect = Facts(attributes=self.facts["attributes"]).dialect
        tensors: dict[str, Tensor] = {}
        trained: list[Trained] = []
        names: dict[str, list[str]] = {}
        orders: dict[str, list[int]] = {}
        recasts: dict[str, list[Step]] = {}
        defaults = default_names(tops, architecture, dialect)
        for found in matches(stored, tops):
            name, places = found.top.name, found.top.places
            if found.labels != defaults[name]:
                names[name] = found.labels
            if found.order != keras_order(places):
                orders[name] = found.order
            for index, place in zip(found.chosen, places, strict=True):
                turn = [flip(place)] if origin.theano and is_flipped(place) else []
                tensors[place.tensor] = recast(held[name][index], turn)
                if steps := [*made[name][index], *turn]:
                    recasts[place.tensor] = steps
            trained += self._of_gates(found) if name in self.gates else found.trained
        self.facts |= {"weight_names": names, "weight_order": orders, "recast": recasts}
        paths = {}
        if dialect == "keras3":
            paths = {place.tensor: path for name, top in tops.items() for place, path in zip(top.places, defaults[name], strict=True)}
        return (
            Weights(tensors),
            architecture,
            [replace(one, steps=recasts.get(one.tensor, ()), path=paths.get(one.tensor)) for one in trained],
        )

    def _join_gates(self, group: _Group, top: TopLayer | None) -> None:
        """Make one array of the gates that Keras 1 stored one by one."""
        if found := joined(group.arrays, group.tensors, filters_first=top is not None and filters_first(top)):
            self.facts.setdefault("gates", {})[group.name] = [array.name for array in group.arrays]
            self.gates[group.name] = group.arrays
            group.arrays, group.tensors = found

    def _of_gates(self, found: Match) -> list[Trained]:
        """The weights of a layer as its optimizer sees them, which knows each gate by itself."""
        if filters_first(found.top):
            return []
        places = dict(zip(found.labels, found.top.places, strict=True))
        trained = []
        for array in self.gates[found.top.name]:
            whole, gate = gate_of(array.name) or ("", "")
            place = places.get(whole) or places[array.name]
            trained.append(Trained(array.name, place.tensor + (f"@{gate}" if whole in places else ""), array.shape, place.trainable))
        return trained

    # --- training

    def _training(self, architecture: Architecture, trained: list[Trained]) -> Training | None:
        config = self._json("training_config")
        training = None if config is None else keras_config.read_training_config(config, architecture, keras_version=self.version)
        if self.container.kinds.get("optimizer_weights") != "group":
            return training
        named = read_names(self.container, "optimizer_weights", "weight_names")
        if named is None:
            self.facts_not_read("/optimizer_weights")
            return training
        stored = named[0]
        if repeated := _repeated(stored):
            raise invalid(
                "/optimizer_weights@weight_names",
                f"expected each weight once, got {shorten(repeated)} twice; the save that wrote this failed",
            )
        tensors = [self.container.tensor(f"optimizer_weights/{name}") for name in stored]
        generation = Facts(attributes=self.facts["attributes"]).dialect
        version = parse_version(self.version)
        by_name = version is None or version < _IN_ORDER
        return with_optimizer_weights(training or Training(), stored, tensors, trained, generation, sorted_names=by_name)


def _steps(group: _Group, top: TopLayer | None, origin: Origin) -> list[list[Step]]:
    """The steps that give each array of `group` the shape that `top` needs."""
    if top is None or len(group.arrays) != len(top.places):
        return [[] for _ in group.arrays]
    return steps_to(group.arrays, top.places, origin)


def _repeated(names: list[str]) -> str | None:
    if len(set(names)) == len(names):
        return None
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]


def _plain(value: Any) -> Json:
    """An attribute as plain data; None if it is none that a document can hold."""
    import numpy as np

    if isinstance(value, bytes):
        value = value.decode(errors="surrogateescape")
    if isinstance(value, str):
        return None if any("\ud800" <= c <= "\udfff" for c in value) else str(value)
    if isinstance(value, np.generic) and value.dtype.kind in "biuf" and np.isfinite(value):
        return value.item()
    return None
