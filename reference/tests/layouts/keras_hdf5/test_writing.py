"""What is written, and what is named as not kept."""

import h5py
import numpy as np
import pytest

import triptych
from triptych.errors import ConversionError, SaveError
from triptych.layouts.keras_hdf5 import reader, writer
from triptych.model import Architecture, Input, Layer, Panels, Tensor, WeightReference, Weights


def test_transposed_weights_are_turned_to_keras_order(tmp_path):
    """A model that came from PyTorch stores [out, in]; Keras gets [in, out]."""
    stored = np.arange(6, dtype="float32").reshape(3, 2)
    layer = Layer("fc", "Dense", {"units": 3, "use_bias": False}, weights={"kernel": WeightReference("fc.weight", axes=(1, 0))})
    panels = Panels(architecture=Architecture((layer,), (Input("x", (None, 2)),)), weights=Weights.from_arrays({"fc.weight": stored}))
    assert writer.write(panels, tmp_path / "a.h5") == ()
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file["model_weights/fc/fc/kernel:0"][()], stored.T)


def test_a_missing_weight_is_named_and_nothing_is_written(tmp_path):
    panels = Panels(architecture=Architecture((Layer("d", "Dense", {"units": 2}),), (Input("x", (None, 2)),)), weights=Weights({}))
    with pytest.raises(ConversionError, match=r"'d\.kernel' is missing"):
        writer.write(panels, tmp_path / "a.h5")
    assert list(tmp_path.iterdir()) == []


def test_dtypes_that_keras_does_not_store_are_refused_and_the_old_file_stands(tmp_path):
    target = tmp_path / "a.h5"
    target.write_bytes(b"old")
    panels = Panels(weights=Weights({"a": Tensor("float8_e5m2", (2,), lambda: memoryview(b"ab"))}))
    with pytest.raises(ConversionError, match="float8_e5m2"):
        writer.write(panels, target)
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


def test_a_full_disk_leaves_the_old_file(tmp_path):
    from triptych.package.files import FileSystem

    class Full(FileSystem):
        def rename_new(self, source, target):
            raise OSError(28, "No space left on device")

        exchange = rename_new

    target = tmp_path / "a.h5"
    target.write_bytes(b"old")
    with pytest.raises(SaveError):
        writer.write(Panels(weights=Weights.from_arrays({"d.kernel": np.zeros(3, "float32")})), target, fs=Full())
    assert target.read_bytes() == b"old"


def test_weights_that_nobody_ordered_say_so(tmp_path):
    notes = writer.write(Panels(weights=Weights.from_arrays({"d.kernel": np.zeros((1, 2), "float32"), "d.bias": np.zeros(2, "float32")})), tmp_path / "a.h5")
    assert [note.split(":")[0] for note in notes] == ["the order of layers"]
    assert set(reader.read(tmp_path / "a.h5").weights) == {"d.kernel", "d.bias"}


def test_bfloat16_goes_out_as_the_two_bytes_that_keras_writes(tmp_path):
    import ml_dtypes

    values = np.asarray([1.5, -2.0], ml_dtypes.bfloat16)
    writer.write(Panels(weights=Weights.from_arrays({"d.bias": values})), tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["d/d/bias:0"].dtype == np.dtype("V2")
    np.testing.assert_array_equal(reader.read(tmp_path / "a.h5").weights["d.bias"], values)


def test_the_same_model_gives_the_same_bytes(examples_file, tmp_path):
    for name in ("a.h5", "b.h5"):
        triptych.save(triptych.load(examples_file), tmp_path / name)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_a_file_can_be_written_onto_itself(examples_file, tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(examples_file.read_bytes())
    model = triptych.load(path)
    kernel = model.weights["dense_1.kernel"].copy()
    triptych.save(model, path)
    np.testing.assert_array_equal(model.weights["dense_1.kernel"], kernel)
    np.testing.assert_array_equal(triptych.load(path).weights["dense_1.kernel"], kernel)


def test_other_attributes_come_back_and_other_groups_are_named(examples_file, tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(examples_file.read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["author"] = "somebody"
        file.attrs["epochs"] = 40
        file["model_weights"].attrs["note"] = "inside"
        file.create_group("extra")["x"] = np.zeros(2)
    panels = reader.read(path)
    assert writer.write(panels, tmp_path / "b.h5") == ("/extra of the HDF5 file that was read",)
    with h5py.File(tmp_path / "b.h5") as file:
        assert (file.attrs["author"], file.attrs["epochs"]) == ("somebody", 40)
        assert file["model_weights"].attrs["note"] in ("inside", b"inside")


def test_weights_beside_a_configuration_that_is_missing_stay_where_they_are(examples_file, tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(examples_file.read_bytes())
    with h5py.File(path, "r+") as file:
        del file.attrs["model_config"], file.attrs["training_config"], file["optimizer_weights"]
    panels = reader.read(path)
    assert panels.architecture is None
    writer.write(panels, tmp_path / "b.h5")
    with h5py.File(tmp_path / "b.h5") as file:
        assert file["model_weights/dense_2/dense_2/bias:0"].shape == (10,)
        assert list(file.attrs) == ["backend", "keras_version"]


def test_progress_counts_every_byte(examples_file, tmp_path):
    calls = []
    writer.write(reader.read(examples_file), tmp_path / "a.h5", progress=lambda done, total, what: calls.append((done, total)))
    assert calls[-1][0] == calls[-1][1] == 25_962 * 4 + 2 * 25_930 * 4 + 8
