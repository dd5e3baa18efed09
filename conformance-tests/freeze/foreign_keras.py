"""Files of Keras: HDF5 of whole models and of weights alone, archives, weights by object path."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from foreign_common import GRAPH, SEQUENCE, SMALL, Json, built, exact, graph, hdf5_of, row, sequence, small, trained


@row
def hdf5_keras2_graph(folder: Path) -> Json:
    """A whole model of tf-keras, trained with its new Adam."""
    import tf_keras as k

    model = built(k, graph, loss="mse")
    facts = trained(model, GRAPH)
    model.save(folder / "model.h5", save_format="h5")
    return {"writer": f"tf-keras {k.__version__}", **facts, "seen": hdf5_of(folder / "model.h5")}


def elsewhere(group: Any, name: str) -> None:
    """Has the bytes of a dataset of two numbers be those of another file on the machine."""
    del group[name]
    group.create_dataset(name, (2,), "<f4", external=[("/etc/hostname", 0, 8)])


def changed(folder: Path, change: Callable[[Any], None], build: Callable[[Any], Any] = small, names: Sequence[str] = SMALL) -> Json:
    """A file of tf-keras that was changed with h5py: `change` gets the open file."""
    import h5py
    import tf_keras as k

    model = built(k, build)
    facts = trained(model, names)
    model.save(folder / "model.h5", save_format="h5")
    with h5py.File(folder / "model.h5", "r+") as file:
        change(file)
    return {"writer": f"tf-keras {k.__version__}, changed with h5py {h5py.__version__}", **facts, "seen": hdf5_of(folder / "model.h5")}


@row
def hdf5_small(folder: Path) -> Json:
    """A small model of tf-keras, not compiled."""
    return changed(folder, lambda _: None)


@row
def hdf5_stored_otherwise(folder: Path) -> Json:
    """Datasets in chunks and compressed, and the most significant byte first."""
    def change(file: Any) -> None:
        group = file["model_weights/out/out"]
        for name, options in (("kernel:0", {"chunks": (2, 2), "compression": "gzip"}), ("bias:0", {})):
            array = group[name][()]
            del group[name]
            group.create_dataset(name, data=array, dtype=">f4", **options)

    return changed(folder, change)


@row
def hdf5_lists_in_parts(folder: Path) -> Json:
    """Lists in numbered parts, as Keras splits those beyond 64 KiB; alphabetical order would be another."""
    def change(file: Any) -> None:
        for group, name in ((file["model_weights"], "layer_names"), (file["model_weights/norm"], "weight_names")):
            whole = [one.encode() if isinstance(one, str) else one for one in group.attrs[name].tolist()]
            del group.attrs[name]
            for index, part in enumerate(np.array_split(np.array(whole), 2)):
                group.attrs[f"{name}{index}"] = part

    return changed(folder, change, sequence, SEQUENCE)


@row
def hdf5_no_list(folder: Path) -> Json:
    """No list of layers."""
    return changed(folder, lambda file: file["model_weights"].attrs.__delitem__("layer_names"))


@row
def hdf5_other_shape(folder: Path) -> Json:
    """A kernel of another shape than its layer has."""
    def change(file: Any) -> None:
        group = file["model_weights/out/out"]
        array = group["kernel:0"][()]
        del group["kernel:0"]
        group["kernel:0"] = array[:2]

    return changed(folder, change)


@row
def hdf5_one_weight_short(folder: Path) -> Json:
    """A list that leaves a weight out."""
    def change(file: Any) -> None:
        group = file["model_weights/out"]
        group.attrs["weight_names"] = group.attrs["weight_names"][:1]

    return changed(folder, change)


@row
def hdf5_elsewhere(folder: Path) -> Json:
    """A dataset whose bytes are those of another file."""
    return changed(folder, lambda file: elsewhere(file["model_weights/out/out"], "bias:0"))


@row
def hdf5_weights_alone(folder: Path) -> Json:
    """Weights without the model."""
    import tf_keras as k

    model = built(k, sequence)
    model.save_weights(folder / "model.h5", save_format="h5")
    return {"writer": f"tf-keras {k.__version__}", **trained(model, SEQUENCE), "seen": hdf5_of(folder / "model.h5"), "json": model.to_json()}


@row
def hdf5_code(folder: Path) -> Json:
    """A layer that is code."""
    import tf_keras as k

    k.backend.clear_session()
    model = k.Sequential([k.layers.Input((3,), name="x"), k.layers.Dense(2, name="out"), k.layers.Lambda(lambda x: x * 2, name="twice")], name="net")
    exact(model)
    facts = trained(model, SMALL)
    model.save(folder / "model.h5", save_format="h5")
    return {"writer": f"tf-keras {k.__version__}", **facts}


def archive_of(path: Path) -> Json:
    """What h5py sees in the weights of an archive."""
    import h5py

    from triptych_conformance._inspect_h5py import look

    return look(h5py, {"path": str(path), "member": "model.weights.h5"})


def keras3(folder: Path, name: str, build: Callable[[Any], Any], names: Sequence[str], *, compiled: bool) -> tuple[Any, Json]:
    """A model of Keras 3, trained for two steps if it is `compiled`, saved under `name`."""
    import keras as k

    model = built(k, build, loss="mean_squared_error" if compiled else None)
    facts = trained(model, names)
    (model.save_weights if name.endswith(".weights.h5") else model.save)(folder / name)
    return model, {"writer": f"Keras {k.__version__}", **facts}


@row
def archive_keras3_graph(folder: Path) -> Json:
    """An archive of Keras 3."""
    _, facts = keras3(folder, "model.keras", graph, GRAPH, compiled=True)
    return {**facts, "seen": archive_of(folder / "model.keras")}


@row
def archive_small(folder: Path) -> Json:
    """A small archive of Keras 3."""
    _, facts = keras3(folder, "model.keras", small, SMALL, compiled=False)
    return {**facts, "seen": archive_of(folder / "model.keras")}


@row
def weights_keras3(folder: Path) -> Json:
    """Weights of Keras 3 by object path."""
    model, facts = keras3(folder, "model.weights.h5", sequence, SEQUENCE, compiled=False)
    return {**facts, "seen": hdf5_of(folder / "model.weights.h5"), "json": model.to_json()}


@row
def hdf5_keras3(folder: Path) -> Json:
    """A whole model of Keras 3 in HDF5."""
    _, facts = keras3(folder, "model.h5", sequence, SEQUENCE, compiled=True)
    return {**facts, "seen": hdf5_of(folder / "model.h5")}


@row
def weights_small(folder: Path) -> Json:
    """Weights of a small model of Keras 3 by object path."""
    return keras3(folder, "model.weights.h5", small, SMALL, compiled=False)[1]


@row
def weights_elsewhere(folder: Path) -> Json:
    """Weights by object path with a dataset whose bytes are those of another file."""
    import h5py

    _, facts = keras3(folder, "model.weights.h5", small, SMALL, compiled=False)
    with h5py.File(folder / "model.weights.h5", "r+") as file:
        elsewhere(file["layers/dense/vars"], "1")
    return {**facts, "writer": f"{facts['writer']}, changed with h5py {h5py.__version__}"}


@row
def archive_elsewhere(folder: Path) -> Json:
    """An archive in whose weights a dataset has its bytes in another file."""
    _, facts = keras3(folder, "model.keras", small, SMALL, compiled=False)
    said = weights_elsewhere(folder)
    weights = folder / "model.weights.h5"
    with zipfile.ZipFile(folder / "model.keras") as file:
        members = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(folder / "model.keras", "w") as file:
        for name, data in {**members, weights.name: weights.read_bytes()}.items():
            file.writestr(zipfile.ZipInfo(name), data)
    weights.unlink()
    return {**facts, "writer": said["writer"]}
