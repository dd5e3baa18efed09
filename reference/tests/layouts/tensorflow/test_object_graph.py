"""Object graphs mean to us what they mean to TensorFlow, and come back as the same bytes."""

from dataclasses import replace

import pytest
import tensorflow as tf
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from triptych.errors import InvalidModelError, UnsupportedError
from triptych.layouts.tensorflow.object_graph import KEY, Attribute, Node, ObjectGraph, Slot, graph_bytes, key_of, read_graph, slot_key_of
from triptych.limits import DEFAULT_LIMITS

LOCAL_NAMES = ["kernel", "a.b", "c/d", "..", "e.Sf"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The graph of a checkpoint that TensorFlow wrote: odd names, an object held twice, a circle; and the keys of its tensors."""
    root = tf.train.Checkpoint(first=tf.Module())
    root.first.shared = tf.Variable([1.0, 2.0], name="named")
    root.again = root.first
    root.first.back = root
    for number, name in enumerate(LOCAL_NAMES):
        root.first._track_trackable(tf.Variable(float(number)), name)  # noqa: SLF001 - no attribute can have such a name
    prefix = root.write(str(tmp_path_factory.mktemp("graph") / "ck"))
    reader = tf.train.load_checkpoint(prefix)
    return reader.get_tensor(KEY), set(reader.get_variable_to_shape_map())


def test_a_graph_that_tensorflow_wrote_is_written_again_byte_for_byte(written):
    assert graph_bytes(read_graph(written[0])) == written[0]


def test_keys_follow_from_the_shortest_path(written):
    graph, keys = read_graph(written[0]), written[1]
    paths = graph.paths()
    ours = {key_of(paths[number]) for number, node in enumerate(graph.nodes) if node.value()}
    assert len(ours) == len(LOCAL_NAMES) + 1
    assert ours == keys - {KEY}
    assert {node.value().key for node in graph.nodes if node.value()} == ours


def test_an_object_that_holds_the_root_is_walked_once(written):
    graph = read_graph(written[0])
    assert graph.at(0, "first", "back", "first") == graph.at(0, "again") == graph.at(0, "first")
    assert graph.at(0, "first", "nowhere", "first") is None


def test_ways_end_where_the_caller_says(written):
    graph = read_graph(written[0])
    assert graph.paths(through=lambda _, name: name != "first")[graph.at(0, "first")] == ("again",)


def test_a_chain_without_end_is_refused_before_its_paths_are_made():
    chain = ObjectGraph(tuple(Node({"next": number + 1}) for number in range(100_000)) + (Node(),))
    with pytest.raises(UnsupportedError, match="steps"):
        chain.paths()


def test_the_key_of_a_slot_names_variable_and_optimizer():
    assert slot_key_of(("a", "b.c"), ("opt",), "m") == "a/b..c/.OPTIMIZER_SLOT/opt/m/.ATTRIBUTES/VARIABLE_VALUE"


def test_everything_of_a_graph_survives_being_written():
    value = Attribute("VARIABLE_VALUE", "a", "k/.ATTRIBUTES/VARIABLE_VALUE")
    graph = ObjectGraph((
        Node({"v": 1, "self": 0}, (), (Slot(1, "m", 2),), None, has_values=True),
        Node({}, (value,)),
        Node({}, (replace(value, name="other"),), (), ("Custom>saver", "me"), has_values=False),
    ))  # fmt: skip
    assert read_graph(graph_bytes(graph)) == graph
    theirs = TrackableObjectGraph.FromString(graph_bytes(graph))
    assert theirs.nodes[2].HasField("has_checkpoint_values")
    assert theirs.nodes[2].registered_saver.object_name == "me"
    assert not theirs.nodes[1].HasField("has_checkpoint_values")


def references(**fields):
    graph = TrackableObjectGraph()
    node = graph.nodes.add()
    for kind, added in fields.items():
        for one in added:
            getattr(node, kind).add(**one)
    return graph.SerializeToString()


BROKEN = {
    "no root": b"",
    "child beyond the end": references(children=[{"node_id": 1, "local_name": "a"}]),
    "negative child": references(children=[{"node_id": -1, "local_name": "a"}]),
    "slot of no object": references(slot_variables=[{"original_variable_node_id": 7, "slot_name": "m", "slot_variable_node_id": 0}]),
    "slot that is no object": references(slot_variables=[{"original_variable_node_id": 0, "slot_name": "m", "slot_variable_node_id": 9}]),
    "one name for two": references(children=[{"node_id": 0, "local_name": "a"}, {"node_id": 1, "local_name": "a"}]) + b"\x0a\x00",
    "cut off": references(children=[{"node_id": 0, "local_name": "aaaaaaa"}])[:-3],
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_graph_is_refused_with_its_place(data):
    with pytest.raises(InvalidModelError) as caught:
        read_graph(data)
    assert caught.value.problems[0].place.startswith(KEY)


def test_a_million_objects_are_refused_before_they_are_made():
    with pytest.raises(UnsupportedError, match="objects"):
        read_graph(b"\x0a\x00" * 1_000_000)


def test_limits_on_bytes_and_references_are_the_callers():
    data = references(children=[{"node_id": 0, "local_name": str(number)} for number in range(20)])
    assert len(read_graph(data).nodes[0].children) == 20
    with pytest.raises(UnsupportedError, match="references"):
        read_graph(data, limits=replace(DEFAULT_LIMITS, values=19))
    with pytest.raises(UnsupportedError, match="bytes"):
        read_graph(data, limits=replace(DEFAULT_LIMITS, document_bytes=10))
