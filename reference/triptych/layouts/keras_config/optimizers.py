"""Optimizers and learning-rate schedules: Keras' configuration of each generation, and ours."""

from __future__ import annotations

import re
from collections.abc import Mapping

from triptych.checks.components import fits
from triptych.errors import shorten
from triptych.layouts.keras_config import edits, objects
from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_config.plain import unsayable
from triptych.model import Component, Json

_ADAM: dict[str, Json] = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
_FTRL: dict[str, Json] = {
    "learning_rate_power": -0.5,
    "initial_accumulator_value": 0.1,
    "l1_regularization_strength": 0.0,
    "l2_regularization_strength": 0.0,
    "l2_shrinkage_regularization_strength": 0.0,
    "beta": 0.0,
}
PARAMETERS: dict[str, dict[str, Json]] = {
    "SGD": {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False},
    "RMSprop": {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
    "Adam": {"learning_rate": 0.001, **_ADAM, "amsgrad": False},
    "AdamW": {"learning_rate": 0.001, **_ADAM, "amsgrad": False},
    "Adadelta": {"learning_rate": 0.001, "rho": 0.95, "epsilon": 1e-7},
    "Adagrad": {"learning_rate": 0.001, "initial_accumulator_value": 0.1, "epsilon": 1e-7},
    "Adamax": {"learning_rate": 0.001, **_ADAM},
    "Nadam": {"learning_rate": 0.001, **_ADAM},
    "Ftrl": {"learning_rate": 0.001, **_FTRL},
    "Lion": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.99},
    "Lamb": {"learning_rate": 0.001, **_ADAM},
    "Adafactor": {
        "learning_rate": 0.001,
        "beta_2_decay": -0.8,
        "epsilon_1": 1e-30,
        "epsilon_2": 1e-3,
        "clip_threshold": 1.0,
        "relative_step": True,
    },
}
"""Optimizer -> its parameters with the values it has when a configuration leaves them out; always said in ours."""
COMMON: dict[str, Json] = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}
"""Parameters of every optimizer; said in ours where they differ from these."""
_OWN_COMMON: dict[str, dict[str, Json]] = {"AdamW": {"weight_decay": 0.004}}
_DECISIVE: dict[str, dict[str, Json]] = {
    "SGD": {"momentum_scaling": "velocity"},
    "RMSprop": {"epsilon_mode": "inside", "momentum_scaling": "velocity"},
    "Adam": {"epsilon_mode": "hat", "amsgrad_on": "raw"},
    "AdamW": {"epsilon_mode": "hat", "amsgrad_on": "raw"},
    "Adamax": {"epsilon_mode": "outside"},
    "Nadam": {"momentum_decay": 1.0},
    "Adagrad": {"epsilon_mode": "inside"},
    "Adafactor": {"epsilon_mode": "added"},
    "Lamb": {"decay_mode": "decoupled"},
}
"""Optimizer -> members that Keras has no word for, with what it computes; always said in ours."""
_UNSPOKEN = ("momentum_scaling", "epsilon_mode", "amsgrad_on", "momentum_decay", "decay_mode", "ema_start", "epsilon_root")
_UNSPOKEN_DEFAULTS: dict[str, Json] = {"bias_correction": True, "dampening": 0.0, "epsilon_root": 0.0, "clip_epsilon": 0.0}
_SINCE = {
    "loss_scale_factor": (3,),
    "gradient_accumulation_steps": (3, 1),
    "amsgrad": (2, 1, 2),
    "centered": (2, 3, 50),
    "RMSprop.momentum": (2, 3, 50),
    "initial_accumulator_value": (2, 3, 50),
}
_NEW = (2, 11)
"""From here on ``Custom>Adam`` is the optimizer of today and ``Adam`` the one of before."""
_PREFIX = "Custom>"


def read(original: Json, generation: Generation) -> Component:
    """The optimizer of a Keras object, or of the name that stands for one as it is by default, with the edits that lead back to it.

    Raises:
        Unsayable: It is no optimizer.
    """
    if isinstance(original, str):
        return _read_name(original, generation)
    if (
        not isinstance(original, dict)
        or not isinstance(original.get("class_name"), str)
        or not isinstance(original.get("config"), dict)
    ):
        unsayable("an optimizer")
    name, config = original["class_name"].removeprefix(_PREFIX), original["config"]
    component = Component(name, _read_parameters(name, config, generation)) if name in PARAMETERS else None
    if component is None or not fits("optimizers", name, component.config):
        component = Component(f"keras:{type_name(original['class_name'])}", dict(config))
    found = edits.difference(write(component, generation), original)
    return Component(component.type, component.config, {"keras": {"edits": found}} if found else {})


def _read_name(original: str, generation: Generation) -> Component:
    name = next((known for known in PARAMETERS if known.lower() == original.lower()), None) or unsayable("the name of an optimizer")
    component = Component(name, _read_parameters(name, {}, generation))
    return Component(name, component.config, {"keras": {"edits": edits.difference(write(component, generation), original)}})


def type_name(name: str) -> str:
    """`name`, if an extension type can carry it.

    Raises:
        Unsayable: It cannot.
    """
    if not re.fullmatch(r"[!-~]{1,200}", name):
        unsayable("a class name")
    return name


def _read_parameters(name: str, config: Mapping[str, Json], generation: Generation) -> dict[str, Json]:
    result = {}
    for key, usual in PARAMETERS[name].items():
        # The accumulators of Keras before it became part of TensorFlow began at 0.
        default = 0.0 if key == "initial_accumulator_value" and generation < (2, 3, 50) else usual
        value = config.get("lr", default) if key == "learning_rate" and key not in config else config.get(key, default)
        result[key] = read_rate(value) if key == "learning_rate" else value
    old_nadam = name == "Nadam" and generation < _NEW
    common = {**COMMON, **_OWN_COMMON.get(name, {}), "decay": 0.0}
    for key, default in common.items():
        value = config.get(key, COMMON.get(key, default))
        ours = not edits.same(value, COMMON.get(key, default)) or (name == "AdamW" and key == "weight_decay")
        if ours and not (key == "ema_overwrite_frequency" and not config.get("use_ema")) and not (key == "decay" and old_nadam):
            result[key] = value
    computed = decisive(name, result, generation)
    if old_nadam:
        computed["momentum_decay"] = config.get("schedule_decay", config.get("decay", computed["momentum_decay"]))
    return {**result, **computed}


def decisive(name: str, config: Mapping[str, Json], generation: Generation) -> dict[str, Json]:
    """What Keras of `generation` computes where frameworks differ and its configuration has no word for it."""
    result = dict(_DECISIVE.get(name, {}))
    if config.get("weight_decay") is not None:
        result["decay_mode"] = "decoupled"
    if config.get("use_ema") is True:
        result["ema_start"] = "weight" if generation < (3,) else "update"
    if generation < _NEW and (
        name == "Adagrad" or (name == "RMSprop" and not (generation >= (2, 3, 50) and config.get("momentum")))
    ):
        result["epsilon_mode"] = "outside"
    if generation < _NEW and name == "Nadam":
        result["momentum_decay"] = 0.004
    return result


def unsaid(component: Component, generation: Generation) -> tuple[str, ...]:
    """A note for each member of the config that Keras of `generation` computes otherwise and cannot be told."""
    if component.type not in PARAMETERS:
        return ()
    computed = {**_UNSPOKEN_DEFAULTS, **decisive(component.type, component.config, generation)}
    return tuple(
        f"optimizer: Keras {generation.text} computes {component.type} with {key} {computed[key]}, not {shorten(value)}"
        for key, value in component.config.items()
        if key in computed and not edits.same(value, computed[key]) and not (key == "momentum_decay" and generation < _NEW)
    )


def read_rate(value: Json) -> Json:
    """A learning rate: a number, or a schedule as ``{"type", "config"}``."""
    if isinstance(value, dict):
        name, config = value.get("class_name"), value.get("config")
        if not isinstance(name, str) or not isinstance(config, dict):
            unsayable("a learning rate")
        parameters = {key: item for key, item in config.items() if key != "name"}
        own = name if name in SCHEDULES and fits("schedules", name, parameters) else f"keras:{type_name(name)}"
        return {"type": own, "config": parameters}
    return value


SCHEDULES = (
    "ExponentialDecay",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "InverseTimeDecay",
    "CosineDecay",
    "CosineDecayRestarts",
)


def write(component: Component, generation: Generation) -> dict[str, Json]:
    """The Keras object of an optimizer, before its edits."""
    if component.type not in PARAMETERS:
        return objects.wrap(component.type.split(":", 1)[-1], dict(component.config), "keras.optimizers", _plain(generation))
    given = dict(component.config)
    rate = given.get("learning_rate", PARAMETERS[component.type]["learning_rate"])
    config: dict[str, Json] = {}
    parameters = PARAMETERS[component.type]
    first = {key: _SINCE.get(f"{component.type}.{key}", _SINCE.get(key, (0,))) for key in parameters}
    own: dict[str, Json] = {
        key: given.get(key, default) for key, default in parameters.items() if key != "learning_rate" and generation >= first[key]
    }
    if isinstance(rate, Mapping):
        rate = _write_schedule(rate, generation)
    if generation < (2, 3):
        config = {"lr": rate, **own, "decay": given.get("decay", 0.0)}
    elif generation < _NEW:
        config = {
            **({"name": component.type} if generation >= (2, 3, 50) else {}),
            "learning_rate": rate,
            "decay": given.get("decay", 0.0),
            **own,
        }
    else:
        name = component.type if generation < (3,) else default_name(component.type)
        config = {"name": name, "learning_rate": rate}
        config |= {key: given.get(key, default) for key, default in COMMON.items() if generation >= _SINCE.get(key, (0,))}
        if generation < (3,):
            config |= {"jit_compile": False, "is_legacy_optimizer": False}
        if component.type == "RMSprop" and (generation < (3, 3)) and given.get("ema_overwrite_frequency") is None:
            config["ema_overwrite_frequency"] = 100
        config |= own
    if component.type == "Nadam" and generation < _NEW:
        config["schedule_decay" if generation < (2, 3, 50) else "decay"] = given.get("momentum_decay", 0.004)
    defaults = {**COMMON, **parameters}
    for key, item in given.items():
        if (
            key not in config
            and key != "learning_rate"
            and key not in _UNSPOKEN
            and key not in _UNSPOKEN_DEFAULTS
            and (generation < _NEW or key != "decay")
            and not edits.same(item, defaults.get(key))
        ):
            config[key] = item
    prefixed = _NEW <= generation.version < (3,) and not generation.wrapped
    return objects.wrap(
        f"{_PREFIX}{component.type}" if prefixed else component.type, config, "keras.optimizers", _plain(generation)
    )


def _plain(generation: Generation) -> Generation:
    """The generation whose top-level objects of a training configuration carry ``module`` only in the wrapped form."""
    return generation if generation.wrapped else Generation(min(generation.version, (2, 12, 0)), generation.text)


def _write_schedule(rate: Mapping[str, Json], generation: Generation) -> Json:
    name = str(rate["type"]).removeprefix("keras:")
    config = dict(rate.get("config") or {})
    config["name"] = name if generation >= (3,) else None
    return objects.wrap(name, config, "keras.optimizers.schedules", generation)


def default_name(name: str) -> str:
    """What Keras 3 calls an optimizer of class `name`."""
    return {"RMSprop": "rmsprop", "AdamW": "adamw"}.get(name, name.lower())
