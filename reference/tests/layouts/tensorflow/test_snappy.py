"""Blocks that Snappy packed are unpacked; what is no such block is refused without more memory than its bytes can say."""

import random
from pathlib import Path

import pytest
import tensorflow as tf

from triptych.layouts.tensorflow import snappy, varints
from triptych.layouts.tensorflow.bundle import open_bundle

PREFIX = Path(__file__).parents[2] / "fixtures" / "tensorflow_checkpoints" / "snappy"

# Packed by cramjam 2.14.0, whose Snappy is Rust's `snap`.
PACKED = [
    (b"", "00"),
    (b"a", "010061"),
    (b"abc" * 40, "7808616263fe0300d20300"),
    (bytes(range(61)), "3df03c" + bytes(range(61)).hex()),
    (b"x" * 200 + bytes(range(256)) + b"x" * 200, "90050078fe0100fe0100fe01000d01f40501" + bytes(range(256)).hex() + "787878787878fecd01fecd01eecd0129cd"),
]


@pytest.mark.parametrize(("content", "packed"), PACKED)
def test_what_was_packed_comes_back(content, packed):
    assert snappy.unpack(memoryview(bytes.fromhex(packed))) == content


def test_an_index_that_snappy_packed_is_what_tensorflow_reads():
    theirs = tf.train.load_checkpoint(str(PREFIX))
    bundle = open_bundle(PREFIX)
    assert sorted(theirs.get_variable_to_shape_map()) == list(bundle.keys)
    assert len(bundle.keys) == 400
    for key in bundle.keys:
        assert theirs.get_tensor(key).tobytes() == bytes(bundle.tensor(key).read())


def literal(content):
    length = len(content) - 1
    if length < 60:
        return bytes([length << 2]) + content
    width = (length.bit_length() + 7) // 8
    return bytes([(59 + width) << 2]) + length.to_bytes(width, "little") + content


@pytest.mark.parametrize("size", [1, 60, 61, 256, 257, 65536, 65537, 1 << 24, (1 << 24) + 1])
def test_bytes_as_they_are_have_lengths_of_up_to_four_bytes(size):
    content = random.Random(size).randbytes(1000) * (size // 1000) + bytes(size % 1000)
    assert snappy.unpack(memoryview(varints.encode(size) + literal(content))) == content


@pytest.mark.parametrize(("element", "content"), [
    (b"\x01\x03", b"bcdb"), (b"\x1d\x03", b"bcdbcdbcdbc"), (b"\x01\x01", b"dddd"), (b"\x02\x02\x00", b"c"), (b"\xfe\x04\x00", b"abcd" * 16), (b"\x07\x03\x00\x00\x00", b"bc"),
    (b"\x0f\x04\x00\x00\x00", b"abcd"),
])
def test_copies_have_three_forms(element, content):
    """Hand-made after the format's description: offsets of eleven bits, of two bytes and of four; a copy may run into itself."""
    head = b"\x0cabcd"
    expected = head[1:] + content
    assert snappy.unpack(memoryview(varints.encode(len(expected)) + head + element)) == expected


@pytest.mark.parametrize("block", [
    b"", b"\x80", b"\x01", b"\x02\x00a", b"\x00\x00a", b"\x05\x10ab", b"\x04\x01\x01", b"\x05\x00a\x01\x00", b"\x05\x00a\x01\x02", b"\x05\x00a\x01", b"\x05\x00a\x02\x01", b"\x05\x00a\x03\x01\0\0",
    b"\x03\x00a\x01\x01", b"\xff\xff\xff\xff\x0f\x00a", b"\x05\xf0", b"\x05\xfc\xff\xff\xff\xffab", b"\x85\x00\x10abcde",
])
def test_what_is_no_block_is_refused(block):
    with pytest.raises(ValueError):
        snappy.unpack(memoryview(block))


def test_more_than_the_bytes_can_say_is_refused_before_any_is_unpacked():
    with pytest.raises(ValueError, match="at most 149 bytes out of 7, it claims 150"):
        snappy.unpack(memoryview(varints.encode(150) + b"\0a\xfe\1\0"))


def test_integers_are_what_they_are_encoded_as():
    for number in [0, 1, 127, 128, 300, 2**32, 2**63, 2**64 - 1]:
        data = varints.encode(number)
        assert varints.decode(b"x" + data + b"y", 1, 1 + len(data)) == (number, 1 + len(data))
        with pytest.raises(ValueError):
            varints.decode(data[:-1], 0, len(data) - 1)
    for data in (b"\x80\x00", b"\xff" * 9 + b"\x02", b"\x80" * 10 + b"\x01", b"\x80", b""):
        with pytest.raises(ValueError):
            varints.decode(data, 0, len(data))


def test_every_truncation_of_a_block_is_refused():
    packed = bytes.fromhex(PACKED[2][1])
    for end in range(len(packed)):
        with pytest.raises(ValueError):
            snappy.unpack(memoryview(packed[:end]))
