"""Looks at files with PyTorch, which is told to load nothing but weights, and at what its distributed loader reads; optimizers are loaded by its own."""

from __future__ import annotations

import importlib
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from triptych_conformance._spelling import spelled

Json = Any
HOW = frozenset({"params", "param_names", "foreach", "capturable", "differentiable", "fused", "decoupled_weight_decay", "initial_lr"})
"""Members of a group that say whose it is, or how it is computed."""


def readers(_: str) -> Any:
    """The module that reads.

    Raises:
        ImportError: It is not installed.
    """
    return importlib.import_module("torch")


def look(torch: Any, request: dict[str, Json]) -> dict[str, Json]:
    """Everything that the file holds, as it is, its tensors spelled; of a training, as ``as`` says, what PyTorch's optimizer made of it."""
    if request["as"] in ("folder", "distributed"):
        loaded = _distributed(request["path"])
    else:
        loaded = torch.load(request["path"], map_location="cpu", weights_only=True)
    return {"holds": _plain(torch, loaded)} if request["as"] in ("file", "folder") else _training(torch, loaded, request)


def _distributed(path: str) -> dict[str, Json]:
    checkpoint = importlib.import_module("torch.distributed.checkpoint")
    planner = importlib.import_module("torch.distributed.checkpoint.default_planner")
    loader = importlib.import_module("torch.distributed.checkpoint.state_dict_loader")
    loaded: dict[str, Json] = {}
    loader._load_state_dict(loaded, checkpoint.FileSystemReader(path), planner=planner._EmptyStateDictLoadPlanner(), no_dist=True)  # noqa: SLF001 - PyTorch's own converter does so
    return loaded


def _training(torch: Any, loaded: dict[str, Json], request: dict[str, Json]) -> dict[str, Json]:
    """The weights; and what an optimizer over them, of the class in the request, holds once it has loaded its state, and makes of them by one more step.

    The parameters of the module are the weights in their order in the file, but for ``buffers``.
    """
    module = _module(torch, loaded["model"], request.get("buffers", ()))
    parameters = dict(module.named_parameters())
    order = [name for name in loaded["model"] if name in parameters]
    state = loaded["optimizer"]
    groups = [[order[key] if isinstance(key, int) else key for key in group.get("param_names", group["params"])] for group in state["param_groups"]]
    optimizer = getattr(torch.optim, request["optimizer"])([{"params": [parameters[name] for name in names]} for names in groups], lr=1.0)
    if any(isinstance(key, str) for group in state["param_groups"] for key in group["params"]):
        importlib.import_module("torch.distributed.checkpoint.state_dict").set_optimizer_state_dict(module, optimizer, state)
    else:
        optimizer.load_state_dict(state)
    seen = {
        "model": _plain(torch, loaded["model"]),
        "slots": {name: _plain(torch, optimizer.state[parameter]) for name, parameter in parameters.items() if optimizer.state[parameter]},
        "groups": [group(one, names) for one, names in zip(optimizer.param_groups, groups, strict=True)],
    }
    for name, gradient in request.get("gradients", {}).items():
        parameters[name].grad = _tensor(torch, gradient)
    optimizer.step()
    return {**seen, "outputs": {name: _plain(torch, one) for name, one in parameters.items()}}


def _module(torch: Any, weights: Mapping[str, Any], buffers: Sequence[str]) -> Any:
    """A module whose state these weights are, under these names."""
    module = torch.nn.Module()
    for name, tensor in weights.items():
        *path, last = name.split(".")
        place = module
        for word in path:
            if not hasattr(place, word):
                place.add_module(word, torch.nn.Module())
            place = getattr(place, word)
        if name in buffers:
            place.register_buffer(last, tensor.clone())
        else:
            place.register_parameter(last, torch.nn.Parameter(tensor.clone()))
    return module


def group(members: Mapping[str, Json], names: Sequence[str]) -> dict[str, Json]:
    """A group of an optimizer, `names` its parameters: what it computes, and for whom."""
    said = {name: list(value) if isinstance(value, tuple) else value for name, value in sorted(members.items()) if name not in HOW}
    return {**{name: float(value) if type(value) is int else value for name, value in said.items()}, "params": sorted(names)}


def _tensor(torch: Any, facts: Json) -> Any:
    values = [struct.unpack(">f", bytes.fromhex(word))[0] for word in facts["bits"]]
    return torch.tensor(values, dtype=getattr(torch, facts["dtype"])).reshape(facts["shape"])


def _plain(torch: Any, value: Json) -> Json:
    if isinstance(value, torch.Tensor):
        return spell(torch, value.detach().contiguous())
    if isinstance(value, dict):
        return {str(name): _plain(torch, one) for name, one in value.items()}
    return [_plain(torch, one) for one in value] if isinstance(value, list | tuple) else value


def spell(torch: Any, tensor: Any) -> Json:
    """A tensor as the suite spells it; some of PyTorch's dtypes numpy lacks."""
    name = str(tensor.dtype).removeprefix("torch.")
    if tensor.dtype == torch.complex64:
        parts = spelled(torch.view_as_real(tensor).numpy())["bits"]
        return {"dtype": name, "shape": list(tensor.shape), "bits": ["".join(parts[at : at + 2]) for at in range(0, len(parts), 2)]}
    if name == "bfloat16" or "float8" in name:
        whole = tensor.view(torch.uint16 if name == "bfloat16" else torch.uint8)
        return {**spelled(whole.numpy()), "dtype": name}
    return spelled(tensor.numpy())
