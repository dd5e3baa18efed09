"""Weights of one layer under the names that an architecture has for them, in every layout that holds arrays alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from common import numbers
from foreign_common import Json, row

from triptych_conformance._spelling import spelled

WEIGHTS = {"out.bias": numbers("named bias", (2,)), "out.kernel": numbers("named kernel", (3, 2))}


def facts(writer: str) -> Json:
    """What was written, by `writer`."""
    return {"writer": writer, "tensors": {name: spelled(one) for name, one in WEIGHTS.items()}}


def state() -> dict[str, Any]:
    """The weights as tensors of PyTorch."""
    import torch

    return {name: torch.tensor(one) for name, one in WEIGHTS.items()}


@row
def torch_named(folder: Path) -> Json:
    """A state dictionary."""
    import torch

    torch.save(state(), folder / "model.pt")
    return facts(f"PyTorch {torch.__version__}")


@row
def distributed_named(folder: Path) -> Json:
    """A distributed checkpoint of one process."""
    import torch
    import torch.distributed.checkpoint as dcp

    dcp.save({"model": state()}, checkpoint_id=folder / "model", no_dist=True)
    return facts(f"PyTorch {torch.__version__}")


@row
def safetensors_named(folder: Path) -> Json:
    """A file of safetensors."""
    import safetensors
    from safetensors.numpy import save_file

    save_file(WEIGHTS, folder / "model.safetensors")
    return facts(f"safetensors {safetensors.__version__}")


@row
def numpy_named(folder: Path) -> Json:
    """An archive of arrays."""
    np.savez(folder / "model.npz", **WEIGHTS)
    return facts(f"NumPy {np.__version__}")


@row
def hub_named(folder: Path) -> Json:
    """A folder with a configuration beside the weights."""
    import safetensors
    from safetensors.numpy import save_file

    (folder / "model").mkdir()
    save_file(WEIGHTS, folder / "model" / "model.safetensors", metadata={"format": "pt"})
    (folder / "model" / "config.json").write_text(json.dumps({"model_type": "example"}) + "\n", encoding="utf-8")
    return facts(f"safetensors {safetensors.__version__}")
