"""Cases of one model with every kind of weight that a converter may mistake for another, in every layout, both ways; and of one in every width of numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import _foreign_models as models
import kit
from _foreign import FILES, WRITES, Frozen, Place, case, joined, read, tree, written
from kit import Case

Json = kit.Json
BEGIN = models.BEGIN
PLAIN_NORM = {"momentum": 0.99, "epsilon": 0.001, **models.NORM}


def kinds(**norm: Json) -> Json:
    """A convolution under padding, a normalization, of which `norm` says the axis, and a cell with gates."""
    return {
        "format_version": "1.0", "name": "net", "inputs": [{"name": "image", "shape": [None, 4, 5, 1]}],
        "layers": [
            {"name": "same", "type": "Conv2D", "config": {"filters": 2, "kernel_size": [2, 3], "strides": [1, 2], "padding": "same_upper", **BEGIN}},
            {"name": "norm", "type": "BatchNormalization", "config": {**PLAIN_NORM, **norm}}, {"name": "steps", "type": "Reshape", "config": {"target_shape": [4, 6]}},
            {"name": "cell", "type": "LSTM", "config": {
                "units": 2, "activation": "tanh", "recurrent_activation": "sigmoid", **BEGIN, "recurrent_initializer": {"type": "Orthogonal"}, "unit_forget_bias": True}},
            models.dense("out", 2),
        ],
    }


WIDTHS = {
    "format_version": "1.0", "name": "net", "inputs": [{"name": "x", "shape": [None, 3]}],
    "layers": [{**models.dense(name, 2), "dtype": dtype} for name, dtype in (("brain", "bfloat16"), ("half", "float16"), ("wide", "float64"))],
}
LSTM = {"units": 2, "activation": "tanh", "recurrent_activation": "sigmoid"}
GRU = {**LSTM, "reset_after": True}
PARTS = {
    "format_version": "1.0", "name": "net", "inputs": [{"name": "ids", "shape": [None, 4], "dtype": "int32"}],
    "layers": [
        {"name": "bound", "type": "SpectralNormalization", "config": {"units": 4}, "sublayers": {"layer": {"type": "Embedding", "config": {"input_dim": 5, "output_dim": 4}}}},
        {"name": "groups", "type": "GroupQueryAttention", "config": {"head_dim": 3, "num_query_heads": 2, "num_key_value_heads": 1}},
        {"name": "both", "type": "Bidirectional", "sublayers": {
            "forward": {"type": "LSTM", "config": {**LSTM, "return_sequences": True}}, "backward": {"type": "LSTM", "config": {**LSTM, "return_sequences": True, "go_backwards": True}}}},
        {"name": "stack", "type": "RNN", "sublayers": {"cell": {"type": "StackedRNNCells", "sublayers": {
            "cell_0": {"type": "LSTMCell", "config": LSTM}, "cell_1": {"type": "GRUCell", "config": GRU}}}}},
        {"name": "out", "type": "Dense", "config": {"units": 1}},
    ],
    "calls": [
        {"layer": "bound", "inputs": ["ids"]}, {"layer": "groups", "inputs": ["bound", "bound"]}, {"layer": "both", "inputs": ["groups"]}, {"layer": "stack", "inputs": ["both"]}, {"layer": "out", "inputs": ["stack"]},
    ],
    "outputs": ["out"],
}
"""Layers that consist of others, or of what Keras makes layers of."""
ADAM = models.training("Adam", 2, learning_rate=0.25, **models.ADAM)
STEPS = {"format_version": "1.0", "progress": {"step": 2}}
"""What a file says of a training that has no place for its configuration."""
ARRAYS = {
    "torch": (Place("pytorch", "model.pt", reader="torch"), "file", "holds"), "distributed": (Place("pytorch-distributed", "model", reader="torch"), "folder", "holds"),
    "safetensors": (Place("safetensors", "model.safetensors", reader="python"), "safetensors", "tensors"), "numpy": (Place("numpy", "model.npz", reader="python"), "npz", "tensors"),
    "hub": (Place("hub", "model", reader="python"), "hub", "tensors"),
}
"""Word -> the layout of arrays alone, how it is looked at, and where the arrays are in what is seen."""
TITLES = {"torch": "A state dictionary", "distributed": "A distributed checkpoint", "safetensors": "A file of safetensors", "numpy": "An archive of arrays", "hub": "A folder of a model hub"}


def cases() -> Iterable[Case]:
    yield from modelled()
    yield from arrays()
    yield from widths()


def modelled() -> Iterable[Case]:
    """In the layouts that know layers."""
    whole = kinds()
    yield read("cnv-022-archive-kinds", "An archive with windows, statistics and gates", of=Frozen("kinds-archive", whole, ADAM), place=Place("keras-archive", "model.keras"))
    yield read("cnv-028-kinds", "A SavedModel with windows, statistics and gates", of=Frozen("kinds-saved-model", kinds(axis=3), ADAM), place=Place("saved-model", "model", loses=True),
               cites=["CNV-028", "CNV-008"])
    weights, checkpoint = Frozen("kinds-weights", whole), Frozen("kinds-checkpoint", kinds(axis=3), STEPS)
    by_path, by_object = Place("keras-weights", "model.weights.h5"), Place("tensorflow-checkpoint", "model")
    yield joined("cnv-005-weights-kinds", "Windows, statistics and gates by object path", of=weights, place=by_path, cites=["CNV-005"])
    yield joined("cnv-005-checkpoint-kinds", "Windows, statistics and gates in a checkpoint", of=checkpoint, place=by_object, cites=["CNV-005"])
    yield written("cnv-023-weights-kinds", "Windows, statistics and gates become datasets by object path", of=weights, seen=tree(weights.facts["seen"]),
                  place=replace(by_path, generation="keras3", reader="h5py", loses=True), cites=["CNV-023", "CNV-008"])
    parts = Frozen("kinds-parts", PARTS)
    yield joined("cnv-005-weights-parts", "Layers that consist of parts, by object path", of=parts, place=by_path, cites=["CNV-005"])
    yield written("cnv-023-weights-parts", "Parts of layers become datasets by object path", of=parts, seen=tree(parts.facts["seen"]),
                  place=replace(by_path, generation="keras3", reader="h5py", loses=True), cites=["CNV-023", "CNV-008"])
    yield written("cnv-027-kinds", "Windows, statistics and gates become variables of a checkpoint", of=replace(checkpoint, training=ADAM), seen=checkpoint.facts["seen"],
                  place=replace(by_object, generation="keras2", reader="tensorflow", loses=True), cites=["CNV-027", "CNV-008"], look={"as": "checkpoint"})


def hubs(of: Frozen, twin: str, *, cites: list[str]) -> Case:
    """A folder of a model hub is read, whose configuration is an asset; with an architecture beside it, if there is one."""
    seen = {**of.observed, **kit.observe(assets={"config.json": FILES[of.slug]["model/config.json"]}), "sections": ["architecture", "weights"] if of.architecture else ["weights"]}
    beside = {"architecture.json": kit.document(of.architecture)} if of.architecture else {}
    title = "Windows, statistics and gates in a folder of a model hub" if of.architecture else "A tensor of each dtype in a folder of a model hub"
    return case(twin, title, cites=list(dict.fromkeys([*cites, "CNV-038", "CNV-001"])), place=Place("hub", "model"), op="import", files={**of.files, **beside}, accepted=seen)


def arrays() -> Iterable[Case]:
    """In those that have names and arrays."""
    for word, (place, look, member) in ARRAYS.items():
        of, here = Frozen(f"kinds-{word}", kinds()), Place(place.layout, place.path)
        if word == "hub":
            yield hubs(of, "cnv-005-hub-kinds", cites=["CNV-005"])
        else:
            yield joined(f"cnv-005-{word}-kinds", f"{TITLES[word]} with windows, statistics and gates", of=of, place=here)
        yield written(f"{WRITES[place.layout].lower()}-{word}-kinds", f"{TITLES[word]} gets windows, statistics and gates", of=of, seen={member: of.facts["tensors"]},
                      place=replace(place, loses=True), cites=[WRITES[place.layout], "CNV-008"], look={"as": look})
    for word, slug in (("distributed", "distributed-dtypes"), ("hub", "hub-dtypes")):
        (place, look, member), of = ARRAYS[word], Frozen(slug)
        yield (hubs(of, "cnv-038-dtypes", cites=[]) if word == "hub" else
               read("cnv-032-dtypes", "A distributed checkpoint with a tensor of each dtype", of=of, place=Place(place.layout, place.path)))
        yield written(f"{WRITES[place.layout].lower()}-dtypes", f"{TITLES[word]} gets a weight of each dtype", of=of, seen={member: of.facts["tensors"]}, place=place, cites=[], look={"as": look})


def widths() -> Iterable[Case]:
    """Three floating-point dtypes of Keras' layers."""
    said = {"hdf5": (Place("keras-hdf5", "model.h5"), "HDF5", {}), "archive": (Place("keras-archive", "model.keras"), "an archive", {"member": "model.weights.h5"}),
            "weights": (Place("keras-weights", "model.weights.h5"), "weights by object path", {})}
    for word, (place, title, look) in said.items():
        of, loses = Frozen(f"widths-{word}", WIDTHS), word == "weights"
        yield (joined if loses else read)(f"cnv-0{'05' if loses else '20' if word == 'hdf5' else '22'}-{word}-widths", f"Layers of Keras 3 in three dtypes in {title}", of=of, place=place)
        yield written(f"{WRITES[place.layout].lower()}-{word}-widths", f"Layers in three dtypes become {title}", of=of, seen=tree(of.facts["seen"]),
                      place=replace(place, generation="keras3", reader="h5py", loses=loses), cites=[WRITES[place.layout], *(["CNV-008"] if loses else [])], look=look)
    of, here = Frozen("widths-saved-model", WIDTHS), Place("saved-model", "model")
    yield read("cnv-028-widths", "Layers in three dtypes in a SavedModel", of=of, place=replace(here, loses=True), cites=["CNV-028", "CNV-008"])
    yield case("cnv-011-saved-model-widths", "TensorFlow serves layers in three dtypes", cites=["CNV-011", "CNV-029", "CNV-010"], place=replace(here, reader="tensorflow"), op="export",
               files=of.package, accepted={"outputs": of.facts["outputs"]}, look={"as": "signature", "inputs": of.facts["inputs"]})
