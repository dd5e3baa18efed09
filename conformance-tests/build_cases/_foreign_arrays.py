"""Cases of layouts that hold arrays: numpy's archives, safetensors, folders of model hubs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import _foreign_models as models
import kit
from _foreign import FILES, Frozen, Place, case, read, refused, written
from kit import Case


def cases() -> Iterable[Case]:
    yield from numpy()
    yield from safetensors()
    yield from hub()


def numpy() -> Iterable[Case]:
    here = Place("numpy", "model.npz")
    arrays, good = Frozen("numpy-arrays"), "cnv-036-arrays"
    yield read(good, "Arrays by columns, big-endian, without axes, without elements", of=arrays, place=here, cites=["CNV-036", "CNV-006", "SEC-005"])
    yield read("cnv-036-deflated", "The same, compressed", of=Frozen("numpy-deflated"), place=here, cites=["CNV-036"])
    (content,) = FILES["numpy-arrays"].values()
    yield refused("cnv-006-numpy-cut-off", "An archive of arrays ends before its directory", files={"foreign/model.npz": content[: len(content) // 2]}, twin=good, place=here, cites=["CNV-006"],
                  stage="bytes")
    yield refused("sec-005-numpy-objects", "An array of objects is a pickle that runs a command", files=Frozen("numpy-objects").files, twin=good, place=here, cites=["SEC-005"])
    yield written("cnv-037-arrays", "Weights become arrays by rows, little-endian", of=arrays, seen={"tensors": arrays.facts["tensors"]}, place=replace(here, reader="python"), cites=["CNV-037"],
                  look={"as": "npz"})


def safetensors() -> Iterable[Case]:
    here = Place("safetensors", "model.safetensors")
    python = replace(here, reader="python")
    tensors, good = Frozen("safetensors-file"), "cnv-034-file"
    yield read(good, "A file of safetensors", of=tensors, place=here, cites=["CNV-034", "CNV-006"])
    (content,) = FILES["safetensors-file"].values()
    yield refused("cnv-006-safetensors-cut-off", "A file of safetensors ends within a tensor", files={"foreign/model.safetensors": content[:-3]}, twin=good, place=here, cites=["CNV-006"],
                  stage="bytes")
    yield written("cnv-035-file", "Weights become a file of safetensors", of=tensors, seen={"tensors": tensors.facts["tensors"]}, place=python, cites=["CNV-035"], look={"as": "safetensors"})
    small = Frozen("hdf5-small", models.SMALL)
    yield written("cnv-008-safetensors", "A file of safetensors has no place for an architecture", of=small, seen={"tensors": small.facts["tensors"]}, place=replace(python, loses=True),
                  cites=["CNV-008"], look={"as": "safetensors"})


def hub() -> Iterable[Case]:
    here = Place("hub", "model")
    folder, good = Frozen("hub-folder"), "cnv-038-folder"
    seen = {**folder.observed, **kit.observe(assets={"config.json": FILES["hub-folder"]["model/config.json"]}), "sections": ["weights"]}
    yield case(good, "A folder with two shards, their index, and a file beside them", cites=["CNV-038", "CNV-006", "CNV-001"], place=here, op="import", files=folder.files, accepted=seen)
    shard = "foreign/model/model-00002-of-00002.safetensors"
    yield refused("cnv-006-hub-shard-missing", "A shard that the index names is not there", files={name: data for name, data in folder.files.items() if name != shard}, twin=good, place=here,
                  cites=["CNV-006"], stage="bytes")
    yield written("cnv-039-folder", "Weights become a folder as model hubs have them", of=folder, seen={"tensors": folder.facts["tensors"]}, place=replace(here, reader="python"),
                  cites=["CNV-039"], look={"as": "hub"})
