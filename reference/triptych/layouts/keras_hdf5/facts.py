"""What an HDF5 file says beyond the three panels, kept in ``extensions.keras.hdf5`` so that writing returns the same file.

Whatever a writer would do by rule is not kept: a file of today's tf-keras leaves its versions here and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from triptych.layouts.keras_weights.recasting import Step, is_step
from triptych.model import Json, Panels, Training

EXTENSION = "keras"
_MEMBER = "hdf5"


@dataclass(frozen=True, slots=True)
class Facts:
    """About the file as a whole; each member is left out of the extension when it has its default."""

    attributes: Mapping[str, Json] = field(default_factory=dict)
    """Attributes of the root: ``keras_version``, ``backend`` and others, without the configurations and names."""
    group_attributes: Mapping[str, Json] | None = None
    """Those of ``model_weights``; None: the root's version and backend."""
    weights_only: bool = False
    fixed_width: bool = False
    """Whether lists of names have strings of one width, as h5py 2 wrote them."""
    top_level: bool = True
    """Whether there is a group ``top_level_model_weights``."""
    layer_names: Sequence[str] | None = None
    """None: as the configuration lists its layers."""
    weight_names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Top-level layer -> stored names in the order of ``get_weights()``, where they are not the default ones."""
    weight_order: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Top-level layer -> indices into the order of ``get_weights()``, where the stored order is not Keras'."""
    gates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Top-level layer -> stored names, where Keras 1 stored one array per gate and the model has them joined."""
    recast: Mapping[str, Sequence[Step]] = field(default_factory=dict)
    """Tensor -> the steps that led to it from the stored array, where the model has it in another layout."""
    layers: Sequence[Sequence[str]] = ()
    """Of a file without architecture: for each layer its name, then the stored names of its weights."""
    not_read: Sequence[str] = ()
    """Paths in the file that mean nothing to this reader."""

    @property
    def theano(self) -> bool:
        """Whether kernels lie as Theano has them."""
        return self.attributes.get("backend") == "theano" or any(step[0] == "flip" for steps in self.recast.values() for step in steps)

    @property
    def dialect(self) -> str:
        """``keras1``, ``keras2`` or ``keras3``: whose rules names and layout follow."""
        version = self.attributes.get("keras_version")
        major = version[:1] if isinstance(version, str) else "1"
        return {"0": "keras1", "1": "keras1", "3": "keras3"}.get(major, "keras2")


_DEFAULTS = Facts()


def to_panels(panels: Panels, facts: Facts) -> Panels:
    """`panels` with `facts` in its extensions."""
    said = {name: _plain(getattr(facts, name)) for name in Facts.__slots__}
    data = {name: value for name, value in said.items() if value != _plain(getattr(_DEFAULTS, name))}
    extensions, used = with_member(panels.extensions, panels.extensions_used, data)
    return replace(panels, extensions=extensions, extensions_used=used)


def of_panels(panels: Panels) -> Facts | None:
    """What `to_panels` put there; None where it did not, or where somebody made it something else."""
    data = member(panels.extensions)
    if data is None:
        return None
    kept: dict[str, Any] = {}
    for name in Facts.__slots__:
        value = data.get(name)
        if value is not None and _SHAPES[name](value):
            kept[name] = value
    return Facts(**kept)


def with_optimizer_names(training: Training, entries: Sequence[Sequence[str]]) -> Training:
    """`training` with the stored names of optimizer weights and what became of each."""
    extensions, used = with_member(training.extensions, training.extensions_used, {"optimizer_weights": _plain(entries)})
    return replace(training, extensions=extensions, extensions_used=used)


def optimizer_names(training: Training) -> list[list[str]] | None:
    """What `with_optimizer_names` put there; None where it did not."""
    entries = (member(training.extensions) or {}).get("optimizer_weights")
    if isinstance(entries, list) and all(isinstance(e, list) and len(e) >= 2 and _texts(e) for e in entries):
        return entries
    return None


def renamed(panels: Panels, names: Mapping[str, str]) -> Panels:
    """`panels`, whose tensors were renamed as `names` says, with these facts under the new names.

    Of a file without an architecture the list of its layers goes: from here on the names say which layer has which weight.
    """
    data, training = member(panels.extensions), panels.training
    if data is not None:
        said = {name: value for name, value in data.items() if name != "layers" or panels.architecture is not None}
        if isinstance(recast := said.get("recast"), dict):
            said["recast"] = {names.get(name, name): steps for name, steps in recast.items()}
        extensions, used = with_member(panels.extensions, panels.extensions_used, said)
        panels = replace(panels, extensions=extensions, extensions_used=used)
    if training is not None and (entries := optimizer_names(training)) is not None:
        panels = replace(panels, training=with_optimizer_names(training, [[entry[0], _under(entry[1], names), *entry[2:]] for entry in entries]))
    return panels


def _under(name: str, names: Mapping[str, str]) -> str:
    base, at, gate = name.rpartition("@")
    return names.get(name) or (f"{names[base]}{at}{gate}" if base in names else name)


def with_member(
    extensions: Mapping[str, Json], used: tuple[str, ...], data: Mapping[str, Json]
) -> tuple[dict[str, Json], tuple[str, ...]]:
    """`extensions` with `data` as the member of this room, and the list of names used."""
    keras = {**extensions.get(EXTENSION, {}), _MEMBER: dict(data)}
    return {**extensions, EXTENSION: keras}, tuple(sorted({*used, EXTENSION}))


def member(extensions: Mapping[str, Json]) -> dict[str, Json] | None:
    """Yields the member of `extensions` that is this room's; None if there is none."""
    keras = extensions.get(EXTENSION)
    data = keras.get(_MEMBER) if isinstance(keras, dict) else None
    return data if isinstance(data, dict) else None


def _plain(value: Any) -> Json:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, int) and not isinstance(item, bool) for item in value)


_SHAPES = {
    "attributes": lambda value: isinstance(value, dict),
    "group_attributes": lambda value: isinstance(value, dict),
    "weights_only": lambda value: isinstance(value, bool),
    "fixed_width": lambda value: isinstance(value, bool),
    "top_level": lambda value: isinstance(value, bool),
    "layer_names": _texts,
    "weight_names": lambda value: isinstance(value, dict) and all(map(_texts, value.values())),
    "weight_order": lambda value: isinstance(value, dict) and all(map(_numbers, value.values())),
    "gates": lambda value: isinstance(value, dict) and all(map(_texts, value.values())),
    "recast": lambda value: isinstance(value, dict) and all(isinstance(steps, list) and all(map(is_step, steps)) for steps in value.values()),
    "layers": lambda value: isinstance(value, list) and all(_texts(item) and item for item in value),
    "not_read": _texts,
}
"""What each member must be to be believed: the extension may have been edited by hand."""
