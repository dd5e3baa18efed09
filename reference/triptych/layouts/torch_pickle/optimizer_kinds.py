"""PyTorch's optimizers by what their state dictionaries hold: hyperparameters and slots, each beside this specification's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from triptych.checks.components import fits
from triptych.model import Json

Group = Mapping[str, Any]
ABOUT_PARAMETERS = frozenset({"params", "param_names"})
_HOW = frozenset({"foreach", "capturable", "differentiable", "fused", "initial_lr", "maximize", "decoupled_weight_decay"})
"""Members of groups that say how it is computed, or what schedules remember; `maximize` and the last one are looked at."""
SHARED_SLOT = "u_product"
"""The slot that PyTorch keeps for each weight and this specification once."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One optimizer of PyTorch's."""

    type: str
    needs: frozenset[str]
    """Members that its groups have."""
    slots: Mapping[str, str]
    """PyTorch's slot -> this specification's."""
    config: Callable[[Group], dict[str, Json]]
    """This specification's config of a group, without the learning rate and decay."""
    group: Callable[[Mapping[str, Json]], dict[str, Any] | None]
    """The members of a group that say what a config says; None where PyTorch has no such optimizer."""
    told_by: str = ""
    """A slot without which another optimizer could be meant; empty if the groups tell."""
    decoupled: bool = False
    """Whether decay is decoupled unless the group says otherwise."""
    counts: bool = True
    """Whether each weight has a step count."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Further members of a group of today's PyTorch."""


def _plain_decay(config: Mapping[str, Json], *, decoupled: bool = False) -> float | None:
    """The decay of weights that PyTorch is to be told; None if it cannot."""
    decay = config.get("weight_decay") or 0.0
    mode = config.get("decay_mode", "decoupled")
    return None if decay and mode != ("decoupled" if decoupled else "l2") else decay


def _adam_config(group: Group) -> dict[str, Json]:
    said = {"beta_1": group["betas"][0], "beta_2": group["betas"][1], "epsilon": group["eps"], "epsilon_mode": "plain"}
    return said | ({"amsgrad": True} if group["amsgrad"] else {})


def _adam_group(config: Mapping[str, Json], *, decoupled: bool) -> dict[str, Any] | None:
    decay = _plain_decay(config, decoupled=decoupled)
    usual = config.get("epsilon_root", 0) == 0 and config.get("amsgrad_on", "raw") == "raw" and config.get("bias_correction", True)
    if decay is None or not usual or config.get("epsilon_mode", "hat") != "plain":
        return None
    return {
        "betas": (config["beta_1"], config["beta_2"]), "eps": config["epsilon"], "weight_decay": decay,
        "amsgrad": bool(config.get("amsgrad")), "decoupled_weight_decay": decoupled,
    }  # fmt: skip


def _sgd_config(group: Group) -> dict[str, Json]:
    if not group["momentum"]:
        return {}
    said: dict[str, Json] = {"momentum": group["momentum"], "momentum_scaling": "buffer"}
    return said | ({"dampening": group["dampening"]} if group["dampening"] else {}) | ({"nesterov": True} if group["nesterov"] else {})


def _sgd_group(config: Mapping[str, Json]) -> dict[str, Any] | None:
    decay, momentum = _plain_decay(config), config.get("momentum", 0.0)
    if decay is None or (momentum and config.get("momentum_scaling", "velocity") != "buffer"):
        return None
    return {
        "momentum": momentum, "dampening": config.get("dampening", 0) if momentum else 0, "weight_decay": decay,
        "nesterov": bool(config.get("nesterov")) if momentum else False,
    }  # fmt: skip


def _rmsprop_config(group: Group) -> dict[str, Json]:
    said: dict[str, Json] = {"rho": group["alpha"], "epsilon": group["eps"], "epsilon_mode": "outside"}
    momentum: dict[str, Json] = {"momentum": group["momentum"], "momentum_scaling": "buffer"} if group["momentum"] else {}
    return said | momentum | ({"centered": True} if group["centered"] else {})


def _rmsprop_group(config: Mapping[str, Json]) -> dict[str, Any] | None:
    decay, momentum = _plain_decay(config), config.get("momentum", 0.0)
    outside = config.get("epsilon_mode", "inside") == "outside"
    if decay is None or not outside or (momentum and config.get("momentum_scaling", "velocity") != "buffer"):
        return None
    return {"momentum": momentum, "alpha": config["rho"], "eps": config["epsilon"], "centered": bool(config.get("centered")), "weight_decay": decay}


def _adagrad_config(group: Group) -> dict[str, Json]:
    said: dict[str, Json] = {"initial_accumulator_value": group["initial_accumulator_value"], "epsilon": group["eps"], "epsilon_mode": "outside"}
    return said | ({"decay": group["lr_decay"]} if group["lr_decay"] else {})


def _adagrad_group(config: Mapping[str, Json]) -> dict[str, Any] | None:
    decay = _plain_decay(config)
    if decay is None or config.get("epsilon_mode", "inside") != "outside":
        return None
    return {
        "lr_decay": config.get("decay", 0), "eps": config["epsilon"], "weight_decay": decay,
        "initial_accumulator_value": config["initial_accumulator_value"],
    }  # fmt: skip


def _adamax_group(config: Mapping[str, Json]) -> dict[str, Any] | None:
    decay = _plain_decay(config)
    if decay is None or config.get("epsilon_mode", "outside") != "inside":
        return None
    return {"betas": (config["beta_1"], config["beta_2"]), "eps": config["epsilon"], "weight_decay": decay}


def _nadam_group(config: Mapping[str, Json]) -> dict[str, Any]:
    return {
        "betas": (config["beta_1"], config["beta_2"]), "eps": config["epsilon"], "weight_decay": config.get("weight_decay") or 0.0,
        "momentum_decay": config.get("momentum_decay", 1.0), "decoupled_weight_decay": bool(config.get("weight_decay")) and config.get("decay_mode", "decoupled") == "decoupled",
    }  # fmt: skip


def _adadelta_group(config: Mapping[str, Json]) -> dict[str, Any] | None:
    decay = _plain_decay(config)
    return None if decay is None else {"rho": config["rho"], "eps": config["epsilon"], "weight_decay": decay}


_FLAGS = frozenset({"amsgrad", "centered", "nesterov"})
_NOW = {"foreach": None, "maximize": False, "differentiable": False}
_CAPTURED = {**_NOW, "capturable": False}
_ADAM_NEEDS = frozenset({"lr", "betas", "eps", "weight_decay", "amsgrad"})
_ADAM_SLOTS = {"exp_avg": "momentum", "exp_avg_sq": "velocity", "max_exp_avg_sq": "velocity_hat"}
_BETAS = frozenset({"lr", "betas", "eps", "weight_decay"})
KINDS = (
    Kind("Adam", _ADAM_NEEDS, _ADAM_SLOTS, _adam_config, lambda config: _adam_group(config, decoupled=False), defaults={**_CAPTURED, "fused": None}),
    Kind("AdamW", _ADAM_NEEDS, _ADAM_SLOTS, _adam_config, lambda config: _adam_group(config, decoupled=True), decoupled=True, defaults={**_CAPTURED, "fused": None}),
    Kind(
        "SGD", frozenset({"lr", "momentum", "dampening", "weight_decay", "nesterov"}), {"momentum_buffer": "momentum"}, _sgd_config, _sgd_group,
        counts=False, defaults={**_NOW, "fused": None},
    ),
    Kind(
        "RMSprop", frozenset({"lr", "momentum", "alpha", "eps", "centered", "weight_decay"}),
        {"square_avg": "velocity", "momentum_buffer": "momentum", "grad_avg": "average_gradient"}, _rmsprop_config, _rmsprop_group, defaults=_CAPTURED,
    ),
    Kind(
        "Adagrad", frozenset({"lr", "lr_decay", "eps", "weight_decay", "initial_accumulator_value"}), {"sum": "accumulator"},
        _adagrad_config, _adagrad_group, defaults={**_NOW, "fused": None},
    ),
    Kind(
        "Adamax", _BETAS, {"exp_avg": "momentum", "exp_inf": "norm"},
        lambda group: {"beta_1": group["betas"][0], "beta_2": group["betas"][1], "epsilon": group["eps"], "epsilon_mode": "inside"},
        _adamax_group, told_by="exp_inf", defaults=_CAPTURED,
    ),
    Kind(
        "Nadam", _BETAS | {"momentum_decay"}, {"exp_avg": "momentum", "exp_avg_sq": "velocity", "mu_product": SHARED_SLOT},
        lambda group: {"beta_1": group["betas"][0], "beta_2": group["betas"][1], "epsilon": group["eps"], "momentum_decay": group["momentum_decay"]},
        _nadam_group, defaults=_CAPTURED,
    ),
    Kind(
        "Adadelta", frozenset({"lr", "rho", "eps", "weight_decay"}), {"square_avg": "accumulated_grad", "acc_delta": "accumulated_delta_var"},
        lambda group: {"rho": group["rho"], "epsilon": group["eps"]}, _adadelta_group, defaults=_CAPTURED,
    ),
)  # fmt: skip


def kind_of(groups: Sequence[Group], slots: frozenset[str]) -> Kind | None:
    """The optimizer whose groups and slots these are; None where it could be another."""
    if not groups or not all(isinstance(group.get("decoupled_weight_decay"), bool | None) for group in groups):
        return None
    members = {name for group in groups for name in group} - ABOUT_PARAMETERS
    said = {group.get("decoupled_weight_decay") for group in groups}
    for kind in KINDS:
        fits = all(kind.needs <= group.keys() for group in groups) and members <= kind.needs | _HOW and slots <= {*kind.slots, "step"}
        if not fits or (kind.told_by and kind.told_by not in slots):
            continue
        if kind.type not in ("Adam", "AdamW"):
            return kind
        if said <= {True, False} and len(said) == 1:
            fits = kind.decoupled is said.pop()
            if fits:
                return kind
            said = {not kind.decoupled}
        elif said == {None}:
            # Until PyTorch 2.6 nothing told the two apart; without decay they are the same.
            return kind if all(group["weight_decay"] == 0 for group in groups) else None
    return None


def config_of(kind: Kind, groups: Sequence[Group]) -> dict[str, Json] | None:
    """The specification's config of `groups`; None where one config cannot say them."""
    first = dict(_hyperparameters(groups[0]))
    if any(dict(_hyperparameters(group)) != first for group in groups[1:]) or first.get("maximize"):
        return None
    if not all(_fits(name, first[name]) for name in kind.needs):
        return None
    config: dict[str, Json] = {"learning_rate": first["lr"], **kind.config(first)}
    decay, decoupled = first["weight_decay"], first.get("decoupled_weight_decay", kind.decoupled)
    if kind.type == "AdamW":
        config["weight_decay"] = decay
    elif decay:
        config |= {"weight_decay": decay} | ({} if decoupled else {"decay_mode": "l2"})
    return config if fits("optimizers", kind.type, config) else None


def group_of(type_: str, config: Mapping[str, Json]) -> dict[str, Any] | None:
    """The hyperparameters of a group of today's PyTorch that computes what `config` says; None where it has none that does."""
    kind = next((kind for kind in KINDS if kind.type == type_), None)
    foreign = ("clipvalue", "clipnorm", "global_clipnorm", "loss_scale_factor", "gradient_accumulation_steps")
    if kind is None or config.get("use_ema") or any(config.get(name) is not None for name in foreign):
        return None
    if not isinstance(config.get("learning_rate"), int | float) or (config.get("decay") and type_ != "Adagrad"):
        return None
    said = kind.group(config)
    return None if said is None else {"lr": config["learning_rate"], **said, **kind.defaults}


def _hyperparameters(group: Group) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in group.items() if name not in ABOUT_PARAMETERS and name != "initial_lr"]


def _fits(name: str, value: Any) -> bool:
    """Whether `value` is of the kind that PyTorch's own optimizers have under `name`: two numbers as betas, else a number, or a boolean for what is done or not."""
    if name == "betas":
        return isinstance(value, list | tuple) and len(value) == 2 and all(_fits("beta", one) for one in value)
    if isinstance(value, bool) or name in _FLAGS:
        return isinstance(value, bool) and name in _FLAGS
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63)
