"""Looks at files with PyTorch, which is told to load nothing but weights, and at what its distributed loader reads."""

from __future__ import annotations

import importlib
from typing import Any

from triptych_conformance._spelling import spelled

Json = Any


def readers(_: str) -> Any:
    """The module that reads.

    Raises:
        ImportError: It is not installed.
    """
    return importlib.import_module("torch")


def look(torch: Any, request: dict[str, Json]) -> dict[str, Json]:
    """Everything that the file holds, as it is, its tensors spelled; of a training, as ``as`` says, the weights with their slots."""
    if request["as"] == "distributed":
        checkpoint = importlib.import_module("torch.distributed.checkpoint")
        reader = checkpoint.FileSystemReader(request["path"])
        planner = importlib.import_module("torch.distributed.checkpoint.default_planner")
        loaded: dict[str, Json] = {}
        loader = importlib.import_module("torch.distributed.checkpoint.state_dict_loader")
        loader._load_state_dict(loaded, reader, planner=planner._EmptyStateDictLoadPlanner(), no_dist=True)  # noqa: SLF001 - PyTorch's own converter does so
    else:
        loaded = torch.load(request["path"], map_location="cpu", weights_only=True)
    holds = _plain(torch, loaded)
    return {"holds": holds} if request["as"] == "file" else _training(holds)


def _training(holds: dict[str, Json]) -> dict[str, Json]:
    """Weights and the optimizer's slots by weight: its parameters are counted as the weights are, or go by name."""
    names = list(holds["model"])
    named = {str(key): names[int(key)] if str(key).isdigit() else str(key) for group in holds["optimizer"]["param_groups"] for key in group["params"]}
    groups = [{**{name: group[name] for name in ("lr", "betas", "eps")}, "params": sorted(named[str(key)] for key in group["params"])} for group in holds["optimizer"]["param_groups"]]
    return {"model": holds["model"], "slots": {named[key]: one for key, one in holds["optimizer"]["state"].items()}, "groups": groups}


def _plain(torch: Any, value: Json) -> Json:
    if isinstance(value, torch.Tensor):
        tensor = value.detach().contiguous()
        if tensor.dtype == torch.bfloat16:
            return {**spelled(tensor.view(torch.uint16).numpy()), "dtype": "bfloat16"}
        return spelled(tensor.numpy())
    if isinstance(value, dict):
        return {str(name): _plain(torch, one) for name, one in value.items()}
    return [_plain(torch, one) for one in value] if isinstance(value, list | tuple) else value
