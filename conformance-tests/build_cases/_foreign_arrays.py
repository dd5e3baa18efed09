"""Cases of layouts that hold arrays: numpy's archives, safetensors, folders of model hubs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import _foreign_models as models
import kit
from _foreign import FILES, WORDS, ZEROS, Frozen, Place, alone, case, joined, not_written, others, read, refused, written
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
    named, twin = Frozen("numpy-named", models.SMALL), "cnv-005-numpy"
    yield joined(twin, "Arrays join an architecture by their names", of=named, place=here, cites=["CNV-007"])
    yield from others(named, layout="numpy", twin=twin, place=here)
    yield written("cnv-012-numpy-float32", "A weight of 32 bits becomes an array", of=WORDS, seen={"tensors": ZEROS}, place=replace(here, reader="python"), cites=["CNV-012"], look={"as": "npz"})
    yield not_written("cnv-012-numpy-bfloat16", "numpy by itself has no bfloat16", files=alone("bfloat16", 4, 8), twin="cnv-012-numpy-float32", place=here)


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
    named, twin = Frozen("safetensors-named", models.SMALL), "cnv-005-safetensors"
    yield joined(twin, "Tensors of safetensors join an architecture by their names", of=named, place=here, cites=["CNV-007"])
    yield from others(named, layout="safetensors", twin=twin, place=here)


def hub() -> Iterable[Case]:
    here = Place("hub", "model")
    folder, good = Frozen("hub-folder"), "cnv-038-folder"
    seen = {**folder.observed, **kit.observe(assets={"config.json": FILES["hub-folder"]["model/config.json"]}), "sections": ["weights"]}
    yield case(good, "A folder with two shards, their index, and a file beside them", cites=["CNV-038", "CNV-006", "CNV-001", "SEC-005"], place=here, op="import", files=folder.files, accepted=seen)
    shard = "foreign/model/model-00002-of-00002.safetensors"
    yield refused("cnv-006-hub-shard-missing", "A shard that the index names is not there", files={name: data for name, data in folder.files.items() if name != shard}, twin=good, place=here,
                  cites=["CNV-006"], stage="bytes")
    index, outside = "foreign/model/model.safetensors.index.json", shard.replace("/model/model", "/model")
    leaves = {**{name: data for name, data in folder.files.items() if name != shard}, outside: folder.files[shard]}
    assert b'"model-00002' in leaves[index]
    yield refused("sec-005-hub-outside", "The index of a folder names a shard outside of it", files={**leaves, index: leaves[index].replace(b'"model-00002', b'"../model-00002')}, twin=good,
                  place=here, cites=["SEC-005"])
    yield written("cnv-039-folder", "Weights become a folder as model hubs have them", of=folder, seen={"tensors": folder.facts["tensors"]}, place=replace(here, reader="python"),
                  cites=["CNV-039"], look={"as": "hub"})
    named, twin = Frozen("hub-named", models.SMALL), "cnv-005-hub"
    seen = {**named.observed, **kit.observe(assets={"config.json": FILES["hub-named"]["model/config.json"]}), "sections": ["architecture", "weights"]}
    yield case(twin, "The weights of a folder join an architecture by their names", cites=["CNV-005", "CNV-007", "CNV-038", "CNV-001"], place=here, op="import",
               files={**named.files, "architecture.json": kit.document(named.architecture)}, accepted=seen)
    yield from others(named, layout="hub", twin=twin, place=here)
