"""Optimizers and learning-rate schedules: Keras' configuration of each generation, and ours."""

from __future__ import annotations

import re
from collections.abc import Mapping

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
    """The optimizer of a Keras object, with the edits that lead back to it.

    Raises:
        Unsayable: It is no optimizer object.
    """
    if (
        not isinstance(original, dict)
        or not isinstance(original.get("class_name"), str)
        or not isinstance(original.get("config"), dict)
    ):
        unsayable("an optimizer")
    name, config = original["class_name"].removeprefix(_PREFIX), original["config"]
    if name not in PARAMETERS:
        component = Component(f"keras:{type_name(original['class_name'])}", dict(config))
    else:
        component = Component(name, _read_parameters(name, config))
    found = edits.difference(write(component, generation), original)
    return Component(component.type, component.config, {"keras": {"edits": found}} if found else {})


def type_name(name: str) -> str:
    """`name`, if an extension type can carry it.

    Raises:
        Unsayable: It cannot.
    """
    if not re.fullmatch(r"[!-~]{1,200}", name):
        unsayable("a class name")
    return name


def _read_parameters(name: str, config: Mapping[str, Json]) -> dict[str, Json]:
    result = {}
    for key, default in PARAMETERS[name].items():
        value = config.get("lr", default) if key == "learning_rate" and key not in config else config.get(key, default)
        result[key] = read_rate(value) if key == "learning_rate" else value
    common = {**COMMON, **_OWN_COMMON.get(name, {}), "decay": 0.0}
    for key, default in common.items():
        value = config.get(key, COMMON.get(key, default))
        if not edits.same(value, COMMON.get(key, default)) and not (key == "ema_overwrite_frequency" and not config.get("use_ema")):
            result[key] = value
    return result


def read_rate(value: Json) -> Json:
    """A learning rate: a number, or a schedule as ``{"type", "config"}``."""
    if isinstance(value, dict):
        name, config = value.get("class_name"), value.get("config")
        if not isinstance(name, str) or not isinstance(config, dict):
            unsayable("a learning rate")
        own = name if name in SCHEDULES else f"keras:{type_name(name)}"
        return {"type": own, "config": {key: item for key, item in config.items() if key != "name"}}
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
        name = component.type if generation < (3,) else _snake(component.type)
        config = {"name": name, "learning_rate": rate}
        config |= {key: given.get(key, default) for key, default in COMMON.items() if generation >= _SINCE.get(key, (0,))}
        if generation < (3,):
            config |= {"jit_compile": False, "is_legacy_optimizer": False}
        if component.type == "RMSprop" and (generation < (3, 3)) and given.get("ema_overwrite_frequency") is None:
            config["ema_overwrite_frequency"] = 100
        config |= own
    defaults = {**COMMON, **parameters}
    for key, item in given.items():
        if (
            key not in config
            and key != "learning_rate"
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


def _snake(name: str) -> str:
    return {"RMSprop": "rmsprop", "AdamW": "adamw"}.get(name, name.lower())
