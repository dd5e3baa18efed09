"""How the config of a Lambda says what it computes: flat in Keras 1 and 2, as objects in Keras 3. Code is text here, never run."""

from __future__ import annotations

from collections.abc import Mapping

from triptych.layouts.keras_config.generations import Generation
from triptych.model import Json

_FUNCTIONS = ("function", "output_shape", "mask")
_CODE = ("code", "defaults", "closure")


def spelled(config: Mapping[str, Json], generation: Generation) -> dict[str, Json]:
    """`config`, of whatever generation, as `generation` spells it; what no generation writes stays as it is."""
    result = dict(config)
    for name in _FUNCTIONS:
        if generation >= (3,):
            _to_object(result, name)
        else:
            _to_flat(result, name)
    return result


def _to_object(config: dict[str, Json], name: str) -> None:
    kind, module = config.pop(f"{name}_type", None), config.pop(f"{name}_module" if name != "function" else "module", None)
    value = config.get(name)
    if kind == "lambda":
        parts = value if isinstance(value, list) and len(value) == len(_CODE) else [value, None, None]
        config[name] = {"class_name": "__lambda__", "config": dict(zip(_CODE, parts, strict=True))}
    elif kind == "function" and isinstance(value, str):
        config[name] = {"module": module or "builtins", "class_name": "function", "config": value, "registered_name": "function"}


def _to_flat(config: dict[str, Json], name: str) -> None:
    value = config.get(name)
    if not isinstance(value, Mapping):
        if name == "output_shape" and "function_type" in config:
            # Whoever reads it looks for the kind, if only to find that there is nothing.
            config.setdefault("output_shape_type", "raw")
        return
    inner = value.get("config")
    if value.get("class_name") == "__lambda__" and isinstance(inner, Mapping):
        config[name], config[f"{name}_type"] = [inner.get(part) for part in _CODE], "lambda"
    elif value.get("class_name") == "function" and isinstance(inner, str):
        config[name], config[f"{name}_type"] = inner, "function"
        if value.get("module") != "builtins":
            config[f"{name}_module" if name != "function" else "module"] = value.get("module")
