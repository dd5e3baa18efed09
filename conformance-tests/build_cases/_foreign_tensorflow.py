"""Cases of TensorFlow's checkpoints and SavedModel folders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import _foreign_models as models
import kit
from _foreign import (
    SIXTHS,
    SIXTHS_OF_A_LAYER,
    WORDS,
    WORDS_OF_A_LAYER,
    ZEROS,
    Frozen,
    Place,
    case,
    joined,
    loads,
    not_written,
    read,
    refused,
    written,
)
from kit import Case


def cases() -> Iterable[Case]:
    yield from checkpoint()
    yield from saved_model()


def flipped(data: bytes, at: int) -> bytes:
    """`data` with one bit of the byte at `at` the other way."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def checkpoint() -> Iterable[Case]:
    here = Place("tensorflow-checkpoint", "model")
    shard, index = "foreign/model.data-00000-of-00001", "foreign/model.index"
    names, good = Frozen("checkpoint-names"), "cnv-006-checkpoint-whole"
    yield read(good, "Variables by name, one of them in two parts, one in bfloat16", of=names, place=here, cites=["CNV-006"])
    yield read("cnv-026-snappy", "The index of a checkpoint is packed by Snappy", of=Frozen("checkpoint-snappy"), place=here, cites=["CNV-026"])
    for name, title, changed in (
        ("cnv-006-checkpoint-index", "A bit in the index of a checkpoint is wrong", {index: flipped(names.files[index], 40)}),
        ("cnv-006-checkpoint-data", "A bit in the data of a checkpoint is wrong", {shard: flipped(names.files[shard], 9)}),
        ("cnv-006-checkpoint-cut-off", "The data of a checkpoint end early", {shard: names.files[shard][:50]}),
    ):
        yield refused(name, title, files={**names.files, **changed}, twin=good, place=here, cites=["CNV-006"], stage="bytes")
    older = Frozen("checkpoint-keras2", models.GRAPH, {"format_version": "1.0", "progress": {"step": 2}})
    twin = "cnv-005-checkpoint-keras2"
    yield joined(twin, "A checkpoint of tf-keras joins an architecture, with its slots", of=older, place=here, cites=["CNV-007"])
    other = {**models.GRAPH, "layers": [*models.GRAPH["layers"][:-1], models.dense("out", 2)]}
    yield refused("cnv-007-checkpoint-keras2", "A checkpoint beside an architecture with one unit more", twin=twin, place=here, cites=["CNV-007", "CNV-005"],
                  files={**older.files, "architecture.json": kit.document(other)})
    newer = Frozen("checkpoint-keras3", models.NEGATIVE_AXIS)
    yield joined("cnv-005-checkpoint-keras3", "A checkpoint of Keras 3 joins an architecture", of=newer, place=here)
    tensorflow = replace(here, reader="tensorflow")
    look = {"as": "checkpoint"}
    yield written("cnv-027-names", "Weights alone become variables by name", of=names, seen=names.facts["seen"], place=tensorflow, cites=["CNV-027"], look=look)
    trained = Frozen("checkpoint-keras2", models.GRAPH, models.training("Adam", 2, learning_rate=0.25, **models.ADAM))
    keras2 = replace(tensorflow, generation="keras2", loses=True)
    yield written("cnv-027-keras2", "A model becomes the keys and arrays that tf-keras saves for TensorFlow", of=trained, seen=older.facts["seen"], place=keras2,
                  cites=["CNV-027", "CNV-008"], look=look)
    yield loads("cnv-011-checkpoint-keras2", "tf-keras restores all of a checkpoint, the optimizer too", of=trained, place=replace(keras2, reader="tf-keras"), cites=["CNV-008"], **{
        "as": "weights", "json": older.facts["json"], "compile": {"optimizer": "Adam", "learning_rate": 0.25}})
    yield written("cnv-027-keras3", "A model becomes the keys and arrays of a checkpoint of Keras 3", of=newer, seen=newer.facts["seen"], place=replace(keras2, generation="keras3"),
                  cites=["CNV-027", "CNV-008"], look=look)
    yield written("cnv-012-checkpoint-float32", "A weight of 32 bits becomes a variable", of=WORDS, seen={"tensors": ZEROS}, place=tensorflow, cites=["CNV-012"], look=look)
    yield not_written("cnv-012-checkpoint-float6", "TensorFlow has no numbers of six bits", files=SIXTHS, twin="cnv-012-checkpoint-float32", place=here)


def saved_model() -> Iterable[Case]:
    here = Place("saved-model", "model")
    model = Frozen("saved-model-keras2", models.SMALL, models.training("Adam", 2, learning_rate=0.25, **models.ADAM))
    good = "cnv-006-saved-model-whole"
    yield read(good, "A SavedModel of tf-keras, of whose graph nothing is run", of=model, place=replace(here, loses=True), cites=["CNV-006", "CNV-007", "CNV-008", "SEC-005"])
    index, graph = "foreign/model/variables/variables.index", "foreign/model/saved_model.pb"
    yield refused("cnv-006-saved-model-index", "A bit in the variables' index of a SavedModel is wrong", files={**model.files, index: flipped(model.files[index], 40)}, twin=good, place=here,
                  cites=["CNV-006"], stage="bytes")
    yield refused("cnv-006-saved-model-cut-off", "The graph of a SavedModel ends early", files={**model.files, graph: model.files[graph][:-100]}, twin=good, place=here, cites=["CNV-006"],
                  stage="bytes")
    yield loads("cnv-011-saved-model-served", "TensorFlow serves what is written", of=model, place=replace(here, reader="tensorflow", loses=True), cites=["CNV-008"], keeps=[], **{"as": "signature"})
    said = "foreign/model/keras_metadata.pb"
    for name, title, old, new in (
        ("cnv-007-saved-model-shape", "A kernel in a SavedModel has fewer columns than its layer has units", b'"units": 2', b'"units": 3'),
        ("cnv-007-saved-model-count", "A SavedModel has a bias, and its layer has none", b'"use_bias": true', b'"use_bias":false'),
    ):
        assert old in model.files[said]
        yield refused(name, title, files={**model.files, said: model.files[said].replace(old, new)}, twin=good, place=here, cites=["CNV-007"])
    nothing = {"dtype": "float32", "shape": [1, 4], "bits": ["00000000"] * 4}
    yield case("cnv-012-saved-model-float32", "Weights of 32 bits become variables of a graph", cites=["CNV-012", "CNV-029", "CNV-011"], op="export", files=WORDS_OF_A_LAYER,
               place=replace(here, reader="tensorflow"), accepted={"outputs": {"out": nothing}}, look={
                   "as": "signature", "inputs": [{"dtype": "float32", "shape": [1, 3], "bits": ["3f800000"] * 3}]})
    yield not_written("cnv-012-saved-model-float6", "A graph of TensorFlow has no numbers of six bits", files=SIXTHS_OF_A_LAYER, twin="cnv-012-saved-model-float32", place=here)
