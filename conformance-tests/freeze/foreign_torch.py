"""Files of PyTorch, and of the layouts that hold arrays alone."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from common import numbers
from foreign_common import Json, row

from triptych_conformance._spelling import spelled


def bits(tensor: Any) -> Json:
    """A tensor of PyTorch as the suite spells it."""
    import torch

    from triptych_conformance._inspect_torch import spell

    return spell(torch, tensor.detach().contiguous())


def state() -> dict[str, Any]:
    """A state dictionary with what is easily read wrongly: strides, a view into a larger storage, two names for one storage, half precision."""
    import torch

    base = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    return {
        "plain.weight": torch.tensor(numbers("plain", (2, 3))), "turned.weight": base.t(), "part.weight": base[1:, 2:], "tied.weight": base,
        "half.weight": torch.tensor([1.5, -0.25, 3.0], dtype=torch.bfloat16), "norm.num_batches_tracked": torch.tensor(7), "flags": torch.tensor([True, False]),
    }


def facts(tensors: dict[str, Any]) -> Json:
    """What PyTorch says of the tensors it saved."""
    import torch

    return {"writer": f"PyTorch {torch.__version__}", "tensors": {name: bits(one) for name, one in sorted(tensors.items())}}


@row
def torch_state(folder: Path) -> Json:
    """A state dictionary."""
    import torch

    torch.save(state(), folder / "model.pt")
    return facts(state())


@row
def torch_legacy(folder: Path) -> Json:
    """The same as PyTorch wrote it before version 1.6: pickles and storages one after the other."""
    import torch

    torch.save(state(), folder / "model.pt", _use_new_zipfile_serialization=False)
    return facts(state())


def fitted() -> tuple[Any, Any]:
    """A linear module after two steps of Adam."""
    import torch

    module = torch.nn.Sequential()
    module.add_module("out", torch.nn.Linear(3, 2))
    with torch.no_grad():
        module.out.weight.copy_(torch.tensor(numbers("torch kernel", (2, 3))))
        module.out.bias.copy_(torch.tensor(numbers("torch bias", (2,))))
    optimizer = torch.optim.Adam(module.parameters(), lr=0.25)
    for _ in range(2):
        optimizer.zero_grad()
        (module(torch.tensor(numbers("input", (3, 3)))) - torch.tensor(numbers("target", (3, 2)))).square().mean().backward()
        optimizer.step()
    return module, optimizer


def training(module: Any, optimizer: Any) -> Json:
    """What PyTorch says of the module and the optimizer."""
    slots = {"exp_avg": "momentum", "exp_avg_sq": "velocity"}
    held = {
        f"optimizer.{slots[slot]}.{name}": bits(value)
        for name, parameter in module.named_parameters() for slot, value in optimizer.state[parameter].items() if slot in slots
    }
    return {**facts(module.state_dict()), "state": dict(sorted(held.items())), "step": 2}


@row
def torch_training(folder: Path) -> Json:
    """A dictionary of training: the module's state and the optimizer's."""
    import torch

    module, optimizer = fitted()
    torch.save({"model_state_dict": module.state_dict(), "optimizer_state_dict": optimizer.state_dict(), "epoch": 1}, folder / "model.pt")
    return training(module, optimizer)


class Command:
    """What a pickle calls when it is loaded."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.called = (function, arguments)

    def __reduce__(self) -> Any:
        return self.called


@row
def torch_command(folder: Path) -> Json:
    """A state dictionary with a value that is the result of a command."""
    import torch

    torch.save({"plain.weight": torch.zeros(2), "extra": Command(os.system, "echo a command was run")}, folder / "model.pt", pickle_module=pickle)
    return facts({})


@row
def torch_distributed(folder: Path) -> Json:
    """The same training as a distributed checkpoint of one process."""
    import torch.distributed.checkpoint as dcp

    module, optimizer = fitted()
    dcp.save({"model": module.state_dict(), "optim": optimizer.state_dict()}, checkpoint_id=folder / "model", no_dist=True)
    return training(module, optimizer)


@row
def distributed_command(folder: Path) -> Json:
    """A distributed checkpoint in whose metadata a value is the result of a command."""
    import torch.distributed.checkpoint as dcp

    module, _ = fitted()
    dcp.save({"model": module.state_dict()}, checkpoint_id=folder / "model", no_dist=True)
    metadata = folder / "model" / ".metadata"
    with metadata.open("rb") as file:
        said = pickle.load(file)  # noqa: S301 - written one line above
    said.planner_data = Command(os.system, "echo a command was run")
    metadata.write_bytes(pickle.dumps(said, protocol=4))
    return facts({})


ARRAYS = {
    "columns": np.asfortranarray(numbers("columns", (2, 3))), "big": numbers("big", (3,)).astype(">f4"), "double": numbers("double", (2,), dtype="float64"),
    "count": np.asarray(7, "int64"), "flags": np.asarray([True, False]), "half": numbers("half", (4,), dtype="float16"), "none": np.zeros((0, 2), "float32"),
}


@row
def numpy_arrays(folder: Path) -> Json:
    """Arrays of numpy: column by column, the most significant byte first, of no axis, of no element."""
    np.savez(folder / "model.npz", **ARRAYS)
    return {"writer": f"NumPy {np.__version__}", "tensors": {name: {**spelled(one), "dtype": one.dtype.newbyteorder("=").name} for name, one in sorted(ARRAYS.items())}}


@row
def numpy_deflated(folder: Path) -> Json:
    """The same, compressed."""
    np.savez_compressed(folder / "model.npz", **ARRAYS)
    return {"writer": f"NumPy {np.__version__}", "tensors": {name: {**spelled(one), "dtype": one.dtype.newbyteorder("=").name} for name, one in sorted(ARRAYS.items())}}


@row
def numpy_objects(folder: Path) -> Json:
    """An array of objects, which is a pickle."""
    np.savez(folder / "model.npz", extra=np.array([Command(os.system, "echo a command was run")], object))
    assert zipfile.is_zipfile(folder / "model.npz")
    return {"writer": f"NumPy {np.__version__}", "tensors": {}}


def plain() -> dict[str, Any]:
    """Tensors as safetensors holds them: no strides, no sharing."""
    return {name: one.contiguous().clone() for name, one in state().items()}


@row
def safetensors_file(folder: Path) -> Json:
    """A file of safetensors."""
    import safetensors
    from safetensors.torch import save_file

    save_file(plain(), folder / "model.safetensors", metadata={"format": "pt"})
    return {**facts(plain()), "writer": f"safetensors {safetensors.__version__}"}


@row
def hub_folder(folder: Path) -> Json:
    """A folder as model hubs have them: two shards, an index, and a configuration."""
    import json

    import safetensors
    from safetensors.torch import save_file

    tensors, place = plain(), folder / "model"
    place.mkdir()
    names = sorted(tensors)
    shards = {"model-00001-of-00002.safetensors": names[:4], "model-00002-of-00002.safetensors": names[4:]}
    for member, part in shards.items():
        save_file({name: tensors[name] for name in part}, place / member, metadata={"format": "pt"})
    total = sum(one.numel() * one.element_size() for one in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": {name: member for member, part in shards.items() for name in part}}
    (place / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    (place / "config.json").write_text(json.dumps({"model_type": "example", "hidden_size": 4}, indent=2) + "\n", encoding="utf-8")
    return {**facts(tensors), "writer": f"safetensors {safetensors.__version__}"}
