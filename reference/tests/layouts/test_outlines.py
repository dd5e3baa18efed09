"""What a layout says beforehand that it will store is what other programs find in the file, for every layout that is written."""

import zipfile

import h5py
import numpy as np
import pytest
import safetensors

import triptych
from triptych.layouts import LAYOUTS
from triptych.model import Component, Loss, Progress, Training, Weights
from triptych.surface.saving import outline

TARGETS = [(one.name, suffix) for one in LAYOUTS if one.name != "tfjs" for suffix in one.suffixes or ("",)]


@pytest.fixture
def trained(dense):
    """A model with an optimizer that has begun."""
    model = dense(4, 2)
    state = {f"optimizer.{slot}.{name}": array for slot in ("momentum", "velocity") for name, array in model.weights.items()}
    training = Training(
        Component("Adam", {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}), (Loss("MeanSquaredError"),), progress=Progress(step=3), state=Weights.from_arrays(state)
    )
    return triptych.Model(model.panels.__class__(model.architecture, model.weights, training))


def of_hdf5(file):
    found = {}
    with h5py.File(file) as opened:
        opened.visititems(lambda name, item: found.update({name: item.shape}) if isinstance(item, h5py.Dataset) else None)
    return found


def of_pytorch(path):
    import torch

    def walk(value, keys):
        if isinstance(value, torch.Tensor):
            yield ".".join(keys), tuple(value.shape)
        elif isinstance(value, dict | list):
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                yield from walk(item, (*keys, str(key)))

    return dict(walk(torch.load(path, weights_only=True), ()))


def of_safetensors(path):
    with safetensors.safe_open(path, "np") as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - it is no mapping


def of_distributed_pytorch(path):
    from torch.distributed.checkpoint import FileSystemReader

    about = FileSystemReader(path).read_metadata()
    shapes = {name: tuple(one.size) for name, one in about.state_dict_metadata.items() if hasattr(one, "size")}
    return {(where.relative_path, index.fqn): shapes[index.fqn] for index, where in about.storage_data.items() if index.fqn in shapes}


def of_tensorflow(prefix):
    import tensorflow as tf

    shapes = tf.train.load_checkpoint(str(prefix)).get_variable_to_shape_map()
    return {name: tuple(shape) for name, shape in shapes.items() if name != "_CHECKPOINTABLE_OBJECT_GRAPH"}


def found_in(path):
    """(member, name) -> shape, as the libraries of the formats see it."""
    if (path / "saved_model.pb").is_file():
        return {("variables/variables", name): shape for name, shape in of_tensorflow(path / "variables" / "variables").items()}
    if (path / ".metadata").is_file():
        return of_distributed_pytorch(path)
    if path.is_dir() and (arrays := sorted(path.rglob("*.npy"))):
        return {(str(one.relative_to(path)), str(one.relative_to(path))): np.load(one).shape for one in arrays}
    if path.is_dir():
        return {(one.name, name): shape for one in sorted(path.glob("*.safetensors")) for name, shape in of_safetensors(one).items()}
    if path.suffix in (".json", ".yaml", ".yml"):
        return {(one.name, name): shape for one in sorted(path.parent.glob("*.h5")) for name, shape in of_hdf5(one).items()}
    if path.suffix in (".h5", ".hdf5"):
        found = of_hdf5(path)
    elif path.suffix in (".pt", ".pth"):
        found = of_pytorch(path)
    elif path.suffix == ".npz":
        with np.load(path) as arrays:
            found = {f"{name}.npy": array.shape for name, array in arrays.items()}
    elif path.suffix == ".safetensors":
        found = of_safetensors(path)
    elif path.suffix == ".ckpt":
        found = of_tensorflow(path)
    else:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith((".h5", ".safetensors"))]
            archive.extractall(path.parent / "members", names)
        return {(one, name): shape for one in names for name, shape in (of_hdf5 if one.endswith(".h5") else of_safetensors)(path.parent / "members" / one).items()}
    return {("", name): shape for name, shape in found.items()}


@pytest.mark.parametrize("options", [{}, {"only": "weights"}], ids=["all", "weights"])
@pytest.mark.parametrize(("layout", "suffix"), TARGETS)
def test_an_outline_is_what_the_file_will_hold(trained, tmp_path, layout, suffix, options):
    if options and (layout in ("keras-archive", "saved-model") or layout.startswith("architecture")):
        with pytest.raises(triptych.UsageError):
            outline(trained.panels, tmp_path / f"m{suffix}", layout=layout, **options)
        return
    said = outline(trained.panels, tmp_path / f"m{suffix}", layout=layout, **options)
    assert list(tmp_path.iterdir()) == []
    notes = triptych.save(trained, tmp_path / f"m{suffix}", layout=layout, **options)
    assert tuple(said.notes) == notes
    assert {(one.member, one.name): one.tensor.shape for one in said.stored} == found_in(tmp_path / f"m{suffix}")


@pytest.mark.parametrize("suffix", ["", ".triptych", ".weights.json"])
def test_an_outline_says_which_shard_holds_what(trained, tmp_path, suffix):
    said = outline(trained.panels, tmp_path / f"m{suffix}", max_shard_bytes=64)
    triptych.save(trained, tmp_path / f"m{suffix}", max_shard_bytes=64)
    assert len({one.member for one in said.stored}) > 2
    assert {(one.member, one.name): one.tensor.shape for one in said.stored} == found_in(tmp_path / f"m{suffix}")


@pytest.mark.parametrize("layout", [one for one in LAYOUTS if one.name == "tfjs"], ids=lambda one: one.name)
def test_a_layout_that_is_not_written_has_no_outline_either(dense, tmp_path, layout):
    with pytest.raises(triptych.UsageError, match="that is written"):
        layout.outline(dense(4).panels, tmp_path / "m")
