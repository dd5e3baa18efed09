"""SavedModel directories that nobody vouches for: a declared error with code and place, in bounded time and memory, and nothing run."""

import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

import triptych
from triptych.errors import TriptychError
from triptych.layouts.tensorflow import messages
from triptych.layouts.tensorflow.bundle import write_bundle
from triptych.model import Tensor

ARCHIVE = Path(__file__).parents[2] / "fixtures" / "saved_models" / "tensorflow-2.15.1.zip"


@pytest.fixture
def folder(tmp_path):
    """A genuine directory of a Keras model, to be damaged."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(tmp_path, [name for name in archive.namelist() if name.startswith("graph/")])
    return tmp_path / "graph"


def written(path, *graphs, **files):
    """A directory with a SavedModel of `graphs`."""
    path.mkdir(exist_ok=True)
    (path / "saved_model.pb").write_bytes(messages.to_bytes(messages.new("SavedModel", saved_model_schema_version=1, meta_graphs=graphs)))
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


def graph(*nodes, functions=(), tags=("serve",), **fields):
    library = messages.new("FunctionLibrary", function=[messages.new("Function", signature=messages.new("OpDef", name=name), node_def=list(inside)) for name, inside in functions])
    return messages.new("MetaGraph", meta_info_def=messages.new("MetaInfo", tags=tags), graph_def=messages.new("Graph", node=nodes, library=library), **fields)


def node(op, name="n", *inputs, calls=None, **attributes):
    found = dict(attributes) | ({"f": messages.new("Attr", func=messages.new("NameAttrList", name=calls))} if calls else {})
    return messages.new("Node", name=name, op=op, input=inputs, attr=found)


def constant(name, shape, **content):
    dims = [messages.new("Dim", size=extent) for extent in shape]
    return node("Const", name, value=messages.new("Attr", tensor=messages.new("Tensor", dtype=1, tensor_shape=messages.new("Shape", dim=dims), **content)))


def problem_of(path):
    with pytest.raises(TriptychError) as caught:
        model = triptych.load(path)
        for array in model.weights.values():
            array.tobytes()
    return caught.value.problems[0].code, caught.value.problems[0].place


def operations_of(path):
    told = triptych.load(path).panels.extensions["tensorflow"]["saved_model"]
    return {one["op"]: (one["effect"], one["count"], one["nodes"]) for one in told.get("operations", ())}


@pytest.mark.parametrize("name", ["saved_model.pb", "keras_metadata.pb", "variables/variables.index", "fingerprint.pb"])
def test_a_file_that_ends_early_or_has_a_flipped_bit_is_refused_or_read_whole(folder, name):
    content = (folder / name).read_bytes()
    whole = {key: array.tobytes() for key, array in triptych.load(folder).weights.items()}
    step = max(1, len(content) // 25)
    for position in range(0, len(content), step):
        for damaged in (content[:position], content[:position] + bytes([content[position] ^ 0x10]) + content[position + 1 :]):
            (folder / name).write_bytes(damaged)
            try:
                found = triptych.load(folder)
                arrays = {key: array.tobytes() for key, array in found.weights.items()}
            except TriptychError as error:
                assert error.problems[0].place
                assert error.problems[0].code.startswith("LAYOUT_")
            else:
                # Hashes, notes, spellings of names, configuration: what does not say where a tensor is.
                assert set(arrays.values()) <= set(whole.values())


def test_a_flipped_bit_of_a_tensor_is_found_when_it_is_read(folder):
    (data,) = folder.glob("variables/variables.data-*")
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    with pytest.raises(triptych.InvalidModelError, match="checksum"):
        model = triptych.load(folder)
        [array for state in (model.weights, model.training.state) for array in state.values()]


def test_missing_files_are_named(folder):
    (data,) = folder.glob("variables/variables.data-*")
    content = data.read_bytes()
    data.unlink()
    assert "variables" in str(problem_of(folder)[1]) or "variables" in str(problem_of(folder))
    data.write_bytes(content)
    (folder / "variables" / "variables.index").unlink()
    assert problem_of(folder) == ("LAYOUT_WEIGHTS_MISMATCH", "variables/variables.index")


def test_a_graph_of_more_than_a_million_nodes_is_refused_before_it_is_walked(tmp_path):
    nodes = b"\x0a\x00" * 1_000_001
    inside = b"\x12" + varint(len(nodes)) + nodes
    (tmp_path / "saved_model.pb").write_bytes(b"\x12" + varint(len(inside)) + inside)
    start = time.process_time()
    assert problem_of(tmp_path) == ("LAYOUT_UNSUPPORTED", "saved_model.pb, graph 0")
    assert time.process_time() - start < 10


def varint(number):
    found = b""
    while number > 0x7F:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


@pytest.mark.parametrize(
    "content",
    [b"", b"\x12\xff\xff\xff\xff\x0f\x0a", b"\x12" + b"\xff" * 10 + b"\x01", b"\x12\x80", b"\x13", b"\x12\x02\x12\x7f", b"\x12\x06\x12\x00\x12\x00\x12\x00", b"\x10\x05", b"<html>", b"\x12\x04\x2a\x02\x0a\x7f"],
    ids=["nothing", "a length beyond", "eleven bytes", "half a length", "a group", "a graph beyond", "three graphs in one", "no graph", "a page", "a signature beyond"],
)
def test_what_is_no_message_is_refused_with_its_place(tmp_path, content):
    (tmp_path / "saved_model.pb").write_bytes(content)
    code, place = problem_of(tmp_path)
    assert code in ("LAYOUT_INVALID", "LAYOUT_TRUNCATED")
    assert place.startswith("saved_model.pb")


def test_functions_that_call_themselves_are_looked_through_once(tmp_path):
    circle = [("f", [node("PartitionedCall", "a", calls="g")]), ("g", [node("PartitionedCall", "b", calls="f"), node("SaveV2", "s"), node("WriteFile", "w")])]
    saver = messages.new("Saver", save_tensor_name="save:0", restore_op_name="save")
    path = written(tmp_path / "m", graph(node("PartitionedCall", "save", calls="f"), functions=circle, saver_def=saver))
    assert operations_of(path) == {"WriteFile": ("writes files", 1, ["g/w"])}


def test_saving_is_named_unless_the_graph_is_asked_to_save(tmp_path):
    nodes = [node("SaveV2", "save/SaveV2"), node("Identity", "save/done", "^save/SaveV2"), node("RestoreV2", "elsewhere"), node("f", "call")]
    saver = messages.new("Saver", save_tensor_name="save/done:0")
    path = written(tmp_path / "m", graph(*nodes, functions=[("f", [node("SaveV2", "hidden")])], saver_def=saver))
    assert operations_of(path) == {"RestoreV2": ("reads files", 1, ["elsewhere"]), "SaveV2": ("writes files", 1, ["f/hidden"])}


@pytest.mark.parametrize(
    ("op", "effect"),
    [("EagerPyFunc", "calls Python"), ("PyFunc", "calls Python"), ("PrintV2", "prints"), ("ReadFile", "reads files"), ("MatchingFiles", "reads files"), ("LoadAndRemapMatrix", "reads files"), ("WriteFile", "writes files"), ("RpcCall", "reaches other machines"), ("XlaCallModule", "runs a program of another compiler"), ("Addons>Shell", "is no operation of TensorFlow")],
)
def test_operations_that_reach_outside_are_named_with_their_nodes(tmp_path, op, effect):
    path = written(tmp_path / "m", graph(node("MatMul", "y"), functions=[("inside", [node(op, "there")])]))
    assert operations_of(path) == {op: (effect, 1, ["inside/there"])}
    assert f"operation {op}, which {effect}: 'inside/there'" in triptych.load(path).notes


def test_a_constant_that_declares_more_than_it_holds_is_named_and_not_made(tmp_path):
    held = np.arange(4, dtype="<f4")
    nodes = [constant("huge", (1 << 20, 1 << 20), float_val=[1.0]), constant("kept", (2, 2), tensor_content=held.tobytes()), constant("nothing", (2, 2), float_val=[])]
    model = triptych.load(written(tmp_path / "m", graph(*nodes)))
    np.testing.assert_array_equal(model.weights["kept"], held.reshape(2, 2))
    assert list(model.weights) == ["kept"]
    assert "constants of the graph that repeat one value: 'huge', 'nothing'" in model.notes
    assert problem_of(written(tmp_path / "n", graph(constant("long", (2,), tensor_content=held.tobytes())))) == ("LAYOUT_INVALID", "saved_model.pb, graph 0, node 'long'")
    assert problem_of(written(tmp_path / "o", graph(constant("less", (-1, 2), float_val=[1.0]))))[0] == "LAYOUT_INVALID"


@pytest.mark.parametrize("child", [7, -1])
def test_a_reference_to_an_object_that_is_not_there_is_refused(tmp_path, child):
    objects = messages.new("SavedObjectGraph", nodes=[messages.new("SavedObject", children=[messages.new("ObjectReference", node_id=child, local_name="x")])])
    assert problem_of(written(tmp_path / "m", graph(object_graph_def=objects))) == ("LAYOUT_INVALID", "saved_model.pb, graph 0, object_graph_def, object 0")


def test_what_keras_says_must_be_of_objects_that_are_there_and_not_deep(folder):
    def said(number, text):
        (folder / "keras_metadata.pb").write_bytes(messages.to_bytes(messages.new("KerasMetadata", nodes=[messages.new("KerasObject", node_id=number, metadata=text)])))
        return problem_of(folder)

    assert said(10**6, "{}") == ("LAYOUT_INVALID", "keras_metadata.pb")
    assert said(0, "{" * 10) == ("LAYOUT_INVALID", "keras_metadata.pb, object 0")
    assert said(0, '{"a":' * 150_000) == ("LAYOUT_INVALID", "keras_metadata.pb, object 0")
    assert said(0, json.dumps({"a": deep(500)})) == ("LAYOUT_UNSUPPORTED", "keras_metadata.pb, object 0")


def deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


def test_assets_stay_inside_and_links_are_not_followed(tmp_path):
    outside = tmp_path / "secret"
    outside.write_text("secret")
    path = written(tmp_path / "m", graph(asset_file_def=[messages.new("AssetFile", filename="../../secret")]))
    assert problem_of(path) == ("LAYOUT_INVALID", "saved_model.pb, graph 0, asset_file_def")
    path = written(tmp_path / "n", graph())
    (path / "assets").mkdir()
    (path / "assets" / "words.txt").symlink_to(outside)
    (path / "assets" / "kept.txt").write_text("kept")
    model = triptych.load(path)
    assert list(model.panels.assets) == ["assets/kept.txt"]
    assert "'assets/words.txt': a link or a special file" in model.notes
    (path / "variables").symlink_to(tmp_path)
    assert problem_of(path) == ("LAYOUT_UNSUPPORTED", "'variables'")


def test_a_text_of_a_model_means_what_its_bytes_mean_and_is_refused_where_it_is_none(tmp_path):
    (tmp_path / "saved_model.pbtxt").write_text('meta_graphs { meta_info_def { tags: "serve" } graph_def { node { name: "f" op: "ReadFile" attr { key: "T" value { type: DT_FLOAT_REF } } } } saver_def { version: V2 } }')
    assert operations_of(tmp_path) == {"ReadFile": ("reads files", 1, ["f"])}
    (tmp_path / "saved_model.pbtxt").write_text("meta_graphs { " * 200)
    assert problem_of(tmp_path)[0] == "LAYOUT_INVALID"


WATCHED = """
import sys
seen = []
def watch(event, args):
    if event.startswith(("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.system", "os.fork", "ctypes.")) or (event == "open" and "w" in str(args[1])):
        seen.append((event, str(args)[:80]))
import triptych, numpy, ml_dtypes, google.protobuf
triptych.load(sys.argv[1]).notes
before = set(sys.modules)
sys.addaudithook(watch)
model = triptych.load(sys.argv[1])
arrays = [array.sum() for array in model.weights.values()]
model.notes
print(seen, sorted(set(sys.modules) - before), [name for name in sys.modules if name.split(".")[0] in ("tensorflow", "keras", "tf_keras")])
"""


def test_reading_imports_no_framework_starts_nothing_and_calls_nobody(tmp_path):
    nodes = [node("PyFunc", "p"), node("ReadFile", "r"), node("Unknown>Op", "u")]
    path = written(tmp_path / "m", graph(*nodes))
    (path / "variables").mkdir()
    write_bundle(path / "variables" / "variables", [("w", Tensor.from_array(np.ones(3, "float32")))])
    found = subprocess.run([sys.executable, "-c", WATCHED, str(path)], capture_output=True, text=True, env=os.environ, check=True)
    assert found.stdout.strip() == "[] [] []"
