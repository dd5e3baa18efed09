"""The Keras at hand: Keras 3 or tf-keras, found by the model that is passed, by name, or by where a model comes from."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

from triptych.errors import UsageError, shorten
from triptych.layouts import keras_config
from triptych.layouts.problems import unsupported
from triptych.model import Architecture

Framework = Literal["keras", "tf_keras"]
INSTALL = {
    "keras": "pip install 'triptych[keras3]' tensorflow-cpu (or jax, or torch: Keras 3 computes with one of them)",
    "tf_keras": "pip install 'triptych[keras2]'",
}
"""Module -> the line that installs it."""


@dataclass(frozen=True, slots=True)
class Library:
    """One installed Keras."""

    name: Framework
    module: Any

    @property
    def version(self) -> str:
        """As the module says it."""
        return str(self.module.__version__)

    @property
    def dialect(self) -> str:
        """Whose configurations it reads and writes: ``keras2`` or ``keras3``."""
        return "keras3" if self.version.startswith("3") else "keras2"

    @property
    def backend(self) -> str:
        """What it computes with: ``tensorflow``, ``jax`` or ``torch``."""
        return str(self.module.backend.backend()) if self.dialect == "keras3" else "tensorflow"

    def room(self, path: str) -> Any:
        """The part of the module at a dotted `path`; None where this version has none."""
        found = self.module
        for part in path.split("."):
            found = getattr(found, part, None)
        return found


def of_model(live: object) -> Library:
    """The Keras that `live` is a model of; imports nothing, for whoever has a model has imported it.

    Raises:
        UsageError: It is no Keras model.
    """
    for library in loaded():
        if isinstance(live, library.module.Model):
            return library
    kind = f"{type(live).__module__}.{type(live).__qualname__}"
    raise UsageError(f"expected a model of keras or tf_keras, got {shorten(kind)}")


def loaded() -> list[Library]:
    """Each Keras that this process has imported."""
    names: tuple[Framework, ...] = ("keras", "tf_keras")
    found = [(name, sys.modules.get(name)) for name in names]
    return [Library(name, module) for name, module in found if module is not None and hasattr(module, "Model")]


def named(name: str) -> Library:
    """The Keras called `name`, imported if it has to be.

    Raises:
        UsageError: There is no such framework.
        UnsupportedError: It is not installed, or cannot be imported.
    """
    if name not in INSTALL:
        raise UsageError(f"expected a framework of {', '.join(INSTALL)}, got {shorten(name)}")
    try:
        return Library("keras" if name == "keras" else "tf_keras", import_module(name))
    except ImportError as error:
        raise unsupported(name, f"expected {name} to be installed, got: {error}; {INSTALL[name]}") from error


def for_architecture(architecture: Architecture) -> Library:
    """The Keras that `architecture` comes from, if it is installed, else the other one; Keras 3 for those from elsewhere."""
    source = keras_config.source_generation(architecture)
    names = ("keras", "tf_keras") if source is None or source >= (3,) else ("tf_keras", "keras")
    return named(next((name for name in names if name in sys.modules or find_spec(name) is not None), names[0]))
