"""Initializers, regularizers, constraints, activations and dtype policies: Keras' spelling of each generation, and ours."""

from __future__ import annotations

from collections.abc import Mapping

from triptych.checks.components import fits
from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_config.plain import class_name, is_dtype, unsayable
from triptych.model import Json
from triptych.vocabulary.kinds import ACTIVATIONS, CONSTRAINTS, INITIALIZERS, REGULARIZERS

_SCALED = {
    "GlorotUniform": (1.0, "fan_avg", "uniform"),
    "GlorotNormal": (1.0, "fan_avg", "normal"),
    "HeUniform": (2.0, "fan_in", "uniform"),
    "HeNormal": (2.0, "fan_in", "normal"),
    "LecunUniform": (1.0, "fan_in", "uniform"),
    "LecunNormal": (1.0, "fan_in", "normal"),
}
"""Named initializers that multi-backend Keras 2 writes as a VarianceScaling of these parameters."""

_DEFAULTS: dict[str, dict[str, Json]] = {
    "Orthogonal": {"gain": 1.0},
    "Identity": {"gain": 1.0},
    "RandomNormal": {"mean": 0.0, "stddev": 0.05},
    "TruncatedNormal": {"mean": 0.0, "stddev": 0.05},
    "RandomUniform": {"minval": -0.05, "maxval": 0.05},
    "Constant": {"value": 0.0},
    "VarianceScaling": {"scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal"},
}
_SEEDLESS = ("Zeros", "Ones", "Constant", "Identity")
_ALIASES = {"OrthogonalInitializer": "Orthogonal", "IdentityInitializer": "Identity"}
_KERAS1_INITIALIZERS: dict[str, tuple[str, dict[str, Json]]] = {
    "glorot_uniform": ("GlorotUniform", {}),
    "glorot_normal": ("GlorotNormal", {}),
    "he_uniform": ("HeUniform", {}),
    "he_normal": ("HeNormal", {}),
    "lecun_uniform": ("LecunUniform", {}),
    "lecun_normal": ("LecunNormal", {}),
    "orthogonal": ("Orthogonal", {}),
    "identity": ("Identity", {}),
    "zero": ("Zeros", {}),
    "zeros": ("Zeros", {}),
    "one": ("Ones", {}),
    "ones": ("Ones", {}),
    "uniform": ("RandomUniform", {"minval": -0.05, "maxval": 0.05}),
    "random_uniform": ("RandomUniform", {}),
    "normal": ("RandomNormal", {"mean": 0.0, "stddev": 0.05}),
    "random_normal": ("RandomNormal", {}),
    "truncated_normal": ("TruncatedNormal", {}),
}
"""Identifiers that stand for a whole initializer; the first of each is what Keras 1 writes."""
_KERAS1_DEFAULTS = {"RandomUniform": {"minval": -0.05, "maxval": 0.05}, "RandomNormal": {"mean": 0.0, "stddev": 0.05}}
_KERAS1_CONSTRAINT = {"MaxNorm": {"m": "max_value"}, "MinMaxNorm": {"low": "min_value", "high": "max_value"}}
_CONSTRAINT_ALIASES = {"maxnorm": "MaxNorm", "nonneg": "NonNeg", "unitnorm": "UnitNorm"}


_FAMILIES = {INITIALIZERS: "initializers", REGULARIZERS: "regularizers", CONSTRAINTS: "constraints"}


def read_component(value: Json, names: tuple[str, ...], generation: Generation) -> Json:
    """An initializer, regularizer or constraint, as ``{"type", "config"}``; null stays null."""
    if value is None:
        return None
    if isinstance(value, str):
        found = _KERAS1_INITIALIZERS.get(value) if names is INITIALIZERS else None
        return _component(*found) if found else _component(f"keras:{class_name(value)}", {})
    if not isinstance(value, dict):
        unsayable("a component")
    if "class_name" not in value and isinstance(value.get("name"), str):
        return _read_keras1_component(value, names)
    name, config = value.get("class_name"), value.get("config")
    if not isinstance(name, str) or not isinstance(config, dict):
        unsayable("a component")
    name = _ALIASES.get(name, name)
    if names is INITIALIZERS and name == "VarianceScaling" and generation < (2, 3, 50):
        found_name = _named_scaling(config)
        stated = {} if config.get("seed") is None else {"seed": config["seed"]}
        if found_name is not None and fits(_FAMILIES[names], found_name, stated):
            return _component(found_name, stated)
    if name not in names:
        return _component(f"keras:{class_name(name)}", config)
    stated = {
        key: item for key, item in config.items() if not (key in ("seed", "input_axes", "output_axes", "dtype") and item is None)
    }
    return _component(name, stated) if fits(_FAMILIES[names], name, stated) else _component(f"keras:{name}", config)


def _named_scaling(config: Mapping[str, Json]) -> str | None:
    given = (config.get("scale"), config.get("mode"), config.get("distribution"))
    return next((name for name, scaling in _SCALED.items() if scaling == given), None)


def _read_keras1_component(value: Mapping[str, Json], names: tuple[str, ...]) -> Json:
    name = _CONSTRAINT_ALIASES.get(str(value["name"]).lower(), str(value["name"]))
    config = {key: item for key, item in value.items() if key != "name"}
    if (
        names is REGULARIZERS
        and name in ("WeightRegularizer", "L1L2Regularizer", "ActivityRegularizer")
        and set(config) <= {"l1", "l2"}
        and fits(_FAMILIES[names], "L1L2", config)
    ):
        return _component("L1L2", config)
    if names is CONSTRAINTS and name in CONSTRAINTS:
        renamed = {_KERAS1_CONSTRAINT.get(name, {}).get(key, key): item for key, item in config.items()}
        if fits(_FAMILIES[names], name, renamed):
            return _component(name, renamed)
    return _component(f"keras:{class_name(name)}", config)


def _component(name: str, config: Mapping[str, Json]) -> dict[str, Json]:
    return {"type": name, "config": dict(config)} if config else {"type": name}


def write_component(value: Json, module: str, generation: Generation) -> Json:
    """The inverse of `read_component`, as `generation` writes it; `module` is ``initializers``, ``regularizers`` or ``constraints``."""
    if value is None:
        return None
    name, config = str(value["type"]), dict(value.get("config") or {})
    own = name.startswith("keras:")
    name = name.removeprefix("keras:")
    if generation < (2,) and not own:
        return _write_keras1_component(name, config, module)
    if module == "initializers" and not own:
        if name in _SCALED and generation < (2, 3, 50):
            scale, mode, distribution = _SCALED[name]
            config = {"scale": scale, "mode": mode, "distribution": distribution, "seed": config.get("seed")}
            name = "VarianceScaling"
        config = {**_DEFAULTS.get(name, {}), **config}
        if name not in _SEEDLESS:
            config.setdefault("seed", None)
        if generation >= (3, 15) and (name in _SCALED or name == "VarianceScaling"):
            config = {"input_axes": None, "output_axes": None, **config}
    return wrap(name, config, f"keras.{module}", generation, registered=f"{name}" if own else None)


def wrap(name: str, config: Json, module: str, generation: Generation, *, registered: str | None = None) -> dict[str, Json]:
    """A serialised object of class `name`."""
    if not generation.wraps_objects:
        return {"class_name": name, "config": config}
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


def _write_keras1_component(name: str, config: dict[str, Json], module: str) -> Json:
    if module == "initializers":
        for text, (known, known_config) in _KERAS1_INITIALIZERS.items():
            if known == name and (known_config or _KERAS1_DEFAULTS.get(name, {})) == config:
                return text
        return name
    if module == "regularizers":
        return {"name": "WeightRegularizer", "l1": config.get("l1", 0.0), "l2": config.get("l2", 0.0)}
    renamed = {new: old for old, new in _KERAS1_CONSTRAINT.get(name, {}).items()}
    return {"name": name, **{renamed.get(key, key): item for key, item in config.items()}}


def read_activation(value: Json, generation: Generation) -> Json:
    """An activation as our string or object."""
    if value is None:
        return "linear"
    if isinstance(value, dict):
        name, config = value.get("class_name"), value.get("config")
        if name == "function" and isinstance(config, str):
            return f"keras:{class_name(config)}"
        if _is_clipped_line(value):
            return "hard_sigmoid_keras2"
        if not isinstance(name, str) or not isinstance(config, dict):
            unsayable("an activation")
        return _component(f"keras:{class_name(name)}", config)
    if not isinstance(value, str):
        unsayable("an activation")
    if value == "hard_sigmoid":
        return "hard_sigmoid" if generation >= (3,) else "hard_sigmoid_keras2"
    name = _ACTIVATION_ALIASES.get(value, value)
    return name if name in ACTIVATIONS and name not in _NOT_KERAS else f"keras:{class_name(value)}"


_ACTIVATION_ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}
_NOT_KERAS = ("gelu_tanh", "hard_sigmoid_keras2", "sparsemax")
"""Names that Keras does not have, or under which it computes something else (3.15's sparsemax sums what it has summed already)."""
_SINCE_3 = frozenset(
    {"hard_tanh", "hard_shrink", "soft_shrink", "tanh_shrink", "log_sigmoid", "squareplus", "sparse_plus", "sparse_sigmoid"}
)


def write_activation(value: Json, generation: Generation, *, default: str = "linear") -> Json:
    """The inverse of `read_activation`."""
    if isinstance(value, Mapping):
        name = str(value["type"])
        return wrap(
            name.removeprefix("keras:"), dict(value.get("config") or {}), "keras.layers" if ":" not in name else "", generation
        )
    if value in ("hard_sigmoid", "hard_sigmoid_keras2"):
        return "hard_sigmoid"
    if value == "silu" and generation < (3,):
        return "swish"
    return str(default if value is None else value).removeprefix("keras:")


_LINE: tuple[tuple[str, dict[str, Json]], ...] = (
    ("Rescaling", {"scale": 0.2, "offset": 0.5}),
    ("ReLU", {"max_value": 1.0, "negative_slope": 0.0, "threshold": 0.0}),
)
"""Keras 2's hard sigmoid, min(max(0.2 x + 0.5, 0), 1), as layers of Keras 3, whose own is another function."""


def clipped_line(dtype: str) -> dict[str, Json]:
    """Keras 2's hard sigmoid as Keras 3 computes it: a model without weights that stands as an activation."""
    layers = [
        {"module": "keras.layers", "class_name": name, "config": {"name": name.lower(), "dtype": dtype, **config}, "registered_name": None}
        for name, config in _LINE
    ]
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "hard_sigmoid_keras2", "dtype": dtype, "layers": layers},
        "registered_name": None,
    }


def _is_clipped_line(value: Mapping[str, Json]) -> bool:
    config = value.get("config")
    listed = config.get("layers") if value.get("class_name") == "Sequential" and isinstance(config, dict) else None
    parts = [one for one in listed if isinstance(one, dict) and isinstance(one.get("config"), dict)] if isinstance(listed, list) else []
    parts = [one for one in parts if one.get("class_name") != "InputLayer"]
    return len(parts) == len(_LINE) and all(
        part.get("class_name") == name and all(part["config"].get(key) == item for key, item in wanted.items())
        for part, (name, wanted) in zip(parts, _LINE, strict=True)
    )


_MIXED = {"mixed_float16": ("float32", "float16"), "mixed_bfloat16": ("float32", "bfloat16")}


def read_policy(value: Json) -> tuple[str, str | None]:
    """Weight and compute dtype of a layer's ``dtype``.

    Raises:
        Unsayable: It is a policy of another kind, such as a quantised one.
    """
    if isinstance(value, dict):
        config = value.get("config")
        if value.get("class_name") not in ("Policy", "DTypePolicy", "FloatDTypePolicy") or not isinstance(config, dict):
            unsayable("a dtype policy")
        value = config.get("name")
    if value is None:
        return "float32", None
    if isinstance(value, str) and value in _MIXED:
        return _MIXED[value]
    if not is_dtype(value):
        unsayable("a dtype")
    return str(value), None


def write_policy(dtype: str, compute_dtype: str | None, generation: Generation) -> Json:
    """The inverse of `read_policy`."""
    name = next((name for name, pair in _MIXED.items() if pair == (dtype, compute_dtype)), dtype)
    if generation >= (3, 5) or (generation >= (3,) and name != dtype):
        return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": None}
    if name != dtype:
        return wrap("Policy", {"name": name}, "keras.mixed_precision", generation)
    return dtype


def inexact_activation(value: Json, generation: Generation) -> bool:
    """Whether `generation` has no activation of this meaning under the name that is written."""
    if value in ("hard_sigmoid", "hard_silu") or value in _SINCE_3:
        return generation < (3,)
    return value in ("gelu_tanh", "sparsemax")
