"""Cases of dtypes, orders of bytes, paddings, statistics and gates: what a converter gets wrong by a table, in the layouts that have it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import _foreign_models as models
import _foreign_old_models as old
import kit
from _foreign import Frozen, Place, case, read, tree, written
from kit import Case

Json = kit.Json
PADDED = {
    "format_version": "1.0", "name": "net", "inputs": [{"name": "image", "shape": [None, 4, 5, 1]}],
    "layers": [
        {"name": "same", "type": "Conv2D", "config": {"filters": 2, "kernel_size": [2, 3], "strides": [1, 2], "padding": "same_upper", **models.BEGIN}},
        {"name": "norm", "type": "BatchNormalization", "config": {"axis": 3, "momentum": 0.99, "epsilon": 0.001, **models.NORM}},
        {"name": "valid", "type": "DepthwiseConv2D", "config": {
            "kernel_size": [3, 2], "depth_multiplier": 2, "depthwise_initializer": models.BEGIN["kernel_initializer"], "bias_initializer": {"type": "Zeros"}}},
        {"name": "up", "type": "Conv2DTranspose", "config": {"filters": 2, "kernel_size": [2, 3], "padding": "same_upper", **models.BEGIN}},
        {"name": "zeros", "type": "ZeroPadding2D", "config": {"padding": [[1, 0], [0, 2]]}}, {"name": "mean", "type": "GlobalAveragePooling2D"},
    ],
}
HALVES = {**models.SMALL, "layers": [{**models.SMALL["layers"][0], "dtype": "bfloat16"}]}


def cases() -> Iterable[Case]:
    yield from dtypes()
    yield from computed()


def dtypes() -> Iterable[Case]:
    torch, safetensors, numpy = Place("pytorch", "model.pt"), Place("safetensors", "model.safetensors"), Place("numpy", "model.npz")
    checkpoint, hdf5, archive = Place("tensorflow-checkpoint", "model"), Place("keras-hdf5", "model.h5"), Place("keras-archive", "model.keras")
    each = Frozen("torch-dtypes")
    yield read("cnv-030-dtypes", "A tensor of each dtype of PyTorch", of=each, place=torch)
    yield read("cnv-030-big-endian", "A file of PyTorch whose most significant bytes come first", of=Frozen("torch-big-endian"), place=torch)
    yield read("cnv-034-dtypes", "A tensor of each dtype in safetensors", of=Frozen("safetensors-dtypes"), place=safetensors)
    yield read("cnv-026-dtypes", "A variable of each dtype that TensorFlow saves", of=Frozen("checkpoint-dtypes"), place=checkpoint)
    yield read("cnv-036-dtypes", "An array of each dtype of numpy, in either order of bytes", of=Frozen("numpy-dtypes"), place=numpy)
    yield read("cnv-020-bfloat16", "Keras 3 keeps bfloat16 in HDF5 as two bytes of no type", of=Frozen("hdf5-bfloat16", HALVES), place=hdf5)
    yield read("cnv-022-bfloat16", "Keras 3 keeps bfloat16 in an archive as two bytes of no type", of=Frozen("archive-bfloat16", HALVES), place=archive)
    yield written("cnv-031-dtypes", "A weight of each dtype becomes a tensor of PyTorch", of=each, seen={"holds": each.facts["tensors"]}, place=replace(torch, reader="torch"), cites=["CNV-031"],
                  look={"as": "file"})
    variables = Frozen("checkpoint-dtypes")
    yield written("cnv-027-dtypes", "A weight of each dtype that TensorFlow has becomes a variable", of=variables, seen=variables.facts["seen"], place=replace(checkpoint, reader="tensorflow"),
                  cites=["CNV-027"], look={"as": "checkpoint"})
    arrays = Frozen("numpy-dtypes")
    yield written("cnv-037-dtypes", "A weight of each dtype that numpy has becomes an array", of=arrays, seen={"tensors": arrays.facts["tensors"]}, place=replace(numpy, reader="python"),
                  cites=["CNV-037"], look={"as": "npz"})
    files = Frozen("safetensors-dtypes")
    yield written("cnv-035-dtypes", "A weight of each dtype becomes a tensor of safetensors", of=files, seen={"tensors": files.facts["tensors"]}, place=replace(safetensors, reader="python"),
                  cites=["CNV-035"], look={"as": "safetensors"})
    halves = Frozen("archive-bfloat16", HALVES)
    yield written("cnv-023-bfloat16", "Weights in bfloat16 become datasets of an archive", of=halves, seen=tree(halves.facts["seen"]), place=replace(archive, generation="keras3", reader="h5py"),
                  cites=["CNV-023"], look={"member": "model.weights.h5"})


def computed() -> Iterable[Case]:
    """What is written predicts the same: paddings, statistics, gates."""
    padded = Frozen("hdf5-padded", PADDED)
    yield read("cnv-020-padded", "Convolutions of every padding, and statistics in the order of the file", of=padded, place=Place("keras-hdf5", "model.h5"))
    for word, of in (("padded", padded), ("both-ways", Frozen("old-231-alone", old.BOTH_WAYS))):
        title = {"padded": "paddings, strides and statistics", "both-ways": "a cell with gates that reads both ways"}[word]
        for layout, place, name in (
            ("hdf5", Place("keras-hdf5", "model.h5", generation="keras2", reader="tf-keras"), "tf-keras"), ("archive", Place("keras-archive", "model.keras", generation="keras3", reader="keras"), "Keras 3"),
            ("saved-model", Place("saved-model", "model", reader="tensorflow"), "TensorFlow"),
        ):
            requirement = {"hdf5": "CNV-021", "archive": "CNV-023", "saved-model": "CNV-029"}[layout]
            yield case(f"cnv-011-{layout}-{word}", f"{name} computes {title}", cites=["CNV-011", requirement], place=place, op="export", files=of.package, accepted={"outputs": of.facts["outputs"]},
                       look={"as": "signature" if layout == "saved-model" else "model", "inputs": of.facts["inputs"]})
