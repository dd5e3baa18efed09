"""The state dictionary of an optimizer as one flat dictionary: ``state.<weight>.<slot>`` and ``param_groups.<weight>.<hyperparameter>``.

PyTorch makes it so for distributed checkpoints when it is asked to (``flatten_optimizer_state_dict``).
"""

from __future__ import annotations

from typing import Any

_STATE, _GROUPS = "state", "param_groups"


def is_flat(value: Any) -> bool:
    """Whether `value` is such a dictionary."""
    return isinstance(value, dict) and any(split(key)[0] == _GROUPS for key in value) and all(split(key)[0] for key in value)


def split(key: Any) -> tuple[str, str, str]:
    """Which part `key` belongs to, the weight and the member; three empty texts where it is no such key."""
    part, _, rest = key.partition(".") if isinstance(key, str) else ("", "", "")
    weight, _, member = rest.rpartition(".")
    return (part, weight, member) if part in (_STATE, _GROUPS) and weight and member else ("", "", "")


def nested(value: dict[str, Any]) -> dict[str, Any]:
    """The same as it is usually arranged, by the names of weights; each weight is a group of its own."""
    state: dict[str, dict[str, Any]] = {}
    groups: dict[str, dict[str, Any]] = {}
    for key, item in value.items():
        part, weight, member = split(key)
        into = state.setdefault(weight, {}) if part == _STATE else groups.setdefault(weight, {"params": [weight]})
        into[member] = item
    return {_STATE: state, _GROUPS: list(groups.values())}


def set_members(value: dict[str, Any], said: dict[str, Any]) -> None:
    """Give every weight's group in `value` the hyperparameters `said`, where it has them."""
    for key in value:
        part, _, member = split(key)
        if part == _GROUPS and said.get(member) is not None:
            value[key] = said[member]
