"""Trainings of PyTorch: a module after two steps, saved with its optimizer, and what the next step makes of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from common import numbers
from foreign_common import Json, row
from foreign_torch import bits, facts

SLOTS = {
    "exp_avg": "momentum", "exp_avg_sq": "velocity", "max_exp_avg_sq": "velocity_hat", "momentum_buffer": "momentum", "square_avg": "velocity", "grad_avg": "average_gradient",
}
"""PyTorch's slot -> the specification's, for the optimizers here."""
CANONICAL = {
    "first.weight": "first.kernel", "first.bias": "first.bias", "norm.weight": "norm.gamma", "norm.bias": "norm.beta", "norm.running_mean": "norm.moving_mean",
    "norm.running_var": "norm.moving_variance", "second.weight": "second.kernel", "second.bias": "second.bias",
}
"""Name in the module -> the name that an architecture of the same layers gives; kernels are turned round."""


def module() -> Any:
    """Two linear layers and what normalizes between them, in the order in which PyTorch counts their parameters."""
    import torch

    made = torch.nn.Sequential()
    for name, layer in (("first", torch.nn.Linear(3, 4)), ("norm", torch.nn.BatchNorm1d(4)), ("second", torch.nn.Linear(4, 2))):
        made.add_module(name, layer)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            parameter.copy_(torch.tensor(numbers(f"optimizers {name}", tuple(parameter.shape))))
    return made


def gradients(made: Any) -> dict[str, Any]:
    """What the next step is given, by the names of parameters."""
    return {name: numbers(f"gradient {name}", tuple(parameter.shape)) for name, parameter in made.named_parameters()}


def said_of_groups(optimizer: Any, names: Mapping[int, str]) -> Json:
    """The groups as PyTorch's optimizer has them, without what says how it is computed."""
    from triptych_conformance._inspect_torch import group

    return [group(one, [names[id(parameter)] for parameter in one["params"]]) for one in optimizer.param_groups]


def training(folder: Path, groups: Callable[[Any], Any], kind: str, **options: Any) -> Json:
    """A file with a module and its optimizer, of `kind`, over what `groups` makes of the module, after two steps; and what PyTorch says of them."""
    import torch

    made = module()
    optimizer = getattr(torch.optim, kind)(groups(made), lr=0.25, **options)
    for _ in range(2):
        optimizer.zero_grad()
        (made(torch.tensor(numbers("input", (3, 3)))) - torch.tensor(numbers("target", (3, 2)))).square().mean().backward()
        optimizer.step()
    torch.save({"model": made.state_dict(), "optimizer": optimizer.state_dict()}, folder / "model.pt")
    names = {id(parameter): name for name, parameter in made.named_parameters()}
    held = {name: optimizer.state[parameter] for name, parameter in made.named_parameters()}
    state = {f"optimizer.{SLOTS[slot]}.{name}": bits(value) for name, one in held.items() for slot, value in one.items() if slot in SLOTS}
    said = {**facts(made.state_dict()), "state": dict(sorted(state.items())), "groups": said_of_groups(optimizer, names)}
    turned = {name: {CANONICAL[name]: value.t() if value.ndim == 2 else value} for name, value in made.state_dict().items() if name in CANONICAL}
    said["canonical"] = {
        "tensors": dict(sorted((new, bits(value)) for one in turned.values() for new, value in one.items())),
        "slots": {CANONICAL[name]: {slot: bits(value.t() if value.ndim == 2 else value) for slot, value in one.items()} for name, one in held.items()},
    }
    given = {name: torch.tensor(one) for name, one in gradients(made).items()}
    for name, parameter in made.named_parameters():
        parameter.grad = given[name]
    optimizer.step()
    said["canonical"] |= {
        "gradients": {CANONICAL[name]: bits(one.t() if one.ndim == 2 else one) for name, one in given.items()},
        "outputs": {CANONICAL[name]: bits(one.t() if one.ndim == 2 else one) for name, one in made.named_parameters()},
    }
    return said


@row
def torch_sgd(folder: Path) -> Json:
    """Momentum, half of it damped, and decay that is added to the gradient."""
    return training(folder, lambda made: made.parameters(), "SGD", momentum=0.5, dampening=0.25, weight_decay=0.125)


@row
def torch_adam(folder: Path) -> Json:
    """Adam with the largest of the second moments."""
    return training(folder, lambda made: made.parameters(), "Adam", amsgrad=True)


@row
def torch_adamw(folder: Path) -> Json:
    """Decay apart from the gradient."""
    return training(folder, lambda made: made.parameters(), "AdamW", weight_decay=0.125)


@row
def torch_rmsprop(folder: Path) -> Json:
    """Centred, with momentum."""
    return training(folder, lambda made: made.parameters(), "RMSprop", alpha=0.75, eps=0.0625, centered=True, momentum=0.5)


def vectors_first(made: Any) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]]]:
    """The parameters by name: those of one axis, and those of two."""
    named = list(made.named_parameters())
    return [one for one in named if one[1].ndim == 1], [one for one in named if one[1].ndim == 2]


@row
def torch_groups_alike(folder: Path) -> Json:
    """Two groups in another order than the module's, whose members have names."""
    return training(folder, lambda made: [{"params": one} for one in vectors_first(made)], "Adam")


@row
def torch_groups(folder: Path) -> Json:
    """Kernels decay, vectors do not: two groups that one configuration cannot say."""
    def groups(made: Any) -> Json:
        vectors, kernels = vectors_first(made)
        return [{"params": kernels, "weight_decay": 0.125}, {"params": vectors, "weight_decay": 0.0}]

    return training(folder, groups, "AdamW")
