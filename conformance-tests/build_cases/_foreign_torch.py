"""Cases of PyTorch's files and distributed checkpoints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import _foreign_models as models
from _foreign import FACTS, FILES, Frozen, Place, kit, read, refused, written
from kit import Case


def cases() -> Iterable[Case]:
    yield from pytorch()
    yield from distributed()


def slots(slug: str) -> kit.Json:
    """What PyTorch has to find: the weights, and by weight the slots and the step."""
    facts = FACTS[slug]
    words = {"momentum": "exp_avg", "velocity": "exp_avg_sq"}
    found: kit.Json = {}
    for name, tensor in facts["state"].items():
        _, slot, weight = name.split(".", 2)
        found.setdefault(weight, {"step": {"dtype": "float32", "shape": [], "bits": ["40000000"]}})[words[slot]] = tensor
    return {"model": facts["tensors"], "slots": found, "groups": [{"lr": 0.25, "betas": [0.9, 0.999], "eps": 1e-08, "params": sorted(found)}]}


def pytorch() -> Iterable[Case]:
    here = Place("pytorch", "model.pt")
    torch = replace(here, reader="torch")
    state, good = Frozen("torch-state"), "cnv-030-state"
    yield read(good, "Tensors with strides, views, one storage for three, and bfloat16", of=state, place=here, cites=["CNV-030", "CNV-006", "SEC-005"])
    yield read("cnv-030-legacy", "The same as PyTorch wrote it before version 1.6", of=Frozen("torch-legacy"), place=here, cites=["CNV-030"])
    (content,), (older,) = FILES["torch-state"].values(), FILES["torch-legacy"].values()
    yield refused("cnv-006-torch-cut-off", "A file of PyTorch ends before its directory", files={"foreign/model.pt": content[: len(content) // 2]}, twin=good, place=here, cites=["CNV-006"],
                  stage="bytes")
    yield refused("cnv-006-torch-legacy-cut-off", "An old file of PyTorch ends within a storage", files={"foreign/model.pt": older[:-3]}, twin=good, place=here, cites=["CNV-006"], stage="bytes")
    yield refused("sec-005-torch-command", "A value in a file of PyTorch is the result of a command", files=Frozen("torch-command").files, twin=good, place=here, cites=["SEC-005"])
    trained = Frozen("torch-training", None, {**models.PLAIN_ADAM, "progress": {"step": 2, "epoch": 1}})
    yield read("cnv-030-training", "A dictionary of training: weights, optimizer, epoch", of=trained, place=here, cites=["CNV-030"])
    yield written("cnv-031-state", "Weights alone become a state dictionary", of=state, seen={"holds": state.facts["tensors"]}, place=torch, cites=["CNV-031"], look={"as": "file"})
    yield written("cnv-031-training", "Weights and optimizer become a dictionary of training", of=trained, seen=slots("torch-training"), place=torch, cites=["CNV-031", "CNV-011"],
                  look={"as": "training"})


def distributed() -> Iterable[Case]:
    here = Place("pytorch-distributed", "model")
    trained, good = Frozen("torch-distributed", None, {**models.PLAIN_ADAM, "progress": {"step": 2}}), "cnv-032-training"
    yield read(good, "A distributed checkpoint with weights and optimizer", of=trained, place=here, cites=["CNV-032", "CNV-006"])
    shard = "foreign/model/__0_0.distcp"
    yield refused("cnv-006-distributed-cut-off", "A shard of a distributed checkpoint ends early", files={**trained.files, shard: trained.files[shard][: len(trained.files[shard]) // 2]},
                  twin=good, place=here, cites=["CNV-006"], stage="bytes")
    yield written("cnv-033-training", "PyTorch's distributed loader finds weights and optimizer", of=trained, seen=slots("torch-distributed"), place=replace(here, reader="torch"),
                  cites=["CNV-033", "CNV-011"], look={"as": "distributed"})
