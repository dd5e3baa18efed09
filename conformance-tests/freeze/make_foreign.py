"""Has frameworks write files of their own layouts, and freezes the files with what the frameworks themselves say is in them.

``python conformance-tests/freeze/make_foreign.py [SLUG…]``. The files go into ``foreign.zip``; weights, the optimizer's slots and predictions, each asked
of the framework, into ``foreign.json``, with the version of the writer. The names of the weights are those of the specification, listed by hand in the
order of ``get_weights()``. What the documents of each model say is written by hand, too, in ``build_cases/_foreign_models.py``.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import numpy as np
from common import numbers

from triptych_conformance._spelling import spelled

Json = Any
ROWS: dict[str, Callable[[Path], Json]] = {}


def row(function: Callable[[Path], Json]) -> Callable[[Path], Json]:
    """Registers a function that writes one foreign file into a folder and says what is in it."""
    ROWS[function.__name__.replace("_", "-")] = function
    return function


def exact(model: Any) -> None:
    """Gives `model` weights that are exact in any format, variances positive."""
    values = [numbers(f"{model.name} {index}", array.shape, step=1 / 8) for index, array in enumerate(model.get_weights())]
    model.set_weights([np.abs(value) + 1 if "variance" in variable.name else value for value, variable in zip(values, model.weights, strict=True)])


def trained(model: Any, names: Sequence[str]) -> Json:
    """What Keras says of `model` after two steps: weights under `names`, slots of the optimizer, and what it predicts."""
    shapes = [(3, *one.shape[1:]) for one in model.inputs]
    inputs = [numbers(f"input {index}", shape) for index, shape in enumerate(shapes)]
    if getattr(model, "optimizer", None) is not None:
        targets = [numbers("target", (3, *one.shape[1:])) for one in model.outputs]
        for _ in range(2):
            model.train_on_batch(inputs if len(inputs) > 1 else inputs[0], targets if len(targets) > 1 else targets[0])
    return {**kept(model, names), **predicted(model, inputs), "loaded": loaded(model)}


def loaded(model: Any) -> Json:
    """What the framework has to say of the model once it was loaded from a file: every array in its own order."""
    optimizer = getattr(model, "optimizer", None)
    said: Json = {"weights": [spelled(array) for array in model.get_weights()]}
    if optimizer is not None:
        variables = optimizer.variables() if callable(optimizer.variables) else optimizer.variables
        said |= {"optimizer": type(optimizer).__name__, "variables": [spelled(np.asarray(one)) for one in variables]}
    return said


def predicted(model: Any, inputs: Sequence[Any]) -> Json:
    """What `model` predicts, by the names of its outputs."""
    yielded = model.predict_on_batch(list(inputs) if len(inputs) > 1 else inputs[0])
    arrays = yielded if isinstance(yielded, list) else [yielded]
    return {
        "inputs": [spelled(one) for one in inputs],
        "outputs": {name: spelled(np.asarray(one)) for name, one in zip(model.output_names, arrays, strict=True)},
    }


def kept(model: Any, names: Sequence[str]) -> Json:
    """The weights of `model` under `names`, the order of ``get_weights()``, and the slots of its optimizer."""
    weights = dict(zip(names, model.get_weights(), strict=True))
    by_variable = {id(variable): name for variable, name in zip(model.weights, names, strict=True)}
    optimizer = getattr(model, "optimizer", None)
    state: dict[str, Json] = {}
    for slot, attribute in (("momentum", "_momentums"), ("momentum", "momentums"), ("velocity", "_velocities")):
        for variable, value in zip(model.trainable_variables, getattr(optimizer, attribute, None) or (), strict=False):
            state[f"optimizer.{slot}.{by_variable[id(variable)]}"] = spelled(np.asarray(value))
    step = int(np.asarray(optimizer.iterations)) if optimizer is not None else None
    return {"tensors": {name: spelled(array) for name, array in weights.items()}, "state": dict(sorted(state.items())), **({} if step is None else {"step": step})}


# --- models, for any Keras

GRAPH = ("shared.kernel", "shared.bias", "inner.inside.kernel", "inner.inside.bias", "out.kernel", "out.bias")
SEQUENCE = ("conv.kernel", "conv.bias", "norm.gamma", "norm.beta", "norm.moving_mean", "norm.moving_variance", "out.kernel", "out.bias")
SMALL = ("out.kernel", "out.bias")


def graph(k: Any) -> Any:
    """A layer that is called twice, and a model inside."""
    layers = k.layers
    first, second = layers.Input((2,), name="first"), layers.Input((2,), name="second")
    shared = layers.Dense(3, activation="relu", name="shared")
    inner = k.Sequential([layers.Input((3,), name="x"), layers.Dense(2, name="inside")], name="inner")
    both = layers.Concatenate(name="both")([inner(shared(first)), shared(second)])
    return k.Model([first, second], layers.Dense(1, name="out")(both), name="net")


def sequence(k: Any) -> Any:
    """One layer after the other: moving statistics between trained weights, and layers without weights."""
    layers = k.layers
    return k.Sequential(
        [
            layers.Input((3, 3, 1), name="image"), layers.Conv2D(2, 2, name="conv"), layers.BatchNormalization(name="norm"), layers.Flatten(name="flat"),
            layers.Dense(2, activation="softmax", name="out"),
        ],
        name="net",
    )


def small(k: Any) -> Any:
    """One layer."""
    return k.Sequential([k.layers.Input((3,), name="x"), k.layers.Dense(2, name="out")], name="net")


def hdf5_of(path: Path) -> Json:
    """What h5py sees in the file."""
    import h5py

    from triptych_conformance._inspect_h5py import look

    return look(h5py, {"path": str(path)})


@row
def hdf5_keras2_graph(folder: Path) -> Json:
    """A whole model of tf-keras, trained with its new Adam."""
    import tf_keras as k

    k.backend.clear_session()
    model = graph(k)
    exact(model)
    model.compile(k.optimizers.Adam(0.25), loss="mse")
    facts = trained(model, GRAPH)
    model.save(folder / "model.h5", save_format="h5")
    return {"writer": f"tf-keras {k.__version__}", **facts, "seen": hdf5_of(folder / "model.h5")}


def changed(folder: Path, change: Callable[[Any], None], build: Callable[[Any], Any] = small, names: Sequence[str] = SMALL) -> Json:
    """A file of tf-keras that was changed with h5py: `change` gets the open file."""
    import h5py
    import tf_keras as k

    k.backend.clear_session()
    model = build(k)
    exact(model)
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
    def change(file: Any) -> None:
        group = file["model_weights/out/out"]
        del group["bias:0"]
        group.create_dataset("bias:0", (2,), "<f4", external=[("/etc/hostname", 0, 8)])

    return changed(folder, change)


@row
def hdf5_weights_alone(folder: Path) -> Json:
    """Weights without the model."""
    import tf_keras as k

    k.backend.clear_session()
    model = sequence(k)
    exact(model)
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


def archive(rows: Mapping[str, Mapping[str, bytes]]) -> bytes:
    """The files of all rows in one ZIP file, the same bytes for the same files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for slug, members in sorted(rows.items()):
            for name, data in sorted(members.items()):
                file.writestr(zipfile.ZipInfo(f"{slug}/{name}"), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def main(wanted: Sequence[str]) -> None:
    """Asks for the rows that are `wanted`, all of them if none is named, and keeps what is there of others."""
    facts: dict[str, Json] = json.loads((HERE / "foreign.json").read_bytes()) if (HERE / "foreign.json").is_file() else {}
    files: dict[str, dict[str, bytes]] = {}
    if (HERE / "foreign.zip").is_file():
        with zipfile.ZipFile(HERE / "foreign.zip") as kept_files:
            for name in kept_files.namelist():
                slug, _, member = name.partition("/")
                files.setdefault(slug, {})[member] = kept_files.read(name)
    for slug in wanted or ROWS:
        with tempfile.TemporaryDirectory() as folder:
            facts[slug] = ROWS[slug](Path(folder))
            files[slug] = {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}
        print(slug, {name: len(data) for name, data in files[slug].items()})
    facts, files = {slug: facts[slug] for slug in sorted(ROWS)}, {slug: files[slug] for slug in ROWS}
    (HERE / "foreign.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    (HERE / "foreign.zip").write_bytes(archive(files))


if __name__ == "__main__":
    main(sys.argv[1:])
