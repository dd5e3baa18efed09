"""V1 checkpoints: numbers as TensorFlow packs them, and files that claim what cannot be."""

import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tables import cut
from tensorflow.core.framework import tensor_pb2

from triptych import dtypes
from triptych.errors import InvalidModelError, TriptychError, TruncatedError, UnsupportedError
from triptych.layouts.tensorflow import messages, packed_numbers, partitions
from triptych.layouts.tensorflow.bundle import open_bundle
from triptych.layouts.tensorflow.locate import locate
from triptych.layouts.tensorflow.table_writing import table_of
from triptych.limits import Limits

FIELDS = {
    "float32": "float_val", "float64": "double_val", "int32": "int_val", "int16": "int_val", "int8": "int_val", "uint8": "int_val", "uint16": "int_val", "int64": "int64_val",
    "bool": "bool_val", "float16": "half_val", "bfloat16": "half_val", "uint32": "uint32_val", "uint64": "uint64_val", "complex64": "scomplex_val",
}


def theirs(array):
    """`array` as TensorFlow's own message class spells it."""
    name = array.dtype.name
    values = array.reshape(-1)
    if name in ("float16", "bfloat16"):
        values = values.view(np.uint16)
    if name == "complex64":
        values = values.view(np.float32)
    return tensor_pb2.TensorProto(**{FIELDS[name]: values.tolist()}).SerializeToString()


@pytest.mark.parametrize("name", FIELDS)
def test_numbers_are_unpacked_as_tensorflow_packs_them(name):
    """All bit patterns of small dtypes and some of large ones, more of them than are decoded at a time; and none."""
    dtype = dtypes.numpy_dtype(name)
    generator = np.random.default_rng(2)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        array = np.concatenate([np.array([limits.min, limits.max, 0, 1], dtype), generator.integers(0, 256, 60_000 * dtype.itemsize, np.uint8).view(dtype)])
    elif name == "bool":
        array = generator.integers(0, 2, 300_000).astype(bool)
    elif name in ("float16", "bfloat16"):
        array = np.tile(np.arange(65536, dtype=np.uint16), 3).view(dtype)
    else:
        array = generator.standard_normal(2 * 70_000).astype(np.float32 if name != "float64" else np.float64).view(dtype)
    for one in (array, array[:0], array[:1]):
        message = messages.parse("PackedTensor", theirs(one), "m")
        assert bytes(packed_numbers.elements(message, name, one.size, "m")) == one.tobytes()
        with pytest.raises(InvalidModelError):
            packed_numbers.elements(message, name, one.size + 1, "m")


def packed(**fields):
    return messages.new("PackedTensor", **{name: [value] for name, value in fields.items()})


@pytest.mark.parametrize(("dtype", "fields", "count"), [
    ("int8", {"int_val": b"\x80\x01"}, 1), ("int8", {"int_val": b"\xff\x01"}, 1), ("uint8", {"int_val": b"\xff" * 9 + b"\x01"}, 1), ("bool", {"bool_val": b"\x02"}, 1), ("bool", {"bool_val": b"\x80\x02"}, 1),
    ("float16", {"half_val": b"\x80\x80\x04"}, 1), ("int32", {"int_val": b"\x80" * 12 + b"\x01"}, 1), ("int32", {"int_val": b"\x80"}, 1), ("int32", {"int_val": b"\x01\x80"}, 1),
    ("int32", {"int_val": b"\x80" * 600_000 + b"\x01"}, 1), ("int32", {}, 1), ("int32", {"int64_val": b"\x01"}, 1), ("float32", {"float_val": b"\0\0\0"}, 1), ("float32", {"float_val": b"\0" * 8}, 1),
    ("float32", {"double_val": b"\0" * 4}, 1), ("int64", {"int64_val": b"\x01" * 5}, 4),
])
def test_numbers_that_a_dtype_has_not_are_refused(dtype, fields, count):
    with pytest.raises(InvalidModelError) as caught:
        packed_numbers.elements(packed(**fields), dtype, count, "m#a")
    assert caught.value.problems[0].place == "m#a"


def test_a_dtype_that_has_no_field_is_refused():
    with pytest.raises(UnsupportedError, match="float8_e5m2"):
        packed_numbers.elements(packed(), "float8_e5m2", 0, "m")


# --- files

FLOATS = struct.pack("<4f", 1, 2, 3, 4)
WHOLE = [cut(None)]


def meta(name="a", extents=(4,), dtype=1, slices=WHOLE):
    shape = messages.new("Shape", dim=[messages.new("Dim", size=one) for one in extents])
    return messages.new("SliceMeta", name=name, shape=shape, type=dtype, slice=slices)


def piece(name="a", numbers=(0, -1), said=None, **fields):
    """An entry with a part: its key, and a message of floats."""
    data = messages.new("SliceData", name=name if said is None else said, data=packed(**(fields or {"float_val": FLOATS})))
    return partitions.key_of(name, len(numbers) // 2, numbers), messages.new("SavedTensorSlices", data=data)


def write(path, tensors, pieces, **versions):
    head = messages.new("SavedTensorSlices", meta=messages.new("SlicesMeta", tensor=tensors, versions=messages.new("Versions", **versions)))
    entries = {b"": head, **dict(pieces)}
    path.write_bytes(table_of(sorted((key, messages.to_bytes(one)) for key, one in entries.items() if one is not None)))
    return path


def read(path, **limits):
    bundle = open_bundle(path, limits=Limits(**limits))
    return {key: bundle.strings(key) if bundle.dtype_of(key) == "string" else bytes(bundle.tensor(key).read()) for key in bundle.keys}


HALVES = [cut((0, 2)), cut((2, 2))]
TRICKS = {
    "no part": ([meta()], [], "it is not there"),
    "no parts said": ([meta(slices=[])], [piece()], "of 4 elements, got 0"),
    "a part of nothing": ([], [piece()], "parts of tensors that are there"),
    "a part under another key": ([meta()], [piece(numbers=(0, 4))], "it is not there"),
    "a part of another name": ([meta()], [piece(said="b")], "a part of 'a', got one of 'b'"),
    "parts that overlap": ([meta(slices=[cut((0, 2)), cut((1, 2))])], [piece(numbers=(0, 2)), piece(numbers=(1, 2))], "do not overlap"),
    "a gap": ([meta(slices=[cut((0, 2))])], [piece(numbers=(0, 2))], "of 4 elements, got 2"),
    "a part outside": ([meta(slices=[cut((2, 4))])], [piece(numbers=(2, 4))], "inside the shape (4,)"),
    "a part of another rank": ([meta(slices=[cut(None, None)])], [piece()], "with 1 axes, got 2"),
    "fewer elements": ([meta(extents=(8,))], [piece()], "expected 8 elements of float32, got 16 bytes"),
    "more elements": ([meta(extents=(2,))], [piece()], "expected 2 elements of float32, got 16 bytes"),
    "elements without end": ([meta(extents=(2**61, 8), slices=[cut(None, None)])], [piece(numbers=(0, -1, 0, -1))], "elements"),
    "elements of another dtype": ([meta(dtype=9)], [piece()], "expected 4 integers, got 0"),
    "fewer strings": ([meta(dtype=7)], [piece(string_val=b"one")], "expected 4 strings, got 1"),
    "a dtype that is none": ([meta(dtype=77)], [piece()], "got number 77"),
    "a negative extent": ([meta(extents=(-4,))], [piece()], "(-4,)"),
    "a later format": ([meta()], [piece()], "for 3 and later"),
    "no meta": (None, [piece()], "under the empty key"),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_what_a_v1_file_cannot_claim_is_refused(tmp_path, trick):
    tensors, pieces, said = TRICKS[trick]
    path = write(tmp_path / "m", tensors or [], [*pieces, *([(b"", None)] if tensors is None else [])], min_consumer=3 if trick == "a later format" else 0)
    with pytest.raises(TriptychError) as caught:
        read(path)
    assert said in caught.value.problems[0].message
    assert caught.value.problems[0].place.startswith("m")


def test_the_file_that_all_tricks_are_made_from_is_sound(tmp_path):
    assert read(write(tmp_path / "m", [meta()], [piece()])) == {"a": FLOATS}
    halves = [piece(numbers=(0, 2), float_val=FLOATS[:8]), piece(numbers=(2, 2), float_val=FLOATS[8:])]
    assert read(write(tmp_path / "m", [meta(slices=HALVES)], halves)) == {"a": FLOATS}
    assert locate(tmp_path) == tmp_path / "m"


def test_parts_come_from_all_files(tmp_path):
    first, second = piece(numbers=(0, 2), float_val=FLOATS[:8]), piece(numbers=(2, 2), float_val=FLOATS[8:])
    names = [tmp_path / f"m-0000{number}-of-00002" for number in range(2)]
    write(names[0], [meta(slices=HALVES[:1])], [first])
    write(names[1], [meta(slices=HALVES[1:]), meta("b")], [second, piece("b")])
    for prefix in (tmp_path / "m", tmp_path / "m-?????-of-00002", locate(tmp_path), locate(names[1])):
        assert read(prefix) == {"a": FLOATS, "b": FLOATS}
    for tensors, pieces, said in (([meta(slices=HALVES)], [first, second], "each part once"), ([meta(dtype=3, slices=HALVES[1:])], [second], "as in another file"), ([meta(extents=(5,), slices=HALVES[1:])], [second], "as in another file")):
        write(names[1], tensors, pieces)
        with pytest.raises(InvalidModelError, match=said):
            read(tmp_path / "m")
    with pytest.raises(UnsupportedError, match="at most 1 files"):
        read(tmp_path / "m", shards=1)
    names[1].unlink()
    with pytest.raises(TruncatedError, match="of-00002 … and no others, got 1"):
        read(tmp_path / "m")
    write(tmp_path / "m-00000-of-00001", [], [])
    with pytest.raises(TruncatedError, match="and no others, got 2"):
        read(tmp_path / "m")


def test_limits_are_kept(tmp_path):
    path = write(tmp_path / "m", [meta(), meta("b")], [piece(), piece("b")])
    assert set(read(path, tensors=2, name_bytes=4)) == {"a", "b"}
    for limits in ({"tensors": 1}, {"rank": 0}, {"elements": 3}, {"name_bytes": 0}):
        with pytest.raises(UnsupportedError):
            read(path, **limits)
    words = piece(string_val=b"one")
    assert read(write(tmp_path / "m", [meta(extents=(1,), dtype=7)], [words]), values=1) == {"a": (b"one",)}
    with pytest.raises(UnsupportedError, match="at most 0 strings, got 1"):
        read(tmp_path / "m", values=0)


NAMES = st.sampled_from(["a", "b", "é", ""])
NUMBERS = st.one_of(st.integers(-2, 5), st.sampled_from([2**31, 2**62, -(2**63)]))
CUTS = st.lists(st.one_of(st.none(), st.tuples(NUMBERS, NUMBERS)), max_size=2).map(lambda one: cut(*one))
METAS = st.builds(meta, NAMES, st.lists(NUMBERS, max_size=2), st.sampled_from([0, 1, 3, 7, 9, 10, 18, 19, 99]), st.lists(CUTS, max_size=2))
PIECES = st.builds(piece, NAMES, st.lists(st.integers(-1, 4), max_size=2).filter(lambda all_: len(all_) % 2 == 0), st.one_of(st.none(), NAMES),
                   float_val=st.binary(max_size=16), int_val=st.binary(max_size=12), int64_val=st.binary(max_size=12), string_val=st.binary(max_size=4))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(METAS, max_size=3), st.lists(PIECES, max_size=3))
def test_files_of_any_content_are_read_or_refused(tmp_path, tensors, pieces):
    try:
        read(write(tmp_path / "m", tensors, pieces))
    except TriptychError as error:
        assert error.problems[0].place
