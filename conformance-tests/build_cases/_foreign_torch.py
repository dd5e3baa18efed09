"""Cases of PyTorch's files and distributed checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import _foreign_models as models
from _foreign import (
    FACTS,
    FILES,
    SIXTHS,
    WORDS,
    ZEROS,
    Frozen,
    Place,
    case,
    joined,
    kit,
    not_written,
    others,
    read,
    refused,
    stored,
    written,
)
from kit import Case


def cases() -> Iterable[Case]:
    yield from pytorch()
    yield from distributed()


def slots(slug: str) -> kit.Json:
    """What PyTorch's Adam has to hold: the weights, and by weight the slots and the step."""
    facts = FACTS[slug]
    words = {"momentum": "exp_avg", "velocity": "exp_avg_sq"}
    found: kit.Json = {}
    for name, tensor in facts["state"].items():
        _, slot, weight = name.split(".", 2)
        found.setdefault(weight, {"step": {"dtype": "float32", "shape": [], "bits": ["40000000"]}})[words[slot]] = tensor
    group = {"lr": 0.25, "betas": [0.9, 0.999], "eps": 1e-08, "weight_decay": 0.0, "amsgrad": False, "maximize": False}
    return {"model": facts["tensors"], "slots": found, "groups": [{**group, "params": sorted(found)}]}


WORDS_OF = {"momentum": {"exp_avg", "momentum_buffer"}, "velocity": {"exp_avg_sq", "square_avg"}, "velocity_hat": {"max_exp_avg_sq"}, "average_gradient": {"grad_avg"}}
"""Slot -> what PyTorch's optimizers call it."""
BUFFERS = ["norm.moving_mean", "norm.moving_variance"]


def normed(slug: str) -> kit.Files:
    """A package of the layers whose optimizer was frozen under `slug`, with its slots under the names that the architecture gives."""
    said = FACTS[slug]["canonical"]
    ours = {theirs: slot for slot, words in WORDS_OF.items() for theirs in words}
    state = {f"optimizer.{ours[word]}.{weight}": tensor for weight, held in said["slots"].items() for word, tensor in held.items() if word != "step"}
    return kit.package(models.NORMED, stored(said["tensors"]), models.PLAIN[slug], stored(dict(sorted(state.items()))))


def resumes(name: str, kind: str, *, slug: str, place: Place, cites: Sequence[str], looks: str) -> Case:
    """A package with an architecture becomes what PyTorch's own optimizer loads, and goes on with as it would have."""
    said = FACTS[slug]["canonical"]
    (group,) = FACTS[slug]["groups"]
    seen = {"model": said["tensors"], "slots": said["slots"], "groups": [{**group, "params": sorted(said["slots"])}], "outputs": said["outputs"]}
    return case(name, f"PyTorch's {kind} loads its slots and takes the next step", cites=[*cites, "CNV-008", "CNV-010", "CNV-011"], place=replace(place, loses=True), op="export",
                files=normed(slug), accepted=seen, look={"as": looks, "optimizer": kind, "buffers": BUFFERS, "gradients": said["gradients"]})


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
                  look={"as": "training", "optimizer": "Adam"})
    for slug, title in (
        ("torch-sgd", "The momentum of SGD, by the weights whose numbers it has"), ("torch-adam", "Three slots of Adam, by the weights whose numbers they have"),
        ("torch-adamw", "The slots of AdamW, whose decay is its own"), ("torch-rmsprop", "Three slots of RMSprop, by the weights whose numbers they have"),
        ("torch-groups-alike", "Two groups whose members have names, in another order"),
    ):
        yield read(f"cnv-030-{slug.removeprefix('torch-')}", title, of=Frozen(slug, None, models.PLAIN[slug]), place=here, cites=["CNV-030"])
    apart = Frozen("torch-groups", None, {})
    seen = {name: value for name, value in apart.observed.items() if name not in {"training", "defaults"}}
    yield case("cnv-030-groups", "Groups that decay differently: slots are by weight all the same", cites=["CNV-030", "CNV-001", "CNV-004"], place=here, op="import", files=apart.files, accepted=seen)
    for kind in ("SGD", "Adam", "AdamW", "RMSprop"):
        yield resumes(f"cnv-031-{kind.lower()}", kind, slug=f"torch-{kind.lower()}", place=torch, cites=["CNV-031"], looks="training")
    named, twin = Frozen("torch-named", models.SMALL), "cnv-005-torch"
    yield joined(twin, "A state dictionary joins an architecture by its names", of=named, place=here, cites=["CNV-007"])
    yield from others(named, layout="torch", twin=twin, place=here)
    yield written("cnv-012-torch-float32", "A weight of 32 bits becomes a tensor of PyTorch", of=WORDS, seen={"holds": ZEROS}, place=torch, cites=["CNV-012"], look={"as": "file"})
    yield not_written("cnv-012-torch-float6", "PyTorch has no numbers of six bits", files=SIXTHS, twin="cnv-012-torch-float32", place=here)


def distributed() -> Iterable[Case]:
    here = Place("pytorch-distributed", "model")
    trained, good = Frozen("torch-distributed", None, {**models.PLAIN_ADAM, "progress": {"step": 2}}), "cnv-032-training"
    yield read(good, "A distributed checkpoint with weights and optimizer", of=trained, place=here, cites=["CNV-032", "CNV-006", "SEC-005"])
    yield refused("sec-005-distributed-command", "The metadata of a distributed checkpoint hold the result of a command", files=Frozen("distributed-command").files, twin=good, place=here,
                  cites=["SEC-005"])
    shard = "foreign/model/__0_0.distcp"
    yield refused("cnv-006-distributed-cut-off", "A shard of a distributed checkpoint ends early", files={**trained.files, shard: trained.files[shard][: len(trained.files[shard]) // 2]},
                  twin=good, place=here, cites=["CNV-006"], stage="bytes")
    yield written("cnv-033-training", "PyTorch's distributed loader finds weights and optimizer", of=trained, seen=slots("torch-distributed"), place=replace(here, reader="torch"),
                  cites=["CNV-033", "CNV-011"], look={"as": "distributed", "optimizer": "Adam"})
    for kind in ("SGD", "AdamW"):
        yield resumes(f"cnv-033-{kind.lower()}", kind, slug=f"torch-{kind.lower()}", place=replace(here, reader="torch"), cites=["CNV-033"], looks="distributed")
    named, twin = Frozen("distributed-named", models.SMALL), "cnv-005-distributed"
    yield joined(twin, "A distributed checkpoint joins an architecture by its names", of=named, place=here, cites=["CNV-007"])
    yield from others(named, layout="distributed", twin=twin, place=here)
    yield written("cnv-012-distributed-float32", "A weight of 32 bits becomes a tensor of a distributed checkpoint", of=WORDS, seen={"holds": ZEROS}, place=replace(here, reader="torch"),
                  cites=["CNV-012"], look={"as": "folder"})
    yield not_written("cnv-012-distributed-float6", "A distributed checkpoint has no numbers of six bits", files=SIXTHS, twin="cnv-012-distributed-float32", place=here)
