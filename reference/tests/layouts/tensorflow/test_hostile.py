"""Bundles that nobody vouches for: their checksums are good, what they claim is refused with its place, quickly and in little memory."""

import os
import random
import re
import struct
import time
import tracemalloc

import pytest
import watched
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tables import DATA, HEADER, block, cut, entry, run, table, write

from triptych.errors import InvalidModelError, TriptychError, TruncatedError, UnsupportedError
from triptych.layouts.tensorflow import messages, partitions, snappy, sorted_table, varints
from triptych.layouts.tensorflow.bundle import open_bundle
from triptych.layouts.tensorflow.checksums import masked_crc32c
from triptych.layouts.tensorflow.table_writing import table_of
from triptych.limits import DEFAULT_LIMITS, Limits

MIB = 1 << 20


def read(prefix, limits=DEFAULT_LIMITS):
    bundle = open_bundle(prefix, limits=limits)
    return {key: bundle.strings(key) if bundle.dtype_of(key) == "string" else bytes(bundle.tensor(key).read()) for key in bundle.keys}


def part(name, *numbers):
    return partitions.key_of(name, len(numbers) // 2, numbers)


def in_parts(extents, *pieces, **fields):
    """Entries of a tensor `p` in parts of zeros."""
    found = {b"p": entry(extents=extents, size=0, crc32c=0, slices=[cut(*piece) for piece in pieces], **fields)}
    offset = 0
    for piece in pieces:
        sizes = [length for _, length in piece]
        size = 4
        for one in sizes:
            size *= one
        found[part("p", *[number for pair in piece for number in pair])] = entry(DATA[offset : offset + size], extents=sizes, offset=offset, size=size)
        offset += size
    return found


def strings(lengths, content, count, crc_of_lengths=None):
    """Data of strings that claim these lengths, and their entry."""
    spelled = struct.pack(f"<{len(lengths)}I", *lengths)
    said = struct.pack("<I", masked_crc32c(spelled)) if crc_of_lengths is None else crc_of_lengths
    data = b"".join(map(varints.encode, lengths)) + said + content
    return data, {b"s": entry(dtype=7, extents=[count], size=len(data), crc32c=masked_crc32c(spelled, said, content))}


BIG = 2**62
GOOD = {b"a": entry(), b"b": entry(offset=8, extents=[1, 2])}
FLOATS = {
    "bytes beyond the file": ({b"a": entry(offset=60)}, "expected 8 bytes at 60"),
    "an offset beyond all files": ({b"a": entry(offset=BIG)}, "bytes at 4,611,686"),
    "a negative offset": ({b"a": entry(offset=-8)}, "8 bytes at -8"),
    "a negative size": ({b"a": entry(size=-8)}, "got -8"),
    "more bytes than elements": ({b"a": entry(size=12)}, "expected 8 bytes of float32[2], got 12"),
    "more elements than bytes": ({b"a": entry(extents=[1000])}, "expected 4,000 bytes"),
    "elements without end": ({b"a": entry(extents=[2**62, 2**62])}, "elements"),
    "elements that overflow to fit": ({b"a": entry(extents=[2**32, 2**32, 2], size=8)}, "elements"),
    "axes without end": ({b"a": entry(extents=[1] * 10_000)}, "at most 32 axes"),
    "a negative extent": ({b"a": entry(extents=[-2])}, "(-2,)"),
    "an unknown rank": ({b"a": messages.new("BundleEntry", dtype=1, shape=messages.new("Shape", unknown_rank=True))}, "shape of stored elements"),
    "a data file that is none": ({b"a": entry(shard_id=1)}, "one of 1 data files, got number 1"),
    "a negative data file": ({b"a": entry(shard_id=-1)}, "got number -1"),
    "no dtype": ({b"a": entry(dtype=0)}, "got number 0"),
    "a dtype of references": ({b"a": entry(dtype=101)}, "got number 101"),
    "no checksum": ({b"a": entry(crc32c=0)}, "was damaged"),
    "another checksum": ({b"a": entry(crc32c=1)}, "with the checksum 00000001"),
    "two in one place": ({b"a": entry(), b"b": entry()}, "do not overlap"),
    "one over the edge of another": ({b"a": entry(), b"b": entry(offset=7)}, "inside b'a'"),
    "one inside another": ({b"a": entry(extents=[8], size=32), b"b": entry(offset=12)}, "b'b' inside b'a'"),
    "a key of no text": ({b"\xff": entry()}, "keys of UTF-8"),
    "a key without end": ({b"k" * 5000: entry()}, "too long keys"),
    "a long key": ({b"k" * 1100: entry()}, "keys of at most 1,024 bytes"),
    "no message": ({b"a": b"\x0a"}, "BundleEntry"),
    "a message of another type": ({b"a": b"\x0d\0\0\0\0"}, "got number 0"),
}
PARTS = {
    "parts that overlap": (in_parts([4], [(0, 3)], [(2, 1)]), "do not overlap"),
    "the same part twice": ({**in_parts([4], [(0, 2)]), b"p": entry(extents=[4], size=0, slices=[cut((0, 2)), cut((0, 2))])}, "do not overlap"),
    "parts with a gap": (in_parts([4], [(0, 1)], [(2, 2)]), "of 4 elements, got 3"),
    "parts that fill more": (in_parts([2, 2], [(0, 2), (0, 2)], [(1, 1), (0, 1)]), "of 4 elements, got 5"),
    "parts that fill enough and overlap": (in_parts([2, 3], [(0, 1), (0, 3)], [(0, 1), (0, 3)]), "do not overlap"),
    "a part outside": (in_parts([4], [(2, 4)]), "inside the shape (4,)"),
    "a part before the beginning": (in_parts([4], [(-1, 5)]), "5 from -1"),
    "a part of negative length": ({b"p": entry(extents=[4], size=0, slices=[cut((5, -1))])}, "inside the shape"),
    "a part without end": ({b"p": entry(extents=[4], size=0, slices=[cut((1, 2**63 - 1))])}, "inside the shape"),
    "a part of another rank": ({b"p": entry(extents=[4], size=0, slices=[cut((0, 4), (0, 1))])}, "1 axes, got 2"),
    "a part that begins and has no length": ({b"p": entry(extents=[4], size=0, slices=[messages.new("Slice", extent=[messages.new("Extent", start=1)])])}, "inside the shape"),
    "a part that is not there": ({b"p": entry(extents=[4], size=0, slices=[cut((0, 4))])}, "it is not there"),
    "a part of nothing": ({part("p", 0, 4): entry(extents=[4], size=16)}, "parts of tensors that are there"),
    "a part of another dtype": ({**in_parts([4], [(0, 4)]), part("p", 0, 4): entry(dtype=3, extents=[4], size=16)}, "got int32[4]"),
    "a part of another shape": ({**in_parts([4], [(0, 4)]), part("p", 0, 4): entry(extents=[2, 2], size=16)}, "float32[2, 2]"),
    "parts in parts": ({**in_parts([4], [(0, 4)]), part("p", 0, 4): entry(extents=[4], size=0, slices=[cut((0, 4))])}, "expected 16 bytes"),
    "a tensor in parts and in one": ({**in_parts([4], [(0, 4)]), b"p": entry(extents=[4], offset=32, size=16, slices=[cut((0, 4))])}, "no bytes of its own"),
    "a tensor that its parts cannot fill": (in_parts([2**20, 2**20], [(0, 1), (0, 4)]), "of 1,099,511,627,776 elements, got 4"),
}
HEADERS = {
    "no header": (None, "expected a header"),
    "a header of no message": (b"\xff", "BundleHeader"),
    "a later format": ({**HEADER, "version": messages.new("Versions", producer=9, min_consumer=2)}, "for 2 and later"),
    "a format that forbids us": ({**HEADER, "version": messages.new("Versions", bad_consumers=[3, 1])}, "readers of version 1"),
    "no data files": ({}, "one of 0 data files"),
    "negative data files": ({"num_shards": -1}, "got -1"),
    "data files without end": ({"num_shards": 2**31 - 1}, "at most 4,096 data files"),
    "an order of bytes that is none": ({**HEADER, "endianness": 2}, "0 or 1, got 2"),
}


def refused(prefix, said, limits=DEFAULT_LIMITS):
    start = time.process_time()
    with pytest.raises(TriptychError) as caught:
        read(prefix, limits)
    assert time.process_time() - start < 2
    problem = caught.value.problems[0]
    assert said in problem.message, problem.message
    assert problem.place.startswith(prefix.name + "."), problem
    return problem


def test_the_bundles_that_all_others_are_made_from_are_sound(tmp_path):
    assert read(write(tmp_path / "w", GOOD)) == {"a": DATA[:8], "b": DATA[8:16]}
    assert read(write(tmp_path / "w", in_parts([2, 3], [(0, 1), (0, 3)], [(1, 1), (0, 2)], [(1, 1), (2, 1)]))) == {"p": DATA[:24]}
    data, entries = strings([1, 0, 3], b"abcd", 3)
    assert read(write(tmp_path / "w", entries, data=data)) == {"s": (b"a", b"", b"bcd")}


@pytest.mark.parametrize("trick", [*FLOATS, *PARTS])
def test_what_an_entry_cannot_claim_is_refused(tmp_path, trick):
    entries, said = {**FLOATS, **PARTS}[trick]
    refused(write(tmp_path / "w", entries), said)


@pytest.mark.parametrize("trick", HEADERS)
def test_what_a_header_cannot_claim_is_refused(tmp_path, trick):
    header, said = HEADERS[trick]
    prefix = write(tmp_path / "w", GOOD, header)
    if header is None:
        (tmp_path / "w.index").write_bytes(table_of([(key, messages.to_bytes(value)) for key, value in GOOD.items()]))
    refused(prefix, said)


@pytest.mark.parametrize(("lengths", "content", "count", "said"), [
    ([4], b"abc", 1, "bytes of strings"), ([2], b"abc", 1, "bytes of strings"), ([2**40], b"abc", 1, "1,099,511,627,786 bytes"), ([2**64 - 1], b"", 1, "bytes of strings"),
    ([1, 2], b"abc", 2**40, "at most 4,000,000 strings"), ([1, 2], b"abc", 100, "lengths of 100 strings"), ([1, 2], b"abc", 1, "bytes of strings"), ([1], b"a", 0, "bytes of strings"),
])
def test_what_strings_cannot_claim_is_refused(tmp_path, lengths, content, count, said):
    data = b"".join(map(varints.encode, lengths)) + b"\0\0\0\0" + content
    refused(write(tmp_path / "w", {b"s": entry(data, dtype=7, extents=[count], size=len(data))}, data=data), said)


def test_strings_with_other_checksums_are_refused(tmp_path):
    data, entries = strings([1, 2], b"abc", 2, crc_of_lengths=b"\0\0\0\0")
    refused(write(tmp_path / "w", entries, data=data), "lengths of strings with their checksum")
    data, entries = strings([1, 2], b"abc", 2)
    refused(write(tmp_path / "w", entries, data=data[:-1] + b"d"), "strings with the checksum")
    data = b"\x80\x00" + struct.pack("<I", masked_crc32c(b"\0\0\0\0"))
    refused(write(tmp_path / "w", {b"s": entry(data, dtype=7, extents=[1], size=len(data))}, data=data), "as few bytes as it takes")


def test_an_entry_of_a_dtype_that_is_not_read_is_kept_inside_its_file_too(tmp_path):
    refused(write(tmp_path / "w", {b"a": entry(dtype=18, extents=[4], offset=48, size=64)}), "the file has 64")
    refused(write(tmp_path / "w", {b"a": entry(dtype=21), b"b": entry()}), "do not overlap")


def test_parts_that_take_too_long_to_compare_are_refused(tmp_path, monkeypatch):
    """Parts that all begin at one place along the axis that is cut most would be compared each with each."""
    pieces = [[(row % 2, 1), (row, 1)] for row in range(2)] + [[(1, 1), (0, 1)], [(0, 1), (1, 1)]]
    monkeypatch.setattr(partitions, "COMPARISONS", 2)
    monkeypatch.setattr(partitions.Effort, "__init__", lambda self: setattr(self, "left", 1))
    refused(write(tmp_path / "w", in_parts([2, 2], *pieces)), "comparisons")


def test_many_parts_are_compared_in_time(tmp_path):
    """2,000 rows, and a grid of 40 by 40: what no part stands beside is not compared."""
    for extents, pieces in (([2000], [[(at, 1)] for at in range(2000)]), ([40, 40], [[(at // 40, 1), (at % 40, 1)] for at in range(1600)])):
        data = bytes(8000)
        entries = {b"p": entry(extents=extents, size=0, slices=[cut(*one) for one in pieces])}
        for number, one in enumerate(pieces):
            entries[part("p", *[n for pair in one for n in pair])] = entry(bytes(4), extents=[1] * len(extents), offset=4 * number, size=4)
        start = time.process_time()
        assert len(read(write(tmp_path / "w", entries, data=data))["p"]) == 4 * len(pieces)
        assert time.process_time() - start < 4


def limited(**limits):
    return Limits(**limits)


@pytest.mark.parametrize(("limits", "more", "said"), [
    ({"tensors": 2}, {b"c": entry(offset=16)}, "at most 2 tensors, got 3"),
    ({"rank": 2}, {b"c": entry(offset=16, extents=[1, 1, 2])}, "at most 2 axes"),
    ({"elements": 2}, {b"c": entry(offset=16, extents=[3], size=12)}, "2 elements"),
    ({"name_bytes": 1}, {b"cc": entry(offset=16)}, "at most 1 bytes, got 2"),
    ({"header_bytes": None}, {}, "at most"),
    ({"shards": 0}, {}, "at most 0 data files"),
])
def test_limits_are_kept(tmp_path, limits, more, said):
    size = write(tmp_path / "w", GOOD).with_suffix(".index").stat().st_size
    exact = limited(**{name: size if value is None else max(value, 1) for name, value in limits.items()})
    assert set(read(tmp_path / "w", exact)) == {"a", "b"}
    over = limited(**{name: size - 1 if value is None else value for name, value in limits.items()})
    refused(write(tmp_path / "w", {**GOOD, **more}), said, over)


def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path):
    write(tmp_path / "w", GOOD)
    (tmp_path / "w.data-00000-of-00001").unlink()
    os.mkfifo(tmp_path / "w.data-00000-of-00001")
    refused(tmp_path / "w", "expected a regular file")
    (tmp_path / "w.data-00000-of-00001").unlink()
    (tmp_path / "w.data-00000-of-00001").mkdir()
    refused(tmp_path / "w", "expected a regular file")


# --- tables

K = b"\0\0\1"  # an entry with nothing in it
TABLES = {
    "nothing": (b"", TruncatedError),
    "zeros": (bytes(48), TruncatedError),
    "a magic alone": (bytes(40) + sorted_table.MAGIC, InvalidModelError),
    "the index as its own first block": (table([], index=block(run((0, b"k", varints.encode(13) + varints.encode(16))))), InvalidModelError),
    "a block that is listed twice": (table([(b"k", block(run((0, b"k", b"v"))))], index=block(run((0, b"k", b"\0\x0d"), (0, b"l", b"\0\x0d"), restarts=(0, 6)))), InvalidModelError),
    "a block that is not listed": (table([(b"k", block(run((0, b"k", b"v"))))], index=block(run())), InvalidModelError),
    "bytes between blocks": (table([(b"k", block(run((0, b"k", b"")))), (None, b"hidden"), (b"l", block(run((0, b"l", b""))))]), InvalidModelError),
    "a handle beyond the file": (table([], index=block(run((0, b"k", varints.encode(0) + varints.encode(2**63))))), InvalidModelError),
    "a handle that is cut": (table([], index=block(run((0, b"k", b"\x80")))), InvalidModelError),
    "a handle and more": (table([(b"k", block(run((0, b"k", b"v"))))], index=block(run((0, b"k", b"\0\x0d\0")))), InvalidModelError),
    "keys out of order": (table([(b"z", block(run((0, b"b", b""), (0, b"a", b""))))]), InvalidModelError),
    "a key twice": (table([(b"z", block(run((0, b"b", b""), (1, b"", b""))))]), InvalidModelError),
    "keys out of order over blocks": (table([(b"m", block(run((0, b"m", b"")))), (b"z", block(run((0, b"a", b""))))]), InvalidModelError),
    "a block that ends after its key": (table([(b"a", block(run((0, b"b", b""))))]), InvalidModelError),
    "a block that begins before the last one's key": (table([(b"p", block(run((0, b"a", b"")))), (b"z", block(run((0, b"c", b""))))]), InvalidModelError),
    "keys of blocks out of order": (table([(b"p", block(run((0, b"a", b"")))), (b"c", block(run((0, b"q", b""))))]), InvalidModelError),
    "an empty block": (table([(b"a", block(run()))]), InvalidModelError),
    "a block of nothing": (table([(b"a", block(b""))]), InvalidModelError),
    "no restart point": (table([(b"k", block(run((0, b"k", b""), restarts=())))]), InvalidModelError),
    "restart points without end": (table([(b"k", block(b"\0\1\0k\0\0\0\0" + struct.pack("<I", 2**31)))]), InvalidModelError),
    "a first restart point later": (table([(b"l", block(run((0, b"k", b""), (0, b"l", b""), restarts=(4,))))]), InvalidModelError),
    "a restart point between entries": (table([(b"l", block(run((0, b"k", b""), (0, b"l", b""), restarts=(0, 3))))]), InvalidModelError),
    "a restart point behind": (table([(b"k", block(run((0, b"k", b""), restarts=(0, 4))))]), InvalidModelError),
    "a restart point inside an entry": (table([(b"l", block(run((0, b"k", b""), (0, b"l", b""), restarts=(0, 5))))]), InvalidModelError),
    "a restart point twice": (table([(b"k", block(run((0, b"k", b""), restarts=(0, 0))))]), InvalidModelError),
    "a restart point in a shared key": (table([(b"kl", block(run((0, b"k", b""), (1, b"l", b""), restarts=(0, 4))))]), InvalidModelError),
    "a key that shares what is not there": (table([(b"z", block(run((1, b"k", b""))))]), InvalidModelError),
    "a key beyond its block": (table([(b"k", block(b"\0\x7f\0k" + struct.pack("<II", 0, 1)))]), InvalidModelError),
    "a value beyond its block": (table([(b"k", block(b"\0\1\x7fk" + struct.pack("<II", 0, 1)))]), InvalidModelError),
    "a value without end": (table([(b"k", block(b"\0\1" + varints.encode(2**64 - 1) + b"k" + struct.pack("<II", 0, 1)))]), InvalidModelError),
    "a length of eleven bytes": (table([(b"k", block(b"\0\1" + b"\x80" * 10 + b"\1k" + struct.pack("<II", 0, 1)))]), InvalidModelError),
    "a length of 65 bits": (table([(b"k", block(b"\0\1" + b"\xff" * 9 + b"\2k" + struct.pack("<II", 0, 1)))]), InvalidModelError),
    "a filter": (table([], meta=block(run((0, b"filter.x", b"")))), UnsupportedError),
    "a compression that is none": (table([(b"k", block(run((0, b"k", b"")), 2))]), UnsupportedError),
    "Snappy that is none": (table([(b"k", block(b"\x05\xff\xff", 1))]), InvalidModelError),
    "Snappy that claims a gigabyte": (table([(b"k", block(varints.encode(1 << 30) + b"\xfe\1\0" * 1000, 1))]), InvalidModelError),
    "bytes before the first block": (table([], footer=b"").join([b"x", b""]) + table([])[-48:], InvalidModelError),
}


@pytest.mark.parametrize("trick", TABLES)
def test_what_a_table_cannot_be_is_refused(trick):
    content, error = TABLES[trick]
    with pytest.raises(error) as caught:
        list(sorted_table.entries(memoryview(content), "w.index", DEFAULT_LIMITS))
    assert re.fullmatch(r"w\.index(@\d+)?", caught.value.problems[0].place)


def test_tables_that_the_tricks_are_made_from_are_sound():
    assert list(sorted_table.entries(memoryview(table([])), "w", DEFAULT_LIMITS)) == []
    two = table([(b"m", block(run((0, b"k", b"v"), (1, b"l", b"w"), (0, b"m", b""), restarts=(0, 10)))), (b"z", block(run((0, b"n", b"x"))))])
    assert list(sorted_table.entries(memoryview(two), "w", DEFAULT_LIMITS)) == [(b"k", b"v"), (b"kl", b"w"), (b"m", b""), (b"n", b"x")]


def most_memory(attempt):
    tracemalloc.start()
    try:
        with pytest.raises(TriptychError):
            attempt()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_keys_that_grow_without_end_are_refused_in_little_memory():
    """Each key shares all of the one before: a megabyte would say gigabytes of keys."""
    first = (0, b"k" * 4000, b"")
    content = run(first, *((4000, struct.pack(">I", number), b"") for number in range(100_000)))
    whole = table([(b"z", block(content))])
    assert len(whole) < MIB
    assert most_memory(lambda: list(sorted_table.entries(memoryview(whole), "w", DEFAULT_LIMITS))) < 32 * len(whole)


def test_more_entries_than_tensors_may_have_are_refused():
    content = table([(b"z", block(run(*((0, struct.pack(">I", number), b"") for number in range(30)))))])
    assert len(list(sorted_table.entries(memoryview(content), "w", Limits(tensors=15)))) == 30
    with pytest.raises(UnsupportedError):
        list(sorted_table.entries(memoryview(content), "w", Limits(tensors=14)))


def test_a_packed_block_takes_no_more_memory_than_its_bytes_can_say():
    packed = varints.encode(64 * 10_000 + 1) + b"\0a" + b"\xfe\1\0" * 10_000
    unpacked = len(snappy.unpack(memoryview(packed)))
    assert unpacked == 64 * 10_000 + 1 < len(packed) * 64 / 3
    assert most_memory(lambda: list(sorted_table.entries(memoryview(table([(b"k", block(packed, 1))])), "w", DEFAULT_LIMITS))) < 70 * len(packed)


# --- mutations

NUMBERS = st.one_of(st.sampled_from([0, 1, -1, 7, 8, 9, 63, 64, 65, 2**31 - 1, -(2**31)]), st.integers(-(2**31), 2**31 - 1))
LARGE = st.one_of(NUMBERS, st.sampled_from([2**32, 2**62, 2**63 - 1, -(2**63)]))
SHAPES = st.lists(st.one_of(st.integers(0, 4), LARGE), max_size=4).map(lambda all_: messages.new("Shape", dim=[messages.new("Dim", size=one) for one in all_]))
SLICES = st.lists(st.lists(st.one_of(st.none(), st.tuples(st.integers(0, 3), st.integers(0, 3)), st.tuples(LARGE, LARGE)), max_size=3).map(lambda one: cut(*one)), max_size=3)
ENTRIES = st.fixed_dictionaries(
    {}, optional={"dtype": st.one_of(st.integers(0, 34), NUMBERS), "shape": SHAPES, "shard_id": st.one_of(st.just(0), NUMBERS), "offset": LARGE, "size": LARGE,
                  "crc32c": st.one_of(st.integers(0, 2**32 - 1), st.just(masked_crc32c(DATA[:8]))), "slices": SLICES})


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.one_of(st.sampled_from([b"a", b"b", b"p", part("p", 0, 2), part("a", 0, -1)]), st.binary(min_size=1, max_size=6)), ENTRIES, max_size=5))
def test_entries_of_any_numbers_are_read_or_refused(tmp_path, entries):
    prefix = write(tmp_path / "w", {key: messages.new("BundleEntry", **one) for key, one in entries.items()})
    try:
        bundle = open_bundle(prefix)
        for key in bundle.keys:
            if bundle.dtype_of(key) == "string":
                bundle.strings(key)
            else:
                assert bundle.tensor(key).read().nbytes == bundle.tensor(key).nbytes
    except TriptychError as error:
        assert error.problems[0].place


def test_blocks_of_any_bytes_are_read_or_refused():
    """4,000 tables with some bytes of a block changed and its checksum made good again."""
    chance = random.Random(5)
    keys = sorted({f"layer/{number % 7}/{'kernel' * (number % 3)}{number}".encode() for number in range(60)})
    content = table_of([(key, messages.to_bytes(entry(offset=0))) for key in keys], block_bytes=300)
    good = list(sorted_table.entries(memoryview(content), "w", DEFAULT_LIMITS))
    index = sorted_table._index(memoryview(content), "w")
    assert [key for key, _ in good] == keys
    spans = []
    for _, handle in sorted_table._block_entries(index.content, "w", sorted_table._Budget(1000, 10**6, 10**6)):
        start, at = varints.decode(handle, 0, len(handle))
        size, _ = varints.decode(handle, at, len(handle))
        spans.append((start, size))
    spans.append((index.start, len(index.content)))
    outcomes = {"read": 0, "refused": 0}
    for _ in range(4000):
        start, size = chance.choice(spans)
        copy = bytearray(content)
        for _ in range(chance.choice((1, 1, 2, 5))):
            copy[start + chance.randrange(size + 1)] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
        copy[start + size + 1 : start + size + 5] = struct.pack("<I", masked_crc32c(bytes(copy[start : start + size + 1])))
        try:
            found = list(sorted_table.entries(memoryview(bytes(copy)), "w", DEFAULT_LIMITS))
            assert [key for key, _ in found] == sorted({key for key, _ in found})
            outcomes["read"] += 1
        except TriptychError as error:
            assert error.problems[0].place.startswith("w")
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 100, outcomes


READING = """
import os
from pathlib import Path
from triptych.errors import TriptychError
from triptych.layouts.tensorflow.bundle import open_bundle
from triptych.layouts.tensorflow.locate import locate
def go():
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        try:
            bundle = open_bundle(locate(folder))
            for key in bundle.keys:
                bundle.strings(key) if bundle.dtype_of(key) == "string" else bundle.tensor(key).read()
        except (TriptychError, FileNotFoundError):
            assert folder.name != "good", folder
        else:
            assert folder.name == "good", folder
"""


def test_nothing_is_imported_opened_or_started_because_a_file_says_so(tmp_path):
    cases = {"good": (GOOD, HEADER), **{f"{number}": (one[0], HEADER) for number, one in enumerate({**FLOATS, **PARTS}.values())}}
    cases.update({"outside": ({b"../../../../etc/passwd": entry(shard_id=3)}, HEADER), "code": ({b"__import__('antigravity')": entry(dtype=21)}, HEADER)})
    for name, (entries, header) in cases.items():
        (tmp_path / "folders" / name).mkdir(parents=True)
        write(tmp_path / "folders" / name / "w", entries, header)
    (tmp_path / "folders" / "led away").mkdir()
    (tmp_path / "folders" / "led away" / "checkpoint").write_text(f'model_checkpoint_path: "../../secret"\nall_model_checkpoint_paths: "/etc/passwd"\n')
    write(tmp_path / "secret", GOOD)
    watched.check(READING, tmp_path / "folders", "antigravity", "tensorflow")
