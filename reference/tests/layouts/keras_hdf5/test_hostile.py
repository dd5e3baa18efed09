"""HDF5 files that nobody vouches for: a precise error or the right content, never anything else, and nothing outside the file."""

import json
import os
import resource
import subprocess
import sys

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


def test_a_file_cut_anywhere_gives_an_error(examples_file, tmp_path):
    whole = examples_file.read_bytes()
    path = tmp_path / "cut.h5"
    path.write_bytes(whole)
    with path.open("r+b") as file:  # from behind, so that a cut is all there is to do
        for size in [len(whole) - 1, *range(len(whole) // 4096 * 4096, 4096, -4096), *range(4096, -1, -1)]:
            file.truncate(size)
            with pytest.raises(TriptychError):
                reader.read(path)


def test_a_cut_file_is_said_to_be_truncated(examples_file, tmp_path):
    path = tmp_path / "cut.h5"
    path.write_bytes(examples_file.read_bytes()[:-100])
    with pytest.raises(TruncatedError):
        triptych.load(path)


def read_all(path):
    """Whatever is in the file, or an error of ours."""
    try:
        panels = reader.read(path)
        for tensor in (panels.weights.tensors if panels.weights is not None else {}).values():
            tensor.read()
    except TriptychError as error:
        return str(error)
    return ""


def outside_arrays(path):
    """Positions of the bytes that are no element of an array."""
    with h5py.File(path) as file:
        size = file.id.get_filesize()
        free = np.ones(size, bool)

        def visit(_, item):
            if isinstance(item, h5py.Dataset) and item.id.get_offset() is not None:
                free[item.id.get_offset() : item.id.get_offset() + item.id.get_storage_size()] = False

        file.visititems(visit)
    return np.flatnonzero(free)


def test_flipped_bytes_give_a_model_or_an_error_of_ours_and_take_no_memory(examples_file, tmp_path):
    whole = examples_file.read_bytes()
    places = outside_arrays(examples_file)
    generator = np.random.default_rng(5)
    path = tmp_path / "flipped.h5"
    read_all(examples_file)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(150):
        damaged = bytearray(whole)
        for position in generator.choice(places, size=4):
            damaged[position] = generator.choice([0, 1, 127, 255, generator.integers(0, 256)])
        path.write_bytes(damaged)
        read_all(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


HEAP_OBJECT = 16
"""Where the first object of a heap begins: number, count, four bytes of nothing, size."""


@pytest.mark.parametrize(("number", "size"), [(0, 0), (1, 2**64 - 16), (0, 8), (1, 2**32)])
def test_a_heap_that_leads_to_itself_is_refused(examples_file, tmp_path, number, size):
    """The first two made libhdf5 1.14.6 loop for ever: plain h5py still does."""
    damaged = bytearray(examples_file.read_bytes())
    at = damaged.index(b"GCOL") + HEAP_OBJECT
    damaged[at : at + 2] = number.to_bytes(2, "little")
    damaged[at + 8 : at + 16] = size.to_bytes(8, "little")
    (tmp_path / "a.h5").write_bytes(damaged)
    assert f"in the global heap at {at - HEAP_OBJECT}" in read_all(tmp_path / "a.h5")


def test_a_text_that_claims_more_than_there_is_takes_no_memory(examples_file, tmp_path):
    """libhdf5 1.14.6 takes the 2 GiB first and looks then."""
    whole = examples_file.read_bytes()
    with h5py.File(examples_file) as file:
        length = len(file.attrs["keras_version"])
    at = whole.index(b"keras_version")
    at = whole.index(length.to_bytes(4, "little") + whole.index(b"GCOL").to_bytes(8, "little"), at)
    (tmp_path / "a.h5").write_bytes(whole[:at] + (2**31).to_bytes(4, "little") + whole[at + 4 :])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "got one that claims 2147483648" in read_all(tmp_path / "a.h5")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


def test_texts_of_attributes_are_bounded_together(tmp_path):
    """A thousand references to one text of 100 KB: a bomb of attributes."""
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        file.attrs.create("layer_names", ["x" * 100_000] * 1000, dtype=h5py.string_dtype())
    (tmp_path / "b.h5").write_bytes((tmp_path / "a.h5").read_bytes())
    assert "bytes of attributes" in read_all(tmp_path / "b.h5")


@pytest.mark.parametrize("attributes", [3, 40])
def test_headers_of_the_latest_version_read_the_same(tmp_path, attributes):
    """Few attributes lie in the header and are read; many lie elsewhere, which no Keras ever wrote."""
    file, _ = weights_file(tmp_path / "a.h5", libver="latest", track_order=True)
    for number in range(attributes):
        file.attrs[f"note{number}"] = "a text of its own"
    file.close()
    assert (read_all(tmp_path / "a.h5") == "") == (attributes == 3)


def test_addresses_of_another_width_are_refused(tmp_path):
    plan = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    plan.set_sizes(4, 4)
    h5py.h5f.create(str(tmp_path / "a.h5").encode(), h5py.h5f.ACC_TRUNC, plan).close()
    assert code_of(tmp_path / "a.h5")[0] == "LAYOUT_UNSUPPORTED"


def test_links_in_circles_and_to_nothing_end(tmp_path):
    for name, add in {
        "itself": lambda group: group.__setitem__("again", group),
        "parent": lambda group: group.create_group("in").__setitem__("out", group),
        "dangling": lambda group: group.__setitem__("d/kernel:0", h5py.SoftLink("/nowhere")),
        "circle": lambda group: group.__setitem__("a", h5py.SoftLink(f"{group.name}/a")),
        "outside": lambda group: group.__setitem__("a", h5py.ExternalLink("a.h5", "/")),
    }.items():
        file, group = weights_file(tmp_path / f"{name}.h5", fill=name in ("itself", "parent"))
        add(group)
        file.close()
        assert ("hard links" in read_all(tmp_path / f"{name}.h5")) == (name in ("dangling", "circle", "outside"))


def test_nothing_but_the_file_is_opened(tmp_path):
    """What the files point to are pipes into which nobody writes: whoever opens one waits for ever. A hook sees what Python opens."""
    virtual = h5py.VirtualLayout((2, 3), "float32")
    virtual[:] = h5py.VirtualSource(tmp_path / "pipe", "x", (2, 3))
    for number, add in enumerate(
        (
            lambda group: group.create_dataset("d/kernel:0", (2, 3), "float32", external=[(str(tmp_path / "pipe"), 0, 24)]),
            lambda group: group.create_virtual_dataset("d/kernel:0", virtual),
            lambda group: group.create_group("d").__setitem__("kernel:0", h5py.ExternalLink(str(tmp_path / "pipe"), "/x")),
        )
    ):
        file, group = weights_file(tmp_path / f"{number}.h5", fill=False)
        add(group)
        file.close()
    os.mkfifo(tmp_path / "pipe")
    watched = """
import subprocess, sys
from triptych.errors import TriptychError
from triptych.layouts.keras_hdf5 import reader
import h5py, numpy
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event in ("open", "socket.connect", "subprocess.Popen") else None)
for path in sys.argv[1:]:
    try:
        panels = reader.read(path)
        [tensor.read() for tensor in panels.weights.tensors.values()]
        raise SystemExit("read")
    except TriptychError:
        pass
assert set(opened) <= {*sys.argv[1:]} | {name for name in opened if name.endswith((".py", ".pyc"))}, opened
"""
    command = [sys.executable, "-c", watched, *(str(tmp_path / f"{number}.h5") for number in range(3))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_json_text_of_the_configuration_may_be_encoded_twice(tmp_path, examples_file):
    path = tmp_path / "twice.h5"
    path.write_bytes(examples_file.read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(file.attrs["model_config"])
    assert triptych.load(path).architecture == triptych.load(examples_file).architecture
