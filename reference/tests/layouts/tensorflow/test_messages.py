"""Messages mean to us what they mean to TensorFlow's own classes, both ways."""

import pytest
from tensorflow.core.framework import attr_value_pb2, function_pb2, graph_pb2, node_def_pb2, tensor_pb2, tensor_shape_pb2, versions_pb2
from tensorflow.core.protobuf import fingerprint_pb2, saved_model_pb2, saver_pb2, tensor_bundle_pb2, trackable_object_graph_pb2

from triptych.errors import InvalidModelError
from triptych.layouts.tensorflow import messages

THEIRS = {
    "BundleHeader": tensor_bundle_pb2.BundleHeaderProto,
    "BundleEntry": tensor_bundle_pb2.BundleEntryProto,
    "TrackableObjectGraph": trackable_object_graph_pb2.TrackableObjectGraph,
    "SavedModel": saved_model_pb2.SavedModel,
    "Fingerprint": fingerprint_pb2.FingerprintDef,
    "Tensor": tensor_pb2.TensorProto,
    "Shape": tensor_shape_pb2.TensorShapeProto,
    "Versions": versions_pb2.VersionDef,
    "Saver": saver_pb2.SaverDef,
    "Graph": graph_pb2.GraphDef,
    "Node": node_def_pb2.NodeDef,
    "Attr": attr_value_pb2.AttrValue,
    "Function": function_pb2.FunctionDef,
}


def disagreements(ours, theirs, seen):
    """Fields of `ours` that `theirs` numbers, types or repeats in another way, down to the last message inside."""
    if ours.full_name in seen:
        return
    seen.add(ours.full_name)
    for field in ours.fields:
        match = theirs.fields_by_name.get(field.name)
        if match is None:
            yield f"{theirs.full_name} has no field {field.name}"
            continue
        # An enum is an int32 on the wire, and reads and writes as one.
        kind = match.TYPE_INT32 if match.type == match.TYPE_ENUM else match.type
        if (field.number, field.type, field.is_repeated) != (match.number, kind, match.is_repeated):
            yield f"{theirs.full_name}.{field.name}"
        elif field.message_type is not None:
            yield from disagreements(field.message_type, match.message_type, seen)


@pytest.mark.parametrize("title", THEIRS)
def test_fields_are_numbered_and_typed_as_tensorflow_does(title):
    assert list(disagreements(messages.new(title).DESCRIPTOR, THEIRS[title].DESCRIPTOR, set())) == []


def test_an_attribute_that_is_zero_is_still_said():
    data = messages.to_bytes(messages.new("Node", name="a", op="Concat", input=["x", "y"], attr={"N": messages.new("Attr", i=0)}))
    theirs = node_def_pb2.NodeDef.FromString(data)
    assert theirs.attr["N"].WhichOneof("value") == "i"
    assert theirs.SerializeToString(deterministic=True) == data


@pytest.mark.parametrize("data", [b"\x0a\x05abc", b"\x0a\x02\xff\xfe", b"\xff" * 11], ids=["length", "no UTF-8", "varint"])
def test_bytes_that_are_no_message_are_refused_with_their_place(data):
    with pytest.raises(InvalidModelError) as caught:
        messages.parse("Node", data, "saved_model.pb")
    assert caught.value.problems[0].place == "saved_model.pb"


def test_nesting_without_end_is_refused():
    data = b""
    for _ in range(200):  # NodeDef.attr.value.func.attr …, as deep as it goes
        inner = b"\x0a\x01f" + b"\x12" + _varint(len(data)) + data if data else b"\x0a\x01f"
        attr = b"\x52" + _varint(len(inner)) + inner
        data = b"\x0a\x01k\x12" + _varint(len(attr)) + attr
    with pytest.raises(InvalidModelError):
        messages.parse("NameAttrList", b"\x12" + _varint(len(data)) + data, "x")


def test_text_of_a_state_file():
    state = messages.parse_text("CheckpointState", 'model_checkpoint_path: "ck-2"\nall_model_checkpoint_paths: "ck-1"\nlater: 3\n', "checkpoint")
    assert (state.model_checkpoint_path, list(state.all_model_checkpoint_paths)) == ("ck-2", ["ck-1"])
    with pytest.raises(InvalidModelError, match="as text"):
        messages.parse_text("CheckpointState", "model_checkpoint_path: [", "checkpoint")


def _varint(number):
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
