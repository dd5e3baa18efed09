"""One model with every kind of weight that a converter may mistake for another, windows, statistics, gates, in each layout; and one in every width of numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import numbers
from foreign_common import Json, built, hdf5_of, row, trained
from foreign_dtypes import one_of_each, said
from foreign_keras import archive_of
from foreign_tensorflow import checkpoint_of

from triptych_conformance._spelling import spelled

KINDS = (
    "same.kernel", "same.bias", "norm.gamma", "norm.beta", "norm.moving_mean", "norm.moving_variance",
    "cell.kernel", "cell.recurrent_kernel", "cell.bias", "out.kernel", "out.bias",
)
SHAPES = ((2, 3, 1, 2), (2,), (2,), (2,), (2,), (2,), (6, 8), (2, 8), (8,), (2, 2), (2,))
ARRAYS = {name: numbers(f"kinds {name}", shape) for name, shape in zip(KINDS, SHAPES, strict=True)}
WIDTHS = ("brain.kernel", "brain.bias", "half.kernel", "half.bias", "wide.kernel", "wide.bias")


def kinds(k: Any) -> Any:
    """A convolution under padding, a normalization, a cell with gates."""
    layers = k.layers
    return k.Sequential([
        layers.Input((4, 5, 1), name="image"), layers.Conv2D(2, (2, 3), strides=(1, 2), padding="same", name="same"), layers.BatchNormalization(name="norm"),
        layers.Reshape((4, 6), name="steps"), layers.LSTM(2, name="cell"), layers.Dense(2, name="out"),
    ], name="net")


def widths(k: Any) -> Any:
    """Three layers, each in a floating-point dtype of its own."""
    layers = k.layers
    return k.Sequential([layers.Input((3,), name="x"), *(layers.Dense(2, dtype=dtype, name=name) for name, dtype in (("brain", "bfloat16"), ("half", "float16"), ("wide", "float64")))], name="net")


def spelled_widths(model: Any) -> Json:
    """Its weights, of which numpy lacks a dtype."""
    arrays = [np.asarray(one) for one in model.get_weights()]
    return {name: {**spelled(one.view("uint16")), "dtype": "bfloat16"} if one.dtype.name == "bfloat16" else spelled(one) for name, one in zip(WIDTHS, arrays, strict=True)}


# --- the model of every kind; where a layout holds a training, after two steps


@row
def kinds_archive(folder: Path) -> Json:
    """An archive of Keras 3."""
    import keras as k

    model = built(k, kinds, loss="mean_squared_error")
    facts = trained(model, KINDS)
    model.save(folder / "model.keras")
    return {"writer": f"Keras {k.__version__}", **facts, "seen": archive_of(folder / "model.keras")}


@row
def kinds_weights(folder: Path) -> Json:
    """Weights of Keras 3 by object path."""
    import keras as k

    model = built(k, kinds)
    facts = trained(model, KINDS)
    model.save_weights(folder / "model.weights.h5")
    return {"writer": f"Keras {k.__version__}", **facts, "seen": hdf5_of(folder / "model.weights.h5"), "json": model.to_json()}


@row
def kinds_checkpoint(folder: Path) -> Json:
    """A checkpoint of tf-keras."""
    import tf_keras as k

    model = built(k, kinds, loss="mse")
    facts = trained(model, KINDS)
    model.save_weights(folder / "model")
    (folder / "checkpoint").unlink()
    return {"writer": f"tf-keras {k.__version__}", **facts, "seen": checkpoint_of(folder / "model"), "json": model.to_json()}


@row
def kinds_saved_model(folder: Path) -> Json:
    """A SavedModel of tf-keras, without the graphs of its layers."""
    import tf_keras as k

    model = built(k, kinds, loss="mse")
    facts = trained(model, KINDS)
    model.save(folder / "model", save_format="tf", save_traces=False)
    return {"writer": f"tf-keras {k.__version__}", **facts}


PARTS = (
    "bound.layer.embeddings", "bound.vector_u",
    *(f"groups.{one}_{role}" for one in ("query", "key", "value", "output") for role in ("kernel", "bias")),
    *(f"both.{way}.{role}" for way in ("forward", "backward") for role in ("kernel", "recurrent_kernel", "bias")),
    *(f"stack.cell.cell_{index}.{role}" for index in (0, 1) for role in ("kernel", "recurrent_kernel", "bias")), "out.kernel", "out.bias",
)


@row
def kinds_parts(folder: Path) -> Json:
    """Layers that consist of parts, by object path, with what Keras 3 calls each of them."""
    import keras as k

    def build(k: Any) -> Any:
        layers = k.layers
        ids = layers.Input((4,), dtype="int32", name="ids")
        x = layers.SpectralNormalization(layers.Embedding(5, 4), name="bound")(ids)
        x = layers.GroupQueryAttention(3, 2, 1, name="groups")(x, x)
        x = layers.Bidirectional(layers.LSTM(2, return_sequences=True), name="both")(x)
        return k.Model(ids, layers.Dense(1, name="out")(layers.RNN([layers.LSTMCell(2), layers.GRUCell(2)], name="stack")(x)), name="net")

    model = built(k, build)
    arrays = {name: spelled(one) for name, one in zip(PARTS, model.get_weights(), strict=True)}
    model.save_weights(folder / "model.weights.h5")
    return {"writer": f"Keras {k.__version__}", "tensors": arrays, "seen": hdf5_of(folder / "model.weights.h5")}


# --- its weights as arrays alone, under their names


def facts(writer: str) -> Json:
    """What was written, by `writer`."""
    return {"writer": writer, "tensors": {name: spelled(one) for name, one in ARRAYS.items()}}


def state() -> dict[str, Any]:
    """The weights as tensors of PyTorch."""
    import torch

    return {name: torch.tensor(one) for name, one in ARRAYS.items()}


@row
def kinds_torch(folder: Path) -> Json:
    """A state dictionary."""
    import torch

    torch.save(state(), folder / "model.pt")
    return facts(f"PyTorch {torch.__version__}")


def distributed(folder: Path, tensors: dict[str, Any]) -> str:
    """A distributed checkpoint of one process; who wrote it."""
    import torch
    import torch.distributed.checkpoint as dcp

    dcp.save({"model": tensors}, checkpoint_id=folder / "model", no_dist=True)
    return f"PyTorch {torch.__version__}"


@row
def kinds_distributed(folder: Path) -> Json:
    """A distributed checkpoint."""
    return facts(distributed(folder, state()))


@row
def kinds_safetensors(folder: Path) -> Json:
    """A file of safetensors."""
    import safetensors
    from safetensors.numpy import save_file

    save_file(ARRAYS, folder / "model.safetensors")
    return facts(f"safetensors {safetensors.__version__}")


@row
def kinds_numpy(folder: Path) -> Json:
    """An archive of arrays."""
    np.savez(folder / "model.npz", **ARRAYS)
    return facts(f"NumPy {np.__version__}")


def hub(folder: Path, save: Callable[[Path], None]) -> str:
    """A folder with a configuration beside the weights; who wrote it."""
    import safetensors

    (folder / "model").mkdir()
    save(folder / "model" / "model.safetensors")
    (folder / "model" / "config.json").write_text(json.dumps({"model_type": "example"}) + "\n", encoding="utf-8")
    return f"safetensors {safetensors.__version__}"


@row
def kinds_hub(folder: Path) -> Json:
    """A folder of a model hub."""
    from safetensors.numpy import save_file

    return facts(hub(folder, lambda path: save_file(ARRAYS, path, metadata={"format": "pt"})))


# --- every dtype, where the other files have few


@row
def distributed_dtypes(folder: Path) -> Json:
    """A distributed checkpoint with a tensor of each dtype."""
    return {"writer": distributed(folder, one_of_each()), "tensors": said(one_of_each())}


@row
def hub_dtypes(folder: Path) -> Json:
    """A folder of a model hub with a tensor of each dtype."""
    from safetensors.torch import save_file

    return {"writer": hub(folder, lambda path: save_file(one_of_each(), path, metadata={"format": "pt"})), "tensors": said(one_of_each())}


def keras3(folder: Path, name: str) -> Json:
    """The model of three widths as Keras 3 saves it under `name`."""
    import keras as k

    model = built(k, widths)
    (model.save_weights if name.endswith(".weights.h5") else model.save)(folder / name)
    return {"writer": f"Keras {k.__version__}", "tensors": spelled_widths(model), "seen": (archive_of if name.endswith(".keras") else hdf5_of)(folder / name)}


@row
def widths_hdf5(folder: Path) -> Json:
    """HDF5 of Keras 3."""
    return keras3(folder, "model.h5")


@row
def widths_archive(folder: Path) -> Json:
    """An archive of Keras 3."""
    return keras3(folder, "model.keras")


@row
def widths_weights(folder: Path) -> Json:
    """Weights of Keras 3 by object path."""
    return keras3(folder, "model.weights.h5")


@row
def widths_saved_model(folder: Path) -> Json:
    """A SavedModel of tf-keras, and what its signature yields."""
    import tf_keras as k

    model = built(k, widths)
    model.save(folder / "model", save_format="tf", save_traces=False)
    given = numbers("widths input", (3, 3))
    return {
        "writer": f"tf-keras {k.__version__}", "tensors": spelled_widths(model), "inputs": [spelled(given)],
        "outputs": {"wide": spelled(np.asarray(model.predict_on_batch(given)))},
    }
