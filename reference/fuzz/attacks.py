"""Inputs made by hand to break parsers: each is refused with a declared error, and stays in the corpus whatever it passes."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

from fuzz import folders
from fuzz.mutators import zips


def _npy(header: str, content: bytes = b"") -> bytes:
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def _safetensors(header: object, content: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


def _series(**members: object) -> bytes:
    return json.dumps({"format": "triptych-checkpoints", "format_version": "1.0", **members}).encode()


def _index(shard: str) -> bytes:
    return json.dumps({"metadata": {}, "weight_map": {"a": shard}}).encode()


def _tar(size: bytes) -> bytes:
    head = (b"pickle".ljust(100, b"\0") + b"0000644\0" + bytes(16) + size.rjust(11, b"0") + b"\0" + b"0" * 11 + b"\0" + b" " * 8 + b"0" + bytes(100) + b"ustar\x0000").ljust(512, b"\0")
    return head[:148] + f"{sum(head):06o}\0 ".encode() + head[156:] + bytes(1024)


def _sequential(*layers: object) -> bytes:
    return json.dumps({"class_name": "Sequential", "config": {"layers": layers}}).encode()


def _dense(**config: object) -> object:
    return {"class_name": "Dense", "config": {"name": "d", "units": 1, "batch_input_shape": [None, 2], **config}}


def _layer(class_name: str, **config: object) -> dict[str, object]:
    return {"class_name": class_name, "config": {"name": "d", **config}}


def _called(*call: object, version: str = "2.4.0") -> bytes:
    """A Functional model with a call of a function."""
    layers = [
        {"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_input_shape": [None, 2], "dtype": "float32"}, "inbound_nodes": []},
        {"class_name": "TFOpLambda", "name": "f", "config": {"name": "f", "function": "math.subtract"}, "inbound_nodes": [[*call]]},
    ]
    return json.dumps({"class_name": "Functional", "keras_version": version, "config": {"name": "m", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [["x", 0, 0]]}}).encode()


def _operation(class_name: str, **config: object) -> bytes:
    """A Functional model of Keras 3 with an operation."""
    tensor = {"class_name": "__keras_tensor__", "config": {"shape": [None, 3], "dtype": "float32", "keras_history": ["x", 0, 0]}}
    layers = [
        {"module": "keras.layers", "class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_shape": [None, 3], "dtype": "float32"}, "registered_name": None, "inbound_nodes": []},
        {"module": "keras.src.ops.numpy", "class_name": class_name, "name": "y", "config": {"name": "y", **config}, "registered_name": class_name, "inbound_nodes": [{"args": [tensor], "kwargs": {}}]},
    ]
    return json.dumps({"module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional", "config": {"name": "m", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [["y", 0, 0]]}}).encode()


def _scaled(seed: object) -> object:
    return {"class_name": "VarianceScaling", "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": seed}}


_ONE = {"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}


ATTACKS: Mapping[str, Mapping[str, bytes]] = {
    "json": {
        "nesting": b"[" * 100_0,
        "long number": b"1" * 5000,
        "repeated name": b'{"a": 1, "a": 2}',
        "lone surrogate": b'{"a": "\\ud800"}',
        "infinite": b'{"a": 1e999}',
        "mark": b"\xef\xbb\xbf{}",
        "utf-16": '{"a": 1}'.encode("utf-16"),
        "two values": b"{} {}",
        "control": b'{"a": "\x01"}',
    },
    "yaml": {
        "nesting": b"[" * 1000,
        "laughs": b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "object": b"a: !!python/object/apply:os.system [touch x]\n",
        "merge": b"a: &a {b: 1}\nc:\n  <<: *a\n",
        "documents": b"a: 1\n---\nb: 2\n",
        "octal": b"a: 010\nb: 0o10\nc: 1:30\nd: no\ne: 2024-01-01\n",
        "directive": b"%YAML 1.1\n---\na: 1\n",
        "tab": b"a:\n\tb: 1\n",
    },
    "safetensors": {
        "huge header": struct.pack("<Q", 2**63) + b"{}",
        "repeated": _safetensors(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}', bytes(4)),
        "overlap": _safetensors({"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}, "b": {"dtype": "U8", "shape": [4], "data_offsets": [2, 6]}}, bytes(6)),
        "overflow": _safetensors({"a": {"dtype": "F32", "shape": [2**33, 2**33, 0], "data_offsets": [0, 0]}}),
        "negative": _safetensors({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, bytes(4)),
        "boolean": _safetensors({"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}, bytes(4)),
        "metadata": _safetensors({"__metadata__": {"a": 1}}),
        "utf-16": _safetensors(json.dumps(_ONE).encode("utf-16-le"), bytes(1)),
        "utf-32": _safetensors(json.dumps(_ONE).encode("utf-32-le"), bytes(1)),
    },
    "npy": {
        "objects": _npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n", bytes(8)),
        "no number": _npy("{'descr': '<f4', 'fortran_order': False, 'shape': (L,), }\n", bytes(4)),
        "long number": _npy(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({'9' * 5000},), }}\n"),
        "code": _npy("__import__('os').system('touch x')\n"),
        "a name twice": _npy("{'descr': '<f4', 'descr': '<i4', 'fortran_order': False, 'shape': (1,), }\n", bytes(4)),
        "code before it": _npy("__import__('os') or {'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n", bytes(4)),
        "minor version": _npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n", bytes(4)).replace(b"NUMPY\x01\x00", b"NUMPY\x01\x01"),
        "two numbers": _npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1 2,), }\n", bytes(4)),
    },
    "zip": {"no name": zips.written({"": b"a"}), "only a folder": zips.written({"a/": b""}), "empty": b""},
    "npz": {"no name": zips.written({"": b"a"})},
    "torch-archive": {
        "version two": zips.written({"a/data.pkl": b"}.", "a/version": "\u00b2".encode(), "a/byteorder": b"little"}),
        "deflated": zips.written({"a/data.pkl": b"\x80\x02}.", "a/version": b"3\n"}, method=8),
        "empty": b"",
    },
    "torch-tar": {"no octal": _tar(b"9"), "no size": _tar(b"")},
    "hub": {
        "empty pickle": folders.pack({"pytorch_model.bin": b""}),
        "empty tensors": folders.pack({"model.safetensors": b""}),
        "zero in a name": folders.pack({"model.safetensors.index.json": _index("a\0.safetensors")}),
        "half a character in a name": folders.pack({"pytorch_model.bin.index.json": _index("\ud800.bin")}),
    },
    "keras-shards": {"long name": folders.pack({"m.weights.json": _index(f"{'x' * 300}.weights.h5")})},
    "tf-checkpoint": {"long name": folders.pack({"checkpoint": b'model_checkpoint_path: "' + b"x" * 300 + b'"\n'})},
    "safetensors-file": {"empty": b""},
    "pickle": {
        "system": b"\x80\x02cos\nsystem\nX\x01\x00\x00\x00x\x85R.",
        "memo": b"\x80\x02]r\xff\xff\xff\x0f.",
        "doubling": b"\x80\x02]" + b"2\x86" * 60 + b".",
        "long": b"\x80\x02\x8b\xff\xff\xff\x7f\x01.",
        "inst": b"(X\x01\x00\x00\x00xios\nsystem\n.",
        "extension": b"\x80\x02\x82\x01.",
        "digits": b"I" + b"9" * 5000 + b"\n.",
        "long digits": b"L" + b"9" * 5000 + b"L\n.",
        "nested": b"\x80\x02" + b"]" * 500 + b"a" * 499 + b".",
        "frame": b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
        "empty": b"",
        "stop": b".",
    },
    "snappy": {
        "huge": b"\xff\xff\xff\xff\x0f\x00a",
        "far copy": b"\x04\x00a\x09\xff",
        "zero copy": b"\x04\x00a\x09\x00",
        "repeat": b"\x40\x04ab\xf9\x02",
    },
    "tf-state": {
        "outside": b'model_checkpoint_path: "../../etc/passwd"\n',
        "absolute": b'model_checkpoint_path: "/etc/passwd"\n',
        "zero": b'model_checkpoint_path: "a\\000b"\n',
        "escape": b'model_checkpoint_path: "C\\:ckpt"\n',
        "windows": b'model_checkpoint_path: "C:\\\\x\\\\..\\\\ckpt"\n',
        "deep": b"a {" * 500,
    },
    "series": {
        "retiring": _series(checkpoints=[], retiring=["step-2", "step-1"]),
        "outside": _series(checkpoints=[{"name": "../x", "step": 1}]),
        "boolean": _series(checkpoints=[{"name": "step-00000001.triptych", "step": True}]),
        "monitor": _series(monitor={"metric": 1, "mode": []}),
        "metrics": _series(checkpoints=[{"name": "step-00000001.triptych", "step": 1, "metrics": {"a": 1e308}}]),
        "good": _series(monitor={"metric": "loss", "mode": "min"}, checkpoints=[{"name": "step-00000001.triptych", "step": 1, "epoch": 0, "samples": 5, "metrics": {"loss": 0.5}}], retiring=["step-00000000"]),
    },
    "vocabulary": {
        "superscript": "²\n".encode(),
        "long": b"9" * 5000 + b"\n",
        "minus zero": b"-0\n",
        "carriage return": b"a\r\nb\r\n",
        "separator": "a\u2028b\n".encode(),
        "integers": b"1\n-2\n9223372036854775807\n",
    },
    "string-tensor": {
        "none": b"\0\0" + bytes(4),
        "long": b"\x01\0" + bytes(4) + b"\xff\xff\xff\xff\x0f" + bytes(4),
    },
    "messages": {
        "nested": b"\x05" + b"\x12\x80\x01" * 40,
        "long varint": b"\x01" + b"\xff" * 12,
        "group": b"\x02\x0b\x0b\x0b",
    },
    "meta-graph": {"empty": b"", "one graph": b"\x08\x01\x12\x00"},
    "recognition": {"empty": b"", "zip": b"PK\x03\x04", "hdf5": b"\x89HDF\r\n\x1a\n", "pickle": b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "json": b'{"modelTopology": 1}', "yaml": b"class_name: Model\n", "utf-16": '{"a": 1}'.encode("utf-16")},
    "keras-json": {
        "lambda": b'{"class_name": "Sequential", "config": {"layers": [{"class_name": "Lambda", "config": {"name": "l", "function": ["4wEAAAAA", null, null], "function_type": "lambda"}}]}}',
        "seed that is none": _sequential(_dense(kernel_initializer=_scaled(seed=True))),
        "decomposed name": _sequential(_dense(name="e\u0301")),
        "bad regularizer": json.dumps([{"class_name": "Dense", "config": {"name": "d", "output_dim": 1, "W_regularizer": {"name": "L1L2Regularizer", "l1": "x"}, "batch_input_shape": [None, 2]}}]).encode(),
        "nested text": json.dumps(json.dumps(json.dumps({"class_name": "Sequential", "config": []}))).encode(),
        "control in the name of the model": json.dumps({"class_name": "Sequential", "config": {"name": "\na", "layers": [_dense()]}}).encode(),
        "control in the name of a model inside": _sequential(_dense(), _layer("Sequential", name="\na", layers=[_dense(name="e")])),
        "long class name": _sequential(_dense(), _layer("x" * 300)),
        "long member": _sequential(_dense(), _layer("Own", **{"x" * 5000: 1})),
        "no class name": _sequential(_dense(), {"class_name": "x>", "config": {}}),
        "second of its name that does not fit": _sequential(_dense(), _layer("Conv2D", filters=1, kernel_size=[3, 3])),
        "activation that changes the shape": _sequential(_dense(activation=_layer("Flatten"))),
        "constant that is an object": _called("_CONSTANT_VALUE", -1, {"y": ["x", 0, 0]}),
        "operation before its time": _called("x", 0, 0, {"y": 2.0}, version="2.3.1"),
        "both directions of a layer that has none": _sequential(_layer("Bidirectional", batch_input_shape=[None, 5, 3], merge_mode="concat", layer=_dense())),
        "axes with a point": _sequential(_layer("LayerNormalization", batch_input_shape=[None, 3, 2], axis=[1.0, 2])),
        "amounts with a point": _operation("Pad", pad_width=[[1.0, 0], [0, 0]], mode="constant"),
        "split along no axis": _operation("Split", indices_or_sections=[1], axis=2),
        "token twice": _sequential(_layer("StringLookup", vocabulary=["the", "of", "the"])),
        "more unknown tokens than numbers": _sequential(_layer("StringLookup", vocabulary=["the"], num_oov_indices=2**63)),
        "gadget": b'{"class_name": "Sequential", "config": {"layers": [{"module": "keras.utils", "class_name": "get_file", "config": {"origin": "file:///etc/passwd"}, "registered_name": null}]}}',
        "vocabulary": b'{"class_name": "Sequential", "config": {"layers": [{"class_name": "StringLookup", "config": {"name": "s", "vocabulary": "/etc/passwd"}}]}}',
    },
    "keras-yaml": {
        "object": b"class_name: !!python/object/apply:os.system [touch x]\nconfig: {}\n",
        "alias": b"class_name: Sequential\nconfig: &a\n  layers: [*a]\n",
    },
}
