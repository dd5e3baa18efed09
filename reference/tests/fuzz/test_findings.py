"""What fuzzing found in the reference, each with an input that shows it: a declared error today."""

import io
import json
import struct
import zipfile

import h5py
import numpy as np
import pytest

import triptych
from triptych.checkpoints import state
from triptych.errors import MESSAGE_LIMIT, Findings, InvalidModelError, Problem, TriptychError, TruncatedError, UnsupportedError
from triptych.layouts import hub, keras_hdf5, numpy_arrays, safetensors_weights, tf_checkpoint, torch_pickle
from triptych.layouts.keras_v3 import reader
from triptych.layouts.keras_weights.step_count import counted
from triptych.layouts.numpy_arrays.header import parse
from triptych.layouts.tensorflow.state_file import read_state
from triptych.layouts.torch_distributed import metadata
from triptych.layouts.zip_archive import ZipArchive
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Tensor
from triptych.package.safetensors_file import read_header


def zipped(path, **members):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "/").replace("_", "."), content)
    return path


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32-le"])
def test_a_safetensors_header_is_in_utf_8(encoding):
    """Python's JSON parser guesses the encoding of bytes: what safetensors cannot read was read."""
    text = json.dumps({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}).encode(encoding)
    findings = Findings()
    with pytest.raises(InvalidModelError):
        read_header(memoryview(struct.pack("<Q", len(text)) + text + b"\0"), findings)
        findings.raise_if_any()


def npy(text, content, version=b"\1\0"):
    return memoryview(b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text.encode() + content)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("{'descr': '<f4', 'descr': '<i4', 'fortran_order': False, 'shape': (1,), }\n", b"\1\0"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (L,), }\n", b"\1\0"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1), }\n", b"\1\0"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (01,), }\n", b"\1\0"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (" + "9" * 5000 + ",), }\n", b"\1\0"),
        ("f() or {'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n", b"\1\0"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}\n", b"\1\0"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n", b"\1\1"),
    ],
)
def test_a_header_that_numpy_does_not_read_so_is_not_read(text, version):
    data = npy(text, bytes(4), version)
    with pytest.raises(UnsupportedError):
        parse(data, "a.npy", DEFAULT_LIMITS)


@pytest.mark.parametrize("array", [np.ones(1, ">f4"), np.ones((2, 3), "i1", order="F"), np.array(1.5), np.zeros((0, 2), "?")])
def test_what_numpy_writes_is_read_still(array):
    target = io.BytesIO()
    np.save(target, array)
    assert parse(memoryview(target.getvalue()), "a.npy", DEFAULT_LIMITS).shape == array.shape


def test_a_member_without_a_name_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr(zipfile.ZipInfo(""), b"a")
    with pytest.raises(InvalidModelError):
        ZipArchive(tmp_path / "a.npz", DEFAULT_LIMITS)
    with pytest.raises(InvalidModelError):
        numpy_arrays.read(tmp_path / "a.npz")


def test_the_version_of_a_torch_archive_is_in_ascii_digits(tmp_path):
    with pytest.raises(UnsupportedError, match="version"):
        torch_pickle.read(zipped(tmp_path / "a.pt", a__data_pkl=b"}.", a__version="\u00b2".encode(), a__byteorder=b"little"))


@pytest.mark.parametrize(("name", "error"), [("m.pt", TruncatedError), ("pytorch_model.bin", TruncatedError), ("m.safetensors", TruncatedError)])
def test_an_empty_file_is_cut_short(tmp_path, name, error):
    (tmp_path / name).write_bytes(b"")
    read = {".pt": torch_pickle.read, ".bin": lambda path: hub.read(path.parent), ".safetensors": safetensors_weights.LAYOUT.read}[(tmp_path / name).suffix]
    with pytest.raises(error):
        read(tmp_path / name)


def test_the_sizes_in_a_tar_archive_are_octal(tmp_path):
    head = bytearray(512)
    head[:6], head[124:135], head[156:157], head[257:263] = b"pickle", b"00000000009", b"0", b"ustar\0"
    head[148:156] = b" " * 8
    head[148:156] = f"{sum(head):06o}\0 ".encode()
    (tmp_path / "m.pt").write_bytes(bytes(head) + bytes(1024))
    with pytest.raises(InvalidModelError):
        torch_pickle.read(tmp_path / "m.pt")


SCALING = {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform"}


@pytest.mark.parametrize(
    "config",
    [
        {"units": 1, "kernel_initializer": {"class_name": "VarianceScaling", "config": {**SCALING, "seed": True}}},
        {"units": 1, "name": "e\u0301"},
        {"output_dim": 1, "W_regularizer": {"name": "L1L2Regularizer", "l1": "x"}},
        {"output_dim": 1, "W_constraint": {"name": "maxnorm", "m": "x"}},
    ],
)
def test_what_is_read_from_keras_is_a_document_that_can_be_read(config):
    text = json.dumps({"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"name": "d", "batch_input_shape": [None, 2], **config}}]})
    model = triptych.model_from_json(text)
    again = triptych.model_from_json(model.to_json())
    assert json.loads(again.to_json(dialect="keras")) == json.loads(model.to_json(dialect="keras"))


DENSE = {"class_name": "Dense", "config": {"name": "d", "units": 1, "batch_input_shape": [None, 2]}}


def with_a_call(*call, version):
    layers = [
        {"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_input_shape": [None, 2], "dtype": "float32"}, "inbound_nodes": []},
        {"class_name": "TFOpLambda", "name": "f", "config": {"name": "f", "function": "math.subtract"}, "inbound_nodes": [[*call]]},
    ]
    return {"class_name": "Functional", "keras_version": version, "config": {"name": "m", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [["x", 0, 0]]}}


@pytest.mark.parametrize(
    "model",
    [
        {"class_name": "Sequential", "config": {"name": "\na", "layers": [DENSE]}},
        {"class_name": "Sequential", "config": {"layers": [DENSE, {"class_name": "Sequential", "config": {"name": "\na", "layers": [{**DENSE, "name": "e"}]}}]}},
        *(
            {"class_name": "Sequential", "config": {"layers": [DENSE, {"class_name": name, "config": config}]}}
            for name, config in [("x" * 300, {"name": "e"}), ("Own", {"name": "e", "x" * 5000: 1}), ("x>", {}), ("Conv2D", {"name": "d", "filters": 1, "kernel_size": [3, 3]})]
        ),
        {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {**DENSE["config"], "activation": {"class_name": "Flatten", "config": {"name": "f"}}}}]}},
        {"class_name": "Sequential", "config": {"layers": [{"class_name": "Bidirectional", "config": {"name": "b", "batch_input_shape": [None, 5, 3], "layer": DENSE}}]}},
        with_a_call("_CONSTANT_VALUE", -1, {"y": 1}, version="2.4.0"),
        with_a_call("x", 0, 0, {"y": 2.0}, version="2.3.1"),
    ],
)
def test_what_no_document_says_is_kept_in_one_that_can_be_read(model):
    """Names that none of ours can be, layers that fit no type of ours: an extension type holds them, or the text."""
    found = triptych.model_from_json(json.dumps(model))
    again = triptych.model_from_json(found.to_json())
    assert json.loads(again.to_json(dialect="keras")) == model


def test_an_edit_at_an_index_of_thousands_of_digits_fails_as_any_that_does_not_hold():
    from triptych.layouts.keras_config import edits

    for at in ("/" + "9" * 5000, "/" + "9" * 5000 + "/a", "/\u00b2"):
        assert edits.apply([1], [{"at": at, "from": 1, "to": 2}])[0] == [1]


def test_keys_of_an_optimizer_that_are_no_numbers_stay_text():
    from triptych.layouts.torch_distributed.nesting import with_optimizers

    for key in ("\u00b2", "9" * 5000):
        assert list(with_optimizers({"param_groups": [{"params": [0]}], "state": {key: {}}})["state"]) == [key]




@pytest.mark.parametrize("flag", [0x1, 0x20, 0x40])
def test_a_member_that_is_encrypted_or_a_patch_is_refused(tmp_path, flag):
    data = bytearray(zipped(tmp_path / "a.npz", a_npy=bytes(npy("", b""))).read_bytes())
    data[6] |= flag
    data[data.index(b"PK\x01\x02") + 8] |= flag
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(UnsupportedError, match="encrypted"):
        numpy_arrays.read(tmp_path / "a.npz")


def test_what_is_wrong_with_a_text_is_said_in_a_few_words(tmp_path):
    (tmp_path / "checkpoint").write_text("a {" * 5000)
    with pytest.raises(InvalidModelError) as caught:
        read_state(tmp_path)
    assert len(caught.value.problems[0].message) < 500


NAMES = ["a\0", "\ud800", "x" * 300, "\u00e9" * 200]
"""Of files that no file system has: `os.lstat` raises ValueError for the first two, and `Path.is_file` OSError for the others."""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("index", "read"), [("model.safetensors.index.json", hub.read), ("pytorch_model.bin.index.json", hub.read), ("m.weights.json", reader.read_weights)])
def test_the_name_of_a_shard_is_one_that_a_file_can_have(tmp_path, index, read, name):
    ending = {"model": ".safetensors", "pytorch_model": ".bin"}.get(index.partition(".")[0], ".weights.h5")
    (tmp_path / index).write_text(json.dumps({"metadata": {}, "weight_map": {"a": name + ending}}))
    with pytest.raises((InvalidModelError, UnsupportedError), match="expected"):
        read(tmp_path if read is hub.read else tmp_path / index)


@pytest.mark.parametrize("name", [*NAMES[2:], "x" * 240, "a/" * 600 + "b", "/" + "x" * 300])
def test_the_prefix_in_a_state_file_is_one_that_files_can_have(tmp_path, name):
    (tmp_path / "checkpoint").write_text(f'model_checkpoint_path: "{name}"\n')
    with pytest.raises(InvalidModelError, match="in the folder of its state file"):
        tf_checkpoint.read(tmp_path)


def test_names_on_their_way_out_come_in_one_order():
    """They were written in the order of their letters, and read in the file's."""
    text = b'{"format": "triptych-checkpoints", "format_version": "1.0", "checkpoints": [], "retiring": ["step-2", "step-1"]}'
    assert state.from_bytes(text).retiring == ("step-1", "step-2")


def test_an_escape_that_python_does_not_know_is_no_warning(tmp_path):
    """protobuf has Python decode what stands in quotes, and Python warns, which is an error where warnings are."""
    (tmp_path / "checkpoint").write_bytes(b'model_checkpoint_path: "C\\:ckpt"\n')
    assert read_state(tmp_path).latest == "C\\:ckpt"


@pytest.mark.parametrize("value", [np.complex64(3), np.array([3]), np.float32("nan"), np.float64(2.5), np.int64(-1)])
def test_a_step_count_is_one_whole_number(value):
    """numpy warns of a complex one and drops half of it."""
    assert counted(Tensor.from_array(np.asarray(value))) is None


@pytest.mark.parametrize("reserved", [0, 0xFE])
def test_free_space_of_a_local_heap_that_leads_to_itself_is_refused(tmp_path, reserved):
    """libhdf5 1.14.6 takes memory for each step, 23 GiB and more."""
    with h5py.File(tmp_path / "m.h5", "w", userblock_size=512) as file:
        file["a" * 20] = file["b" * 20] = np.ones(1)
        del file["a" * 20]
    data = bytearray((tmp_path / "m.h5").read_bytes())
    head = data.index(b"HEAP")
    free, content = (int.from_bytes(data[head + at : head + at + 8], "little") for at in (16, 24))
    at = 512 + content + free
    data[at : at + 8] = free.to_bytes(8, "little")
    data[head + 7] = reserved
    (tmp_path / "m.h5").write_bytes(data)
    with pytest.raises(InvalidModelError, match=f"it comes back to {free} in the local heap at {head}"):
        keras_hdf5.read(tmp_path / "m.h5")


@pytest.mark.parametrize(("offset", "value", "fault"), [(16, None, "comes back to"), (5, 1, "expected children of level 0|expected each child once")])
def test_a_tree_whose_node_is_its_own_neighbour_or_child_is_refused(tmp_path, offset, value, fault):
    """libhdf5 1.14.6 walks along such a row for ever."""
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["a"] = np.ones(1)
    data = bytearray((tmp_path / "m.h5").read_bytes())
    node = data.index(b"TREE")
    if value is None:
        data[node + offset : node + offset + 8] = node.to_bytes(8, "little")
    else:
        data[node + offset], data[node + 32 : node + 40] = value, node.to_bytes(8, "little")
    (tmp_path / "m.h5").write_bytes(data)
    with pytest.raises(InvalidModelError, match=fault):
        keras_hdf5.read(tmp_path / "m.h5")


def test_an_index_maps_names_of_digits_to_files_too(tmp_path):
    """The schema validator spells such a name as a number: what it said of the member was lost, and a dict taken for a name."""
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {"9223372036854775808": {"a": 1}}}')
    with pytest.raises(InvalidModelError) as raised:
        hub.read(tmp_path)
    assert [(problem.requirement, problem.place) for problem in raised.value.problems] == [("WGT-013", "model.safetensors.index.json#/weight_map/9223372036854775808")]


@pytest.mark.parametrize(("module", "name"), [("p" * 5000, "load"), ("os", "l" * 5000)])
def test_the_refusal_of_a_call_with_a_long_name_ends(module, name):
    """It said the name again at its end, where nothing cut it."""
    data = f"\x80\x02c{module}\n{name}\n)R.".encode("latin-1")
    with pytest.raises(TriptychError) as raised:
        metadata.parse(memoryview(data), ".metadata")
    (problem,) = raised.value.problems
    assert len(problem.message) <= 700
    assert problem.message.startswith("expected data, got a call")


def test_a_message_has_a_limit_whoever_makes_it():
    assert len(Problem("LAYOUT_INVALID", "", "m.h5", "x" * 10_000).message) == MESSAGE_LIMIT
