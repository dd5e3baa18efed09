"""What an archive or a weights file says beyond the three panels, kept in ``extensions.keras.objects`` so that writing returns the same.

Whatever a writer would do by rule is not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from triptych.layouts.keras_config.layers import EXTENSION
from triptych.model import Json, Panels

_MEMBER = "objects"


@dataclass(frozen=True, slots=True)
class Facts:
    """About the file as a whole; each member is left out of the extension when it has its default."""

    metadata: Mapping[str, Json] = field(default_factory=dict)
    """``metadata.json``."""
    weights_only: bool = False
    named: bool = True
    """Whether each group says the name of its object, as Keras does since version 3.6."""
    says_bfloat16: bool = True
    """Whether arrays of bfloat16 say so."""
    public_names: bool = False
    """Whether attention's projections are called ``query_dense``, not ``_query_dense``."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Path -> name of the object, where it is not that of the layer; of a weights file all names."""
    extra: Sequence[str] = ()
    """Paths of groups without variables that the rule does not ask for."""
    absent: Sequence[str] = ()
    """Paths of groups without variables that the rule asks for and the file lacks."""
    step_dtype: str = "int64"
    """Of the optimizer's step count."""
    compile_config: str = "as trained"
    """``null`` or ``empty`` where the file says in this way that there is none."""
    optimizer: str = ""
    """Why the optimizer's variables are kept as they are; empty if they are not."""
    not_read: Sequence[str] = ()
    """Places in the file that mean nothing to this reader."""


_DEFAULTS = Facts()


def to_panels(panels: Panels, facts: Facts) -> Panels:
    """`panels` with `facts` in its extensions."""
    said = {name: _plain(getattr(facts, name)) for name in Facts.__slots__}
    data = {name: value for name, value in said.items() if value != _plain(getattr(_DEFAULTS, name))}
    keras = {**panels.extensions.get(EXTENSION, {}), _MEMBER: data}
    used = tuple(sorted({*panels.extensions_used, EXTENSION}))
    return replace(panels, extensions={**panels.extensions, EXTENSION: keras}, extensions_used=used)


def of_panels(panels: Panels) -> Facts | None:
    """What `to_panels` put there; None where it did not, or where somebody made it something else."""
    keras = panels.extensions.get(EXTENSION)
    data = keras.get(_MEMBER) if isinstance(keras, dict) else None
    if not isinstance(data, dict):
        return None
    return Facts(**{name: data[name] for name in Facts.__slots__ if name in data and _SHAPES[name](data[name])})


def renamed(panels: Panels) -> Panels:
    """`panels`, whose tensors were renamed; without an architecture they are no longer called by their paths, of which facts would tell."""
    keras = panels.extensions.get(EXTENSION)
    if panels.architecture is not None or not isinstance(keras, dict) or _MEMBER not in keras:
        return panels
    kept = {name: value for name, value in keras.items() if name != _MEMBER}
    return replace(panels, extensions={**panels.extensions, EXTENSION: kept})


def _plain(value: Any) -> Json:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _is_flag(value: Json) -> bool:
    return isinstance(value, bool)


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _are_texts(value: Json) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


_SHAPES: dict[str, Callable[[Json], bool]] = {
    "metadata": lambda value: isinstance(value, dict),
    "weights_only": _is_flag,
    "named": _is_flag,
    "says_bfloat16": _is_flag,
    "public_names": _is_flag,
    "names": lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
    "extra": _are_texts,
    "absent": _are_texts,
    "step_dtype": _is_text,
    "compile_config": _is_text,
    "optimizer": _is_text,
    "not_read": _are_texts,
}
"""What each member must be to be believed: the extension may have been edited by hand."""

__all__ = ["Facts", "of_panels", "to_panels"]
