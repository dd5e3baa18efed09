"""Which Keras wrote a configuration, or shall read it: a version that orders every dialect from 1.0 to 3.x in one line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from triptych.model import Json

KERAS2, KERAS3 = "keras2", "keras3"
TF_KERAS = (2, 3, 50)
"""Versions that the Keras inside TensorFlow called ``2.2.4-tf`` … ``2.3.1-tf`` stand between 2.3 and 2.4."""
KERAS2_TARGET = "2.10.0"
"""What is written for the dialect keras2 when the model comes from elsewhere: every tf.keras from 2.4 on reads it."""
KERAS3_TARGET = "3.3.3"
"""The same for keras3: later versions read the configuration of an earlier one, not the other way round."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One version of Keras and the form of its text."""

    version: tuple[int, int, int]
    text: str | None = None
    """The version as the file has it; None where it had to be guessed."""
    wrapped: bool = False
    """Whether each layer carries ``module`` and ``registered_name`` (the form of ``.keras`` files)."""
    data_format: str = "channels_last"
    """That of layers whose config does not say it: some of Keras 1 leave it to a setting of the machine."""
    theano: bool = False
    """Whether it ran on Theano, which pads otherwise than all other backends."""

    @property
    def dialect(self) -> str:
        """``keras1``, ``keras2`` or ``keras3``."""
        return f"keras{min(max(self.version[0], 1), 3)}"

    @property
    def wraps_objects(self) -> bool:
        """Whether initializers and inner layers carry ``module`` and ``registered_name``."""
        return self.wrapped or self.version >= (2, 13, 0)

    def __ge__(self, version: tuple[int, ...]) -> bool:
        return self.version >= version

    def __lt__(self, version: tuple[int, ...]) -> bool:
        return self.version < version


def parse_version(text: str | None) -> tuple[int, int, int] | None:
    """The version that `text` says; None if it says none."""
    match = re.match(r"(\d{1,3})(?:\.(\d{1,3}))?(?:\.(\d{1,4}))?", text or "")
    if match is None:
        return None
    major, minor, patch = (int(part or 0) for part in match.groups())
    if (major, minor) < (2, 4) and str(text).endswith("-tf"):
        return TF_KERAS
    return major, minor, patch


def target(dialect: str) -> Generation:
    """The generation that is written for `dialect` when nothing else is known."""
    text = KERAS3_TARGET if dialect == KERAS3 else KERAS2_TARGET
    version = parse_version(text)
    assert version is not None
    return Generation(version, text)


def recognise(config: Json, keras_version: str | None) -> Generation:
    """The generation of `config`: of the version given, else of what only certain versions write."""
    keys: set[str] = set()
    names: set[str] = set()
    _collect(config, keys, names)
    top = config.get("config") if isinstance(config, dict) else None
    layers = top.get("layers") if isinstance(top, dict) else top
    wrapped = "module" in config or (
        isinstance(layers, list) and bool(layers) and isinstance(layers[0], dict) and "module" in layers[0]
    )
    version = parse_version(keras_version) or _guess(keys, names)
    return Generation(version, keras_version, wrapped, _common_data_format(config) if version < (2,) else "channels_last")


def _common_data_format(config: Json) -> str:
    """The order of axes that all layers which say one agree on, as those of one machine do."""
    said, pending = set(), [config]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            said.add(str(item.get("dim_ordering", "")))
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return "channels_first" if said - {""} == {"th"} else "channels_last"


def _guess(keys: set[str], names: set[str]) -> tuple[int, int, int]:
    if "batch_shape" in keys or "__keras_tensor__" in names:
        if keys & {"quantization_config", "input_axes", "renorm"}:
            return (3, 15, 0)
        return (3, 5, 0) if "DTypePolicy" in names else (3, 0, 0)
    if "module" in keys and "registered_name" in keys:
        return (2, 15, 0)
    if keys & {"ragged", "time_major"} or "Functional" in names:
        return (2, 4, 0)
    if keys & {"nb_filter", "border_mode", "input_dtype", "W_regularizer", "inner_init"} or "Merge" in names:
        return (1, 2, 0)
    if keys & {"kernel_initializer", "batch_input_shape"}:
        return (2, 2, 4)
    return (2, 10, 0)


def _collect(value: Json, keys: set[str], names: set[str]) -> None:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            keys.update(item)
            name = item.get("class_name")
            if isinstance(name, str):
                names.add(name)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
