"""The Protocol Buffers messages in TensorFlow's files: the fields that matter here, parsed and serialised by the protobuf library.

They stand in a pool of their own, so that a TensorFlow in the same process, which has these messages too, is not disturbed.
Numbers and types of fields: TensorFlow's ``core/protobuf/{tensor_bundle,trackable_object_graph,saved_tensor_slice,saved_model,meta_graph,
saved_object_graph,saver,fingerprint}.proto`` and ``core/framework/{graph,node_def,attr_value,function,op_def,tensor,tensor_shape,
tensor_slice,variable,versions}.proto``; Keras' ``protobuf/saved_metadata.proto``. Fields that are not listed are skipped, as the format allows.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

from triptych.errors import shorten
from triptych.layouts import problems

_PACKAGE = "triptych.tensorflow"

# A line for each field: number, name, type; "*" for repeated, "|" for one of several that exclude each other, "{}" for a map from text.
# A PackedTensor is a Tensor whose packed numbers stay the bytes that they are.
_MESSAGES = """
Versions: 1 producer int32, 2 min_consumer int32, 3 bad_consumers *int32
Dim: 1 size int64, 2 name string
Shape: 2 dim *Dim, 3 unknown_rank bool
Extent: 1 start int64, 2 length |int64
Slice: 1 extent *Extent
Tensor: 1 dtype int32, 2 tensor_shape Shape, 4 tensor_content bytes, 5 float_val *float, 6 double_val *double, 7 int_val *int32, 8 string_val *bytes, 9 scomplex_val *float, 10 int64_val *int64, 11 bool_val *bool, 12 dcomplex_val *double, 13 half_val *int32, 16 uint32_val *uint32, 17 uint64_val *uint64, 18 float8_val bytes

BundleHeader: 1 num_shards int32, 2 endianness int32, 3 version Versions
BundleEntry: 1 dtype int32, 2 shape Shape, 3 shard_id int32, 4 offset int64, 5 size int64, 6 crc32c fixed32, 7 slices *Slice

SliceMeta: 1 name string, 2 shape Shape, 3 type int32, 4 slice *Slice
SlicesMeta: 1 tensor *SliceMeta, 2 versions Versions
PackedTensor: 5 float_val *bytes, 6 double_val *bytes, 7 int_val *bytes, 8 string_val *bytes, 9 scomplex_val *bytes, 10 int64_val *bytes, 11 bool_val *bytes, 13 half_val *bytes, 16 uint32_val *bytes, 17 uint64_val *bytes
SliceData: 1 name string, 2 slice Slice, 3 data PackedTensor
SavedTensorSlices: 1 meta SlicesMeta, 2 data SliceData

CheckpointState: 1 model_checkpoint_path string, 2 all_model_checkpoint_paths *string, 3 all_model_checkpoint_timestamps *double, 4 last_preserved_timestamp double

ObjectReference: 1 node_id int32, 2 local_name string
SerializedTensor: 1 name string, 2 full_name string, 3 checkpoint_key string
SlotVariable: 1 original_variable_node_id int32, 2 slot_name string, 3 slot_variable_node_id int32
RegisteredSaver: 1 name string, 2 object_name string
Bool: 1 value bool
TrackableObject: 1 children *ObjectReference, 2 attributes *SerializedTensor, 3 slot_variables *SlotVariable, 4 registered_saver RegisteredSaver, 5 has_checkpoint_values Bool
TrackableObjectGraph: 1 nodes *TrackableObject

AttrList: 2 s *bytes, 3 i *int64, 4 f *float, 5 b *bool, 6 type *int32, 7 shape *Shape, 8 tensor *Tensor, 9 func *NameAttrList
NameAttrList: 1 name string, 2 attr {}Attr
Attr: 1 list |AttrList, 2 s |bytes, 3 i |int64, 4 f |float, 5 b |bool, 6 type |int32, 7 shape |Shape, 8 tensor |Tensor, 9 placeholder |string, 10 func |NameAttrList
Node: 1 name string, 2 op string, 3 input *string, 4 device string, 5 attr {}Attr
ArgDef: 1 name string, 3 type int32, 4 type_attr string, 5 number_attr string, 6 type_list_attr string, 16 is_ref bool
AttrDef: 1 name string, 2 type string
OpDef: 1 name string, 2 input_arg *ArgDef, 3 output_arg *ArgDef, 4 attr *AttrDef, 17 is_stateful bool, 20 control_output *string
Function: 1 signature OpDef, 3 node_def *Node, 4 ret {}string, 5 attr {}Attr, 6 control_ret {}string
Gradient: 1 function_name string, 2 gradient_func string
FunctionLibrary: 1 function *Function, 2 gradient *Gradient
Graph: 1 node *Node, 2 library FunctionLibrary, 4 versions Versions

MetaInfo: 4 tags *string, 5 tensorflow_version string, 6 tensorflow_git_version string, 7 stripped_default_attrs bool, 8 function_aliases {}string
Saver: 1 filename_tensor_name string, 2 save_tensor_name string, 3 restore_op_name string, 4 max_to_keep int32, 5 sharded bool, 6 keep_checkpoint_every_n_hours float, 7 version int32
NodeList: 1 value *string
Variable: 1 variable_name string, 2 initializer_name string, 3 snapshot_name string, 5 is_resource bool, 6 initial_value_name string, 7 trainable bool
BytesList: 1 value *bytes
Collection: 1 node_list |NodeList, 2 bytes_list |BytesList
TensorInfo: 1 name |string, 2 dtype int32, 3 tensor_shape Shape
Signature: 1 inputs {}TensorInfo, 2 outputs {}TensorInfo, 3 method_name string
AssetFile: 1 tensor_info TensorInfo, 2 filename string
MetaGraph: 1 meta_info_def MetaInfo, 2 graph_def Graph, 3 saver_def Saver, 4 collection_def {}Collection, 5 signature_def {}Signature, 6 asset_file_def *AssetFile, 7 object_graph_def SavedObjectGraph
SavedModel: 1 saved_model_schema_version int64, 2 meta_graphs *MetaGraph

SavedUserObject: 1 identifier string, 2 version Versions, 3 metadata string
SavedAsset: 1 asset_file_def_index int32
SavedFunction: 1 concrete_functions *string
SavedVariable: 1 dtype int32, 2 shape Shape, 3 trainable bool, 4 synchronization int32, 5 aggregation int32, 6 name string
SavedConcreteFunction: 2 bound_inputs *int32
SavedBareFunction: 1 concrete_function_name string
SavedConstant: 1 operation string
SavedResource: 1 device string
SavedObject: 1 children *ObjectReference, 3 slot_variables *SlotVariable, 4 user_object |SavedUserObject, 5 asset |SavedAsset, 6 function |SavedFunction, 7 variable |SavedVariable, 8 bare_concrete_function |SavedBareFunction, 9 constant |SavedConstant, 10 resource |SavedResource, 13 registered_name string
SavedObjectGraph: 1 nodes *SavedObject, 2 concrete_functions {}SavedConcreteFunction
Fingerprint: 1 saved_model_checksum uint64, 2 graph_def_program_hash uint64, 3 signature_def_hash uint64, 4 saved_object_graph_hash uint64, 5 checkpoint_hash uint64, 6 version Versions, 7 uuid string

KerasObject: 2 node_id int32, 3 node_path string, 4 identifier string, 5 metadata string, 6 version Versions
KerasMetadata: 1 nodes *KerasObject
"""


@cache
def _classes() -> dict[str, Any]:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="triptych/tensorflow.proto", package=_PACKAGE, syntax="proto3")
    lines = dict(line.split(": ", 1) for line in _MESSAGES.splitlines() if line)
    for title, fields in lines.items():
        message = file.message_type.add(name=title)
        for line in fields.split(", "):
            number, name, kind = line.split(" ")
            marks = kind.removesuffix(kind.lstrip("*|{}"))
            field = message.field.add(name=name, number=int(number))
            field.label = field.LABEL_OPTIONAL if marks in ("", "|") else field.LABEL_REPEATED
            if marks == "|":
                if not message.oneof_decl:
                    message.oneof_decl.add(name="value")
                field.oneof_index = 0
            if marks == "{}":
                # A map is a repeated message of a key and a value, in its own scope under a name that protobuf derives from the field's.
                entry = message.nested_type.add(name="".join(part.capitalize() for part in name.split("_")) + "Entry")
                entry.options.map_entry = True
                _type(entry.field.add(name="key", number=1, label=field.LABEL_OPTIONAL), "string", lines)
                _type(entry.field.add(name="value", number=2, label=field.LABEL_OPTIONAL), kind[2:], lines)
                field.type, field.type_name = field.TYPE_MESSAGE, f".{_PACKAGE}.{title}.{entry.name}"
            else:
                _type(field, kind.lstrip("*|"), lines)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {title: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{title}")) for title in lines}


def _type(field: Any, kind: str, titles: dict[str, str]) -> None:
    if kind in titles:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    else:
        field.type = getattr(field, f"TYPE_{kind.upper()}")


def new(title: str, **fields: Any) -> Any:
    """A message called `title` with these fields, to be filled and serialised with `to_bytes`."""
    return _classes()[title](**fields)


def parse(title: str, data: bytes | memoryview, place: str) -> Any:
    """The message called `title` that `data` hold, read at `place`. Absent fields have their defaults.

    Raises:
        InvalidModelError: The bytes are no such message: wrong wire type, bad length, text that is no UTF-8, nesting beyond 100.
    """
    from google.protobuf.message import DecodeError

    try:
        return _classes()[title].FromString(bytes(data))
    except DecodeError as error:
        raise problems.invalid(place, f"expected a {title} message, got {len(data)} bytes that are none: {error}") from None


def parse_text(title: str, text: str, place: str) -> Any:
    """The message called `title` that `text` spells in protobuf's text format.

    Raises:
        InvalidModelError: It spells no such message.
    """
    from google.protobuf import text_format

    try:
        with warnings.catch_warnings():  # of escapes that Python does not know: the parser hands a text's to Python
            warnings.simplefilter("ignore")
            return text_format.Parse(text, new(title), allow_unknown_field=True)
    except text_format.ParseError as error:
        raise problems.invalid(place, f"expected a {title} message as text: {shorten(str(error), 300)}") from None
    except RecursionError:
        raise problems.invalid(place, f"expected a {title} message as text, got one without end to its nesting") from None


def to_bytes(message: Any) -> bytes:
    """The bytes of `message`, the same for the same content: maps are sorted by key."""
    data: bytes = message.SerializeToString(deterministic=True)
    return data


def to_text(message: Any) -> str:
    """`message` in protobuf's text format."""
    from google.protobuf import text_format

    text: str = text_format.MessageToString(message, as_utf8=True)
    return text
