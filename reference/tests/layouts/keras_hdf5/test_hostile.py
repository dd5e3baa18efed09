"""HDF5 files that nobody vouches for: a precise error or the right content, never anything else, and nothing outside the file."""

import json
import re

import h5py
import numpy as np
import pytest

import triptych
from triptych.errors import InvalidModelError, TriptychError, TruncatedError, UnsupportedError
from triptych.layouts.keras_hdf5 import reader

KERNEL = np.arange(6, dtype="float32").reshape(2, 3)


def weights_file(path, *, names=("d/kernel:0",), layer="d", fill=True, **options):
    """A weights file of one layer, and its group."""
    file = h5py.File(path, "w", **options)
    file.attrs["layer_names"] = [layer.encode()]
    file.attrs["backend"] = b"tensorflow"
    file.attrs["keras_version"] = b"2.10.0"
    group = file.create_group(layer)
    group.attrs["weight_names"] = [name.encode() for name in names]
    if fill:
        for name in names:
            group.create_dataset(name, data=KERNEL)
    return file, group


def code_of(path):
    with pytest.raises(TriptychError) as caught:
        panels = reader.read(path)
        for name in panels.weights:
            panels.weights[name]
    return caught.value.problems[0].code, caught.value.problems[0].place


def test_an_external_link_is_refused(tmp_path):
    file, group = weights_file(tmp_path / "a.h5", fill=False)
    group.create_group("d")["kernel:0"] = h5py.ExternalLink("/etc/passwd", "/x")
    file.close()
    assert code_of(tmp_path / "a.h5") == ("LAYOUT_UNSUPPORTED", "/d/d/kernel:0")


def test_a_soft_link_is_refused(tmp_path):
    file, group = weights_file(tmp_path / "a.h5", fill=False)
    group.create_group("d")["kernel:0"] = h5py.SoftLink("/elsewhere")
    file.close()
    assert code_of(tmp_path / "a.h5") == ("LAYOUT_UNSUPPORTED", "/d/d/kernel:0")


def test_external_storage_is_refused(tmp_path):
    (tmp_path / "secret").write_bytes(KERNEL.tobytes())
    file, group = weights_file(tmp_path / "a.h5", fill=False)
    group.create_dataset("d/kernel:0", (2, 3), "float32", external=[(str(tmp_path / "secret"), 0, 24)])
    file.close()
    assert code_of(tmp_path / "a.h5") == ("LAYOUT_UNSUPPORTED", "/d/d/kernel:0")


def test_a_virtual_dataset_is_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = KERNEL
    file, group = weights_file(tmp_path / "a.h5", fill=False)
    layout = h5py.VirtualLayout((2, 3), "float32")
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "x", (2, 3))
    group.create_virtual_dataset("d/kernel:0", layout)
    file.close()
    assert code_of(tmp_path / "a.h5") == ("LAYOUT_UNSUPPORTED", "/d/d/kernel:0")


def test_a_group_that_holds_itself_is_walked_once(tmp_path):
    file, group = weights_file(tmp_path / "a.h5")
    group["self"] = group
    group["d/up"] = file["/"]
    file.close()
    np.testing.assert_array_equal(reader.read(tmp_path / "a.h5").weights["d.kernel"], KERNEL)


@pytest.mark.parametrize("options", [{}, {"chunks": (64, 64), "compression": "gzip"}])
def test_an_array_that_declares_more_than_is_stored_is_refused(tmp_path, options):
    file, group = weights_file(tmp_path / "a.h5", fill=False)
    group.create_dataset("d/kernel:0", (1 << 20, 1 << 10), "float32", **options)
    file.close()
    assert code_of(tmp_path / "a.h5") == ("LAYOUT_UNSUPPORTED", "/d/d/kernel:0")


def test_a_filter_that_a_plugin_would_bring_is_refused(tmp_path):
    file, group = weights_file(tmp_path / "a.h5", fill=False)
    group.create_dataset("d/kernel:0", data=KERNEL, chunks=(2, 3), compression="lzf")
    file.close()
    assert code_of(tmp_path / "a.h5") == ("LAYOUT_UNSUPPORTED", "/d/d/kernel:0")


@pytest.mark.parametrize(
    "options",
    [
        {"chunks": (1, 2)},
        {"chunks": (2, 3), "compression": "gzip", "shuffle": True, "fletcher32": True},
        {"dtype": ">f4"},
        {"dtype": ">f4", "chunks": (2, 2)},
        {"maxshape": (None, 3)},
    ],
)
def test_other_storage_and_byte_order_read_the_same(tmp_path, options):
    file, group = weights_file(tmp_path / "a.h5", fill=False)
    group.create_dataset("d/kernel:0", data=KERNEL, **options)
    file.close()
    tensor = reader.read(tmp_path / "a.h5").weights.tensor("d.kernel")
    assert (tensor.dtype, tensor.shape) == ("float32", (2, 3))
    assert bytes(tensor.read()) == KERNEL.tobytes()


def test_compact_storage_reads_the_same(tmp_path):
    file, group = weights_file(tmp_path / "a.h5", fill=False)
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_layout(h5py.h5d.COMPACT)
    inner = group.create_group("d")
    dataset = h5py.h5d.create(inner.id, b"kernel:0", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((2, 3)), plan)
    dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, KERNEL)
    file.close()
    np.testing.assert_array_equal(reader.read(tmp_path / "a.h5").weights["d.kernel"], KERNEL)


def test_a_file_with_a_user_block_reads_the_same(tmp_path):
    file, _ = weights_file(tmp_path / "a.h5", userblock_size=512)
    file.close()
    np.testing.assert_array_equal(reader.read(tmp_path / "a.h5").weights["d.kernel"], KERNEL)


@pytest.mark.parametrize("dtype", ["float16", "float64", "int8", "int64", "uint16", "bool", "complex64"])
def test_dtypes_are_kept(tmp_path, dtype):
    file, group = weights_file(tmp_path / "a.h5", fill=False)
    values = KERNEL.astype(dtype)
    group.create_dataset("d/kernel:0", data=values)
    file.close()
    panels = reader.read(tmp_path / "a.h5")
    assert panels.weights.tensor("d.kernel").dtype == dtype
    np.testing.assert_array_equal(panels.weights["d.kernel"], values)


def test_two_opaque_bytes_are_a_bfloat16(tmp_path):
    import ml_dtypes

    file, group = weights_file(tmp_path / "a.h5", fill=False)
    group.create_dataset("d/kernel:0", data=KERNEL.astype(ml_dtypes.bfloat16).view("V2"))
    file.close()
    panels = reader.read(tmp_path / "a.h5")
    assert panels.weights.tensor("d.kernel").dtype == "bfloat16"
    np.testing.assert_array_equal(panels.weights["d.kernel"].astype("float32"), KERNEL)


@pytest.mark.parametrize("value", ["text", np.array([[b"a"]]), np.arange(3), 5.0])
def test_names_that_are_no_list_of_texts_are_refused(tmp_path, value):
    file, group = weights_file(tmp_path / "a.h5")
    group.attrs["weight_names"] = value
    file.close()
    assert code_of(tmp_path / "a.h5")[0] == "LAYOUT_INVALID"


def test_a_weight_listed_twice_tells_of_a_save_that_failed(tmp_path):
    file, group = weights_file(tmp_path / "a.h5")
    group.attrs["weight_names"] = [b"d/kernel:0", b"d/kernel:0"]
    file.close()
    assert code_of(tmp_path / "a.h5") == ("LAYOUT_INVALID", "/d@weight_names")


def test_a_name_that_leads_nowhere_or_out_of_its_group_is_refused(tmp_path):
    for number, name in enumerate((b"d/missing:0", b"../d/d/kernel:0", b"/d/d/kernel:0", b"d/./kernel:0", b"")):
        path = tmp_path / f"{number}.h5"
        file, group = weights_file(path)
        group.attrs["weight_names"] = [name]
        file.close()
        assert code_of(path)[0] == "LAYOUT_INVALID"


def test_hdf5_that_is_no_keras_file_is_unsupported(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = KERNEL
    with pytest.raises(UnsupportedError, match="expected a Keras model"):
        reader.read(tmp_path / "a.h5")


def test_configuration_that_is_no_json_object_is_refused(tmp_path):
    for text in ("{", "[1]", "3", "[" * 100_000, '{"class_name": "Sequential"}', '{"class_name": "Sequential", "config": 7}'):
        file, _ = weights_file(tmp_path / "a.h5")
        file.attrs["model_config"] = text.encode()
        file.close()
        with pytest.raises(TriptychError):
            reader.read(tmp_path / "a.h5")


def test_a_file_cut_anywhere_gives_an_error_or_the_whole_content(examples_file, tmp_path):
    whole = examples_file.read_bytes()
    path = tmp_path / "cut.h5"
    for size in [*range(0, 16384, 512), *range(16384, len(whole), 16384), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(TriptychError):
            triptych.load(path).weights["dense_1.kernel"]


def test_a_cut_file_is_said_to_be_truncated(examples_file, tmp_path):
    path = tmp_path / "cut.h5"
    path.write_bytes(examples_file.read_bytes()[:-100])
    with pytest.raises(TruncatedError):
        triptych.load(path)


def test_flipped_bytes_give_a_model_or_an_error_of_ours(examples_file, tmp_path):
    """Outside the global heap, that is: damaged there, libhdf5 1.14.6 can loop for ever, which only a process of its own can stop."""
    whole = bytearray(examples_file.read_bytes())
    heap = re.compile(rb"GCOL....(.{8})", re.DOTALL)
    heaps = [range(m.start(), m.start() + int.from_bytes(m[1], "little")) for m in heap.finditer(whole)]
    assert heaps
    generator = np.random.default_rng(5)
    path = tmp_path / "flipped.h5"
    for _ in range(120):
        damaged = bytearray(whole)
        for position in generator.integers(0, 16000, size=4):
            if not any(position in heap for heap in heaps):
                damaged[position] = generator.integers(0, 256)
        path.write_bytes(damaged)
        try:
            model = triptych.load(path)
            for name in model.weights or ():
                model.weights[name]
        except (TriptychError, InvalidModelError):
            pass


def test_json_text_of_the_configuration_may_be_encoded_twice(tmp_path, examples_file):
    path = tmp_path / "twice.h5"
    path.write_bytes(examples_file.read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(file.attrs["model_config"])
    assert triptych.load(path).architecture == triptych.load(examples_file).architecture
