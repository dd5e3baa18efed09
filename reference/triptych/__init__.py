"""Triptych: a trained neural network written down as architecture, weights and training, in files that nobody has to execute."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triptych.errors import (
        ConversionError,
        InvalidModelError,
        Problem,
        SaveError,
        TriptychError,
        TruncatedError,
        UnsupportedError,
        UsageError,
        WeightsMismatchError,
    )
    from triptych.limits import Limits
    from triptych.surface.difference import Difference, diff
    from triptych.surface.model import Model
    from triptych.surface.opening import load, model_from_json, model_from_yaml
    from triptych.surface.saving import save
    from triptych.surface.transfer import LoadReport
    from triptych.surface.validating import validate

__version__ = "0.1.0"

__all__ = [
    "ConversionError",
    "Difference",
    "InvalidModelError",
    "Limits",
    "LoadReport",
    "Model",
    "Problem",
    "SaveError",
    "TriptychError",
    "TruncatedError",
    "UnsupportedError",
    "UsageError",
    "WeightsMismatchError",
    "diff",
    "load",
    "model_from_json",
    "model_from_yaml",
    "save",
    "validate",
]

_HOMES = {
    "ConversionError": "errors",
    "Difference": "surface.difference",
    "InvalidModelError": "errors",
    "Limits": "limits",
    "LoadReport": "surface.transfer",
    "Model": "surface.model",
    "Problem": "errors",
    "SaveError": "errors",
    "TriptychError": "errors",
    "TruncatedError": "errors",
    "UnsupportedError": "errors",
    "UsageError": "errors",
    "WeightsMismatchError": "errors",
    "diff": "surface.difference",
    "load": "surface.opening",
    "model_from_json": "surface.opening",
    "model_from_yaml": "surface.opening",
    "save": "surface.saving",
    "validate": "surface.validating",
}


_FRAMEWORKS = ("keras",)
"""Modules that know a framework: ``triptych.keras``."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: ``import triptych`` itself costs next to nothing."""
    if name in _FRAMEWORKS:
        return import_module(f"triptych.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'triptych' has no attribute {name!r}")
    value = getattr(import_module(f"triptych.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
