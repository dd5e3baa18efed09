"""Tensor bundles mean to us what they mean to TensorFlow, bit for bit, both ways."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from triptych import dtypes
from triptych.errors import ConversionError, UnsupportedError, UsageError
from triptych.layouts.tensorflow import element_types
from triptych.layouts.tensorflow.bundle import Strings, open_bundle, write_bundle
from triptych.model import Tensor

NAMES = [name for name in dtypes.BY_NAME if element_types.number_of(name) is not None]


def random(name, shape, seed=0):
    """Elements of every bit pattern that the dtype has, as far as the shape goes."""
    dtype = dtypes.numpy_dtype(name)
    generator = np.random.default_rng(seed)
    if name == "bool":
        return generator.integers(0, 2, shape).astype(bool)
    return generator.integers(0, 256, (*shape, dtype.itemsize), np.uint8).view(dtype)[..., 0]


def save(prefix, named, slices=None):
    """Save with TensorFlow, in the order given."""
    tf.raw_ops.SaveV2(prefix=str(prefix), tensor_names=list(named), shape_and_slices=slices or [""] * len(named), tensors=list(named.values()))


def everything():
    named = {f"{name}/{'x'.join(map(str, shape)) or 'scalar'}": random(name, shape) for name in NAMES for shape in [(3, 5), (), (0, 4)]}
    named["words"] = np.array([[b"", b"caf\xc3\xa9", b"\0\xff"], [b"x" * 300, b"a", b"b"]], object)
    named["word"] = np.array(b"one", object)
    named["no words"] = np.zeros((2, 0), object)
    return named


def items_of(named):
    for key, array in named.items():
        yield key, Strings(tuple(array.reshape(-1)), array.shape) if array.dtype == object else Tensor.from_array(array)


def check(bundle, named):
    assert list(bundle.keys) == sorted(named, key=str.encode)
    for key, array in named.items():
        assert bundle.shape_of(key) == array.shape
        if array.dtype == object:
            assert bundle.dtype_of(key) == "string"
            assert bundle.strings(key) == tuple(array.reshape(-1))
        else:
            assert bundle.dtype_of(key) == bundle.tensor(key).dtype == array.dtype.name
            assert bytes(bundle.tensor(key).read()) == array.tobytes()


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_every_dtype_is_read_bit_for_bit(tmp_path):
    named = everything()
    save(tmp_path / "w", named)
    check(open_bundle(tmp_path / "w"), named)


def test_what_is_written_is_what_tensorflow_writes(tmp_path):
    named = everything()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").mkdir()
    save(tmp_path / "theirs" / "w", named)
    write_bundle(tmp_path / "ours" / "w", items_of(named))
    assert files(tmp_path / "ours") == files(tmp_path / "theirs")


def test_an_index_of_many_blocks_is_what_tensorflow_writes(tmp_path):
    """2,500 long keys in an order that is not theirs: blocks, restart points and the short keys between blocks are all there."""
    order = np.random.default_rng(1).permutation(2_500)
    named = {f"layer_{n // 7}/{'kernel' if n % 2 else 'bias'}/part_{n}\u00e9{str(7919 * n) * 40}": np.array(n, np.int32) for n in order}
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").mkdir()
    save(tmp_path / "theirs" / "w", named)
    write_bundle(tmp_path / "ours" / "w", items_of(named))
    assert len(files(tmp_path / "ours")["w.index"]) > 2 * 262_144
    assert files(tmp_path / "ours") == files(tmp_path / "theirs")
    check(open_bundle(tmp_path / "theirs" / "w"), named)


def test_shards_of_ours_are_read_by_tensorflow(tmp_path):
    named = {**everything(), "large": random("float32", (100, 30))}
    write_bundle(tmp_path / "w", items_of(named), max_shard_bytes=200)
    assert len(list(tmp_path.glob("w.data-*"))) > 5
    check(open_bundle(tmp_path / "w"), named)
    reader = tf.train.load_checkpoint(str(tmp_path / "w"))
    assert sorted(reader.get_variable_to_shape_map()) == sorted(named)
    for key, array in named.items():
        found = tf.raw_ops.RestoreV2(prefix=str(tmp_path / "w"), tensor_names=[key], shape_and_slices=[""], dtypes=[tf.as_dtype(array.dtype) if array.dtype != object else tf.string])[0].numpy()
        assert found.tobytes() == array.tobytes() if array.dtype != object else np.array_equal(found, array)
    rows = tf.raw_ops.RestoreV2(prefix=str(tmp_path / "w"), tensor_names=["large"], shape_and_slices=["100 30 7,20:0,30"], dtypes=[tf.float32])[0].numpy()
    assert rows.tobytes() == named["large"][7:27].tobytes()


def test_merged_shards_of_tensorflow_are_read(tmp_path):
    named = everything()
    halves = [dict(list(named.items())[::2]), dict(list(named.items())[1::2])]
    for number, half in enumerate(halves):
        save(tmp_path / f"part{number}", half)
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=[str(tmp_path / "part0"), str(tmp_path / "part1")], destination_prefix=str(tmp_path / "w"))
    assert len(list(tmp_path.glob("w.data-*-of-00002"))) == 2
    check(open_bundle(tmp_path / "w"), named)


@pytest.mark.parametrize("name", NAMES)
def test_parts_are_joined(tmp_path, name):
    """Along one axis, along two, in three axes with lengths that the ordered code says in two bytes; in several files, in any order."""
    whole = {"rows": random(name, (7, 3)), "grid": random(name, (4, 6), 1), "long": random(name, (2, 300, 2), 2)}
    cuts = {
        "rows": ["0,4:-", "4,3:-"], "grid": ["0,1:0,6", "1,3:4,2", "1,3:0,4"], "long": ["0,1:0,200:-", "0,1:200,100:-", "1,1:64,236:0,2", "1,1:0,64:0,2"],
    }
    pieces = []
    for key, array in whole.items():
        for cut in cuts[key]:
            ranges = [slice(None) if one == "-" else slice(int(one.split(",")[0]), sum(map(int, one.split(",")))) for one in cut.split(":")]
            pieces.append((key, " ".join(map(str, array.shape)) + " " + cut, array[tuple(ranges)]))
    for number in range(2):
        chosen = pieces[number::2]
        tf.raw_ops.SaveV2(prefix=str(tmp_path / f"part{number}"), tensor_names=[one[0] for one in chosen], shape_and_slices=[one[1] for one in chosen], tensors=[one[2] for one in chosen])
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=[str(tmp_path / "part0"), str(tmp_path / "part1")], destination_prefix=str(tmp_path / "w"))
    check(open_bundle(tmp_path / "w"), whole)


def test_parts_far_along_an_axis_are_found(tmp_path):
    """Starts and lengths of three and four bytes in the ordered code: from 8,192 and 1,048,576 on."""
    whole = {"far": random("int8", (2_200_000,))}
    cuts = ["0,8191", "8191,1", "8192,1040383", "1048575,1", "1048576,1151424"]
    ranges = [tuple(map(int, one.split(","))) for one in cuts]
    save_parts = [whole["far"][start : start + length] for start, length in ranges]
    tf.raw_ops.SaveV2(prefix=str(tmp_path / "w"), tensor_names=["far"] * 5, shape_and_slices=[f"2200000 {one}" for one in cuts], tensors=save_parts)
    check(open_bundle(tmp_path / "w"), whole)


def test_dtypes_that_the_specification_lacks_are_named(tmp_path):
    save(tmp_path / "w", {"z": np.ones(2, np.complex128), "a": np.ones(3, np.float32)})
    bundle = open_bundle(tmp_path / "w")
    assert (bundle.dtype_of("z"), bundle.shape_of("z")) == ("complex128", (2,))
    with pytest.raises(UnsupportedError, match="complex128 of 'z'"):
        bundle.tensor("z")
    assert bundle.tensor("a").array().tolist() == [1, 1, 1]


def test_a_tensor_is_a_view_on_the_file(tmp_path):
    write_bundle(tmp_path / "w", items_of({"a": np.arange(6, dtype=np.float32)}))
    view = open_bundle(tmp_path / "w").tensor("a").read()
    assert view.readonly
    assert type(view.obj).__name__ == "mmap"


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    one = Tensor.from_array(np.zeros(2, np.float32))
    wrong = Tensor("float32", (2,), lambda: memoryview(b"1234"))
    for items, error in [([("a", one), ("a", one)], UsageError), ([("", one)], ConversionError), ([("\0a", one)], ConversionError), ([("\ud800", one)], ConversionError),
                         ([("a", Tensor("float6_e2m3fn", (4,), lambda: memoryview(b"123")))], ConversionError), ([("a", wrong)], UsageError)]:
        with pytest.raises(error):
            write_bundle(tmp_path / "w", items)
        assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError):
        Strings((b"a", b"b"), (3,))
    with pytest.raises(UsageError):
        write_bundle(tmp_path / "w", [], max_shard_bytes=0)


def test_progress_counts_bytes(tmp_path):
    seen = []
    write_bundle(tmp_path / "w", list(items_of({"b": np.zeros(5, np.float32), "a": np.zeros(3, np.int8)})), progress=lambda *one: seen.append(one))
    assert seen == [(20, 23, "b"), (23, 23, "a")]


def test_an_empty_bundle_is_one_to_tensorflow(tmp_path):
    write_bundle(tmp_path / "w", [])
    assert open_bundle(tmp_path / "w").keys == ()
    assert tf.train.load_checkpoint(str(tmp_path / "w")).get_variable_to_shape_map() == {}


def big_endian(folder, named):
    """The bundle that a big-endian machine would have written: every number, and every checksum of lengths, the other way round."""
    import struct

    from triptych.layouts.tensorflow import messages, varints
    from triptych.layouts.tensorflow.checksums import masked_crc32c
    from triptych.layouts.tensorflow.table_writing import table_of

    data, entries = b"", []
    for key, array in sorted(named.items()):
        if array.dtype == object:
            lengths = [len(one) for one in array.reshape(-1)]
            spelled = struct.pack(f">{len(lengths)}I", *lengths)
            checksum = struct.pack(">I", masked_crc32c(spelled))
            content = b"".join(map(varints.encode, lengths)) + checksum + b"".join(array.reshape(-1))
            crc = masked_crc32c(spelled, checksum, b"".join(array.reshape(-1)))
        else:
            item = array.dtype.itemsize // (2 if array.dtype.kind == "c" else 1)
            content = np.frombuffer(array.tobytes(), f"<u{item}").astype(f">u{item}").tobytes()
            crc = masked_crc32c(content)
        shape = messages.new("Shape", dim=[messages.new("Dim", size=one) for one in array.shape])
        number = element_types.number_of("string" if array.dtype == object else array.dtype.name)
        entries.append((key.encode(), messages.to_bytes(messages.new("BundleEntry", dtype=number, shape=shape, offset=len(data), size=len(content), crc32c=crc))))
        data += content
    (folder / "w.data-00000-of-00001").write_bytes(data)
    (folder / "w.index").write_bytes(table_of([(b"", messages.to_bytes(messages.new("BundleHeader", num_shards=1, endianness=1))), *entries]))


def test_a_bundle_of_the_other_byte_order_is_read_as_tensorflow_reads_it(tmp_path):
    named = {key: array for key, array in everything().items() if array.dtype == object or array.dtype.name not in ("complex64",) and not array.dtype.name.startswith("float8")}
    big_endian(tmp_path, named)
    check(open_bundle(tmp_path / "w"), named)
    for key, array in named.items():
        theirs = tf.raw_ops.RestoreV2(prefix=str(tmp_path / "w"), tensor_names=[key], shape_and_slices=[""], dtypes=[tf.string if array.dtype == object else tf.as_dtype(array.dtype)])[0].numpy()
        assert np.array_equal(theirs, array) if array.dtype == object else theirs.tobytes() == array.tobytes()


def test_complex_numbers_and_single_bytes_of_the_other_order(tmp_path):
    named = {key: array for key, array in everything().items() if array.dtype.name == "complex64" or array.dtype.name.startswith("float8")}
    big_endian(tmp_path, named)
    check(open_bundle(tmp_path / "w"), named)


JOIN = """
import sys
sys.path[:0] = sys.argv[2].split(":")
from pathlib import Path
from triptych.layouts.tensorflow.bundle import open_bundle

def peak():
    return next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))

bundle = open_bundle(Path(sys.argv[1]))
bundle.tensor("small").read()
before = peak()
assert bundle.tensor("large").read()[-1] == 15
print(peak() - before)
"""


def test_joining_takes_the_memory_of_the_tensor_and_not_that_of_its_parts_too(tmp_path):
    rows = 4 << 20
    names = ["small", "small"] + ["large"] * 16
    cuts = ["2 0,1", "2 1,1"] + [f"{16 * rows} {number * rows},{rows}" for number in range(16)]
    parts = [np.zeros(1, np.int8)] * 2 + [np.full(rows, number, np.int8) for number in range(16)]
    tf.raw_ops.SaveV2(prefix=str(tmp_path / "w"), tensor_names=names, shape_and_slices=cuts, tensors=parts)
    done = subprocess.run([sys.executable, "-c", JOIN, str(tmp_path / "w"), ":".join(sys.path)], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 64 + 30
