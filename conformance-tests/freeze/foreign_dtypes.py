"""Every dtype that a layout has and that the other files lack, and both orders of bytes where a layout has both."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from foreign_common import SMALL, Json, built, hdf5_of, row, trained
from foreign_keras import archive_of
from foreign_torch import bits

from triptych_conformance._spelling import spelled

TORCH = (
    "bool", "uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "bfloat16", "float32", "float64", "complex64",
    "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz",
)
"""PyTorch's dtypes, which are named as in the specification."""


def one_of_each() -> dict[str, Any]:
    """A tensor of each dtype, no two of whose elements have the same bits."""
    import torch

    found = {}
    for index, name in enumerate(TORCH):
        dtype = getattr(torch, name)
        size = torch.empty(0, dtype=dtype).element_size()
        data = torch.tensor([(0x11 * (index % 3 + 1) + 7 * at) % 96 if name != "bool" else at % 2 for at in range(3 * size)], dtype=torch.uint8)
        found[name] = data.view(dtype)
    return found


def said(tensors: dict[str, Any]) -> Json:
    """The tensors as the suite spells them."""
    return {name: bits(one) for name, one in sorted(tensors.items())}


@row
def torch_dtypes(folder: Path) -> Json:
    """A state dictionary with a tensor of each dtype."""
    import torch

    torch.save(one_of_each(), folder / "model.pt")
    return {"writer": f"PyTorch {torch.__version__}", "tensors": said(one_of_each())}


@row
def torch_big_endian(folder: Path) -> Json:
    """A state dictionary as a machine writes it whose most significant byte comes first; PyTorch has read it here as the same tensors."""
    import torch

    tensors = {name: one for name, one in one_of_each().items() if name in {"bool", "int8", "int16", "float32", "float64", "bfloat16"}}
    plain = io.BytesIO()
    torch.save(tensors, plain)
    with zipfile.ZipFile(plain) as given, zipfile.ZipFile(folder / "model.pt", "w") as file:
        keys = {f"archive/data/{index}": one.element_size() for index, one in enumerate(tensors.values())}
        for name in given.namelist():
            data = given.read(name)
            if name in keys:
                data = np.frombuffer(data, f"<u{keys[name]}").byteswap().tobytes()
            file.writestr(zipfile.ZipInfo(name), b"big" if name == "archive/byteorder" else data)
    loaded = torch.load(folder / "model.pt", weights_only=True)
    assert said(loaded) == said(tensors)
    return {"writer": f"PyTorch {torch.__version__}, the bytes of each element turned round", "tensors": said(tensors)}


@row
def safetensors_dtypes(folder: Path) -> Json:
    """A tensor of each dtype in safetensors."""
    import safetensors
    from safetensors.torch import save_file

    tensors = one_of_each()
    save_file(tensors, folder / "model.safetensors")
    return {"writer": f"safetensors {safetensors.__version__}", "tensors": said(tensors)}


@row
def checkpoint_dtypes(folder: Path) -> Json:
    """A variable of each dtype that TensorFlow saves."""
    import tensorflow as tf
    from foreign_tensorflow import checkpoint_of

    names = [name for name in TORCH if name not in {"float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz"}]
    arrays = one_of_each()
    import torch

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name in names:
            data = arrays[name].view(torch.uint8).numpy().tobytes()
            tf.compat.v1.get_variable(name, initializer=tf.constant(np.frombuffer(data, tf.as_dtype(name).as_numpy_dtype)), use_resource=True)
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(folder / "model"), write_meta_graph=False, write_state=False)
    return {"writer": f"TensorFlow {tf.__version__}, Saver of version 1", "tensors": said({name: arrays[name] for name in names}), "seen": checkpoint_of(folder / "model")}


@row
def numpy_dtypes(folder: Path) -> Json:
    """An array of each dtype that numpy has by itself, in either order of bytes."""
    names = [name for name in TORCH if "float8" not in name and name != "bfloat16"]
    arrays = one_of_each()
    import torch

    plain = {name: np.frombuffer(arrays[name].view(torch.uint8).numpy().tobytes(), np.dtype(name).newbyteorder("<")) for name in names}
    np.savez(folder / "model.npz", **{name: one.astype(one.dtype.newbyteorder(">")) if index % 2 else one for index, (name, one) in enumerate(plain.items())})
    return {"writer": f"NumPy {np.__version__}", "tensors": said({name: arrays[name] for name in names})}


def halved(folder: Path, name: str) -> Json:
    """A model of Keras 3 in bfloat16, for which HDF5 has no type."""
    import keras as k

    def build(k: Any) -> Any:
        return k.Sequential([k.layers.Input((3,), name="x"), k.layers.Dense(2, dtype="bfloat16", name="out")], name="net")

    model = built(k, build)
    model.save(folder / name)
    arrays = dict(zip(SMALL, model.get_weights(), strict=True))
    return {"writer": f"Keras {k.__version__}", "tensors": {name: {**spelled(one.view("uint16")), "dtype": "bfloat16"} for name, one in arrays.items()}}


@row
def archive_bfloat16(folder: Path) -> Json:
    """An archive of a model in bfloat16."""
    return {**halved(folder, "model.keras"), "seen": archive_of(folder / "model.keras")}


@row
def hdf5_bfloat16(folder: Path) -> Json:
    """HDF5 of a model in bfloat16."""
    return {**halved(folder, "model.h5"), "seen": hdf5_of(folder / "model.h5")}


@row
def hdf5_padded(folder: Path) -> Json:
    """Convolutions of every padding, strides along each axis, and statistics whose order is not that of their names."""
    import tf_keras as k

    def build(k: Any) -> Any:
        layers = k.layers
        return k.Sequential([
            layers.Input((4, 5, 1), name="image"), layers.Conv2D(2, (2, 3), strides=(1, 2), padding="same", name="same"), layers.BatchNormalization(name="norm"),
            layers.DepthwiseConv2D((3, 2), depth_multiplier=2, padding="valid", name="valid"), layers.Conv2DTranspose(2, (2, 3), padding="same", name="up"),
            layers.ZeroPadding2D(((1, 0), (0, 2)), name="zeros"), layers.GlobalAveragePooling2D(name="mean"),
        ], name="net")

    names = ("same.kernel", "same.bias", "norm.gamma", "norm.beta", "norm.moving_mean", "norm.moving_variance", "valid.kernel", "valid.bias", "up.kernel", "up.bias")
    model = built(k, build)
    facts = trained(model, names)
    model.save(folder / "model.h5", save_format="h5")
    return {"writer": f"tf-keras {k.__version__}", **facts, "seen": hdf5_of(folder / "model.h5")}
