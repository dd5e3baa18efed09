"""Tells what is what in the value of a file: the model's state dictionary, the optimizer's, how far training got."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from triptych.layouts.torch_pickle import flat_optimizer
from triptych.layouts.torch_pickle.plain import Path
from triptych.layouts.torch_pickle.unusual import is_tensor

_MODELS = (
    "model", "state_dict", "model_state_dict", "model_state", "model_state_dicts", "net", "network", "net_state_dict", "weights",
    "params", "parameters", "module", "classifier", "backbone", "encoder",
)  # fmt: skip
"""Keys under which people keep the model, the likeliest first."""
_OPTIMIZERS = ("optimizer", "optimizer_state_dict", "optim", "opt", "optimizer_state", "optim_state_dict", "optimizer_states", "optimizers")
_EPOCHS = ("epoch", "epochs_done", "current_epoch")
_STEPS = ("step", "global_step", "iteration", "iter", "steps")
_COUNT = 2**53
_WRAPPINGS = 4
"""Keys, one below the other, that may stand around a training dictionary."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are in the value; a path of keys each, None for what is not there."""

    model: Path | None = None
    optimizer: Path | None = None
    epoch: Path | None = None
    step: Path | None = None


    def under(self, key: Any) -> Places:
        """The same places of a value that holds this one under `key`."""
        return Places(*(None if path is None else (key, *path) for path in (self.model, self.optimizer, self.epoch, self.step)))


def places_in(root: Any, below: int = 0) -> Places:
    """Where model, optimizer and counts are in `root`, which stands `below` keys under the value of the file."""
    if is_optimizer(root):
        return Places(optimizer=())
    if not isinstance(root, dict) or is_state_dict(root):
        return Places(model=())
    if len(root) == 1 and below < _WRAPPINGS:
        # An application's state under one key, as distributed checkpoints have it.
        ((key, inner),) = root.items()
        if isinstance(inner, dict) and not is_state_dict(inner) and not is_optimizer(inner):
            found = places_in(inner, below + 1)
            if found.model != () or found.optimizer is not None:
                return found.under(key)
    optimizer = _optimizer_in(root)
    candidates = [key for key, value in root.items() if is_state_dict(value)]
    model = next((key for key in _MODELS if key in candidates), None)
    if model is None and len(candidates) == 1:
        model = candidates[0]
    if model is None and optimizer is None:
        return Places(model=())
    return Places(
        model=None if model is None else (model,),
        optimizer=optimizer,
        epoch=_count_in(root, _EPOCHS),
        step=_count_in(root, _STEPS),
    )


def is_state_dict(value: Any) -> bool:
    """Whether `value` is a dictionary of tensors by name; what else a module may add to one is in it too."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        return False
    others = [key for key, item in value.items() if not is_tensor(item)]
    return len(others) < len(value) and all(value[key] is None or key.endswith("_extra_state") for key in others)


def is_optimizer(value: Any) -> bool:
    """Whether `value` is what an optimizer's ``state_dict()`` gives, or the same made flat."""
    if flat_optimizer.is_flat(value):
        return True
    if not isinstance(value, dict) or not isinstance(value.get("state"), dict) or not isinstance(value.get("param_groups"), list):
        return False
    groups = value["param_groups"]
    if not all(isinstance(group, dict) and isinstance(group.get("params"), list) for group in groups):
        return False
    keys = [key for group in groups for key in group["params"]]
    # Numbers as PyTorch's own optimizers have them, or names as its distributed state dictionaries do.
    return all(isinstance(key, int) for key in keys) or all(isinstance(key, str) for key in keys)


def at(root: Any, path: Path) -> Any:
    """What stands at `path`."""
    for key in path:
        root = root[key]
    return root


def _optimizer_in(root: dict[Any, Any]) -> Path | None:
    """The one optimizer of `root`; None if there is none, or if there are several."""
    found = list(_optimizers(root))
    if len(found) == 1:
        return found[0]
    named = [path for path in found if path[0] in _OPTIMIZERS]
    return named[0] if len(named) == 1 else None


def _optimizers(root: dict[Any, Any]) -> Iterator[Path]:
    for key, value in root.items():
        if is_optimizer(value):
            yield (key,)
        elif isinstance(value, list):
            yield from ((key, index) for index, item in enumerate(value) if is_optimizer(item))


def _count_in(root: dict[Any, Any], names: tuple[str, ...]) -> Path | None:
    for name in names:
        value = root.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _COUNT:
            return (name,)
    return None
