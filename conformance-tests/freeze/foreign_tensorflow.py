"""Checkpoints of TensorFlow and SavedModel folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from common import numbers
from foreign_common import GRAPH, SEQUENCE, SMALL, Json, built, graph, row, sequence, small, trained

from triptych_conformance._spelling import spelled


def checkpoint_of(prefix: Path) -> Json:
    """What TensorFlow's own reader finds in a checkpoint."""
    import tensorflow as tf

    from triptych_conformance._inspect_tensorflow import look

    return look(tf, {"path": str(prefix), "as": "checkpoint"})


@row
def checkpoint_keras2(folder: Path) -> Json:
    """Weights and optimizer of a model of tf-keras, as it saves them for TensorFlow."""
    import tf_keras as k

    model = built(k, graph, loss="mse")
    facts = trained(model, GRAPH)
    model.save_weights(folder / "model")
    (folder / "checkpoint").unlink()
    return {"writer": f"tf-keras {k.__version__}", **facts, "seen": checkpoint_of(folder / "model"), "json": model.to_json()}


@row
def checkpoint_keras3(folder: Path) -> Json:
    """A model of Keras 3 in a checkpoint of TensorFlow."""
    import keras as k
    import tensorflow as tf

    model = built(k, sequence)
    facts = trained(model, SEQUENCE)
    tf.train.Checkpoint(model).write(str(folder / "model"))
    return {"writer": f"Keras {k.__version__}, TensorFlow {tf.__version__}", **facts, "seen": checkpoint_of(folder / "model")}


NAMED = {
    "net/out/kernel": numbers("kernel", (3, 2)), "net/out/bias": numbers("bias", (2,)), "half": numbers("half", (4,), dtype="float16"),
    "count": np.asarray(7, "int64"), "flags": np.asarray([True, False]),
}


@row
def checkpoint_names(folder: Path) -> Json:
    """Variables by name, as TensorFlow 1 saved them, one of them partitioned, one in bfloat16."""
    import tensorflow as tf

    table = numbers("table", (5, 2))
    halves = tf.cast(tf.constant([1.5, -0.25, 3.0]), tf.bfloat16)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, value in NAMED.items():
            tf.compat.v1.get_variable(name, initializer=tf.constant(value), use_resource=False)
        tf.compat.v1.get_variable("brain", initializer=tf.constant(halves.numpy()), use_resource=False)
        tf.compat.v1.get_variable("table", shape=(5, 2), partitioner=tf.compat.v1.fixed_size_partitioner(2), initializer=lambda shape, dtype, partition_info: tf.constant(
            table[partition_info.var_offset[0] : partition_info.var_offset[0] + shape[0]], dtype), use_resource=False)
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(folder / "model"), write_meta_graph=False, write_state=False)
    tensors = {name: spelled(value) for name, value in {**NAMED, "table": table}.items()}
    tensors["brain"] = {**spelled(halves.numpy().view("uint16")), "dtype": "bfloat16"}
    return {"writer": f"TensorFlow {tf.__version__}, Saver of version 1", "tensors": dict(sorted(tensors.items())), "seen": checkpoint_of(folder / "model")}


def packed(data: bytes) -> bytes:
    """`data` as Snappy packs what it finds nothing to pack in: its length, then literals."""
    def varint(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)

    out = varint(len(data))
    for start in range(0, len(data), 60):
        part = data[start : start + 60]
        out += bytes([len(part) - 1 << 2]) + part
    return out


@row
def checkpoint_snappy(folder: Path) -> Json:
    """The same variables; the blocks of the index were packed by Snappy's rules, and TensorFlow read them."""
    import google_crc32c
    import tensorflow as tf

    facts = checkpoint_names(folder)
    index = (folder / "model.index").read_bytes()

    def numbers_at(data: bytes, count: int) -> list[int]:
        found, at = [], 0
        for _ in range(count):
            value = shift = 0
            while True:
                value |= (data[at] & 127) << shift
                shift, at = shift + 7, at + 1
                if data[at - 1] < 128:
                    break
            found.append(value)
        return found

    def varint(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)

    def sealed(block: bytes, kind: int) -> bytes:
        crc = int.from_bytes(google_crc32c.Checksum(block + bytes([kind])).digest(), "big")
        masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
        return block + bytes([kind]) + masked.to_bytes(4, "little")

    meta_at, meta_size, top_at, top_size = numbers_at(index[-48:], 4)
    top = index[top_at : top_at + top_size]
    shared, suffix, length = top[:3]  # one data block in an index this small
    assert (shared, top[-4:]) == (0, b"\1\0\0\0")
    data_at, data_size = numbers_at(top[3 + suffix : 3 + suffix + length], 2)
    out = sealed(packed(index[data_at : data_at + data_size]), 1)
    handle = varint(0) + varint(len(out) - 5)
    meta_handle = varint(len(out)) + varint(meta_size)
    out += sealed(index[meta_at : meta_at + meta_size], 0)
    new_top = bytes([0, suffix, len(handle)]) + top[3 : 3 + suffix] + handle + top[3 + suffix + length :]
    top_handle = varint(len(out)) + varint(len(new_top))
    out += sealed(new_top, 0) + (meta_handle + top_handle).ljust(40, b"\0") + index[-8:]
    (folder / "model.index").write_bytes(out)
    assert checkpoint_of(folder / "model") == facts["seen"], tf.__version__
    return {**facts, "writer": facts["writer"] + ", its index packed by hand"}


@row
def saved_model_keras2(folder: Path) -> Json:
    """A model of tf-keras as a SavedModel folder."""
    import tf_keras as k

    model = built(k, small, loss="mse")
    facts = trained(model, SMALL)
    model.save(folder / "model", save_format="tf")
    return {"writer": f"tf-keras {k.__version__}", **facts}
