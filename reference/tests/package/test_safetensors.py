"""Our safetensors files and those of the upstream library are the same thing."""

import gc
import json
import random

import numpy as np
import pytest
import safetensors
import safetensors.numpy

from triptych import dtypes
from triptych.errors import Findings, InvalidModelError, UnsupportedError
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Tensor, Weights
from triptych.package.safetensors_file import TensorFile, plan, read_header, write_safetensors
from triptych.package.safetensors_header import _is_faultless


def file_of(tensors, metadata=None):
    parts = []
    write_safetensors(tensors, lambda views: parts.extend(map(bytes, views)), metadata)
    return b"".join(parts)


def opened(content):
    findings = Findings().at("m.safetensors")
    header = read_header(memoryview(content), findings)
    assert findings.problems == []
    return TensorFile("m.safetensors", memoryview(content), header, None)


UPSTREAM = {"float8_e4m3fn": "float8_e4m3fn", "float8_e5m2": "float8_e5m2"}


def everything():
    chance = random.Random(3)
    tensors = {}
    for dtype in dtypes.DTYPES:
        for shape in ((), (3, 4), (0, 2), (8,)):
            size = dtypes.nbytes(dtype.name, int(np.prod(shape)))
            if int(np.prod(shape)) * dtype.item_bits % 8:
                continue
            data = chance.randbytes(size)
            tensors[f"{dtype.name}.{len(shape)}.{size}"] = Tensor(dtype.name, shape, lambda data=data: memoryview(data))
    return tensors


def test_the_upstream_library_reads_ours():
    tensors = everything()
    known = {name: tensor for name, tensor in tensors.items() if dtypes.BY_NAME[tensor.dtype].item_bits >= 8}
    found = dict(safetensors.deserialize(file_of(known)))
    assert set(found) == set(known)
    for name, tensor in known.items():
        assert found[name]["shape"] == list(tensor.shape)
        assert found[name]["dtype"] == dtypes.BY_NAME[tensor.dtype].safetensors
        assert bytes(found[name]["data"]) == bytes(tensor.read())


def test_we_read_the_upstream_librarys():
    arrays = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array(7, np.int64), "c": np.zeros((0, 3), np.float16), "d": np.array([True, False])}
    content = safetensors.numpy.save(arrays, {"format": "pt"})
    file = opened(content)
    assert file.header.metadata == {"format": "pt"}
    for name, array in arrays.items():
        assert np.array_equal(file[name].array(), array)
        assert file[name].array().dtype == array.dtype


def test_without_metadata_ours_are_the_upstream_librarys_bytes():
    """Where its padding happens to be ours: same order, same header."""
    arrays = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array(7, np.int64), "c": np.zeros((0, 3), np.float16), "x": np.array([1], np.uint8)}
    ours, theirs = file_of(Weights.from_arrays(arrays).tensors), safetensors.numpy.save(arrays)
    length = int.from_bytes(theirs[:8], "little")
    assert ours[8 : 8 + length].rstrip() == theirs[8 : 8 + length].rstrip()
    assert ours[8 + int.from_bytes(ours[:8], "little") :] == theirs[8 + length :]


def test_everything_comes_back():
    tensors = everything()
    file = opened(file_of(tensors, {"b": "2", "a": "\u00e9"}))
    assert list(file.header.metadata.items()) == [("a", "\u00e9"), ("b", "2")]
    assert set(file) == set(tensors)
    for name, tensor in tensors.items():
        assert (file[name].dtype, file[name].shape, bytes(file[name].read())) == (tensor.dtype, tensor.shape, bytes(tensor.read()))


def test_the_quick_proof_lets_nothing_pass_that_the_rules_refuse():
    """20,000 headers, most with a fault somewhere: what the quick way accepts the slow way accepts, and mostly the other way round."""
    chance = random.Random(5)
    both = 0
    for _ in range(20_000):
        text, payload = _header(chance)
        try:
            quick = json.loads(text)
        except (ValueError, RecursionError):
            quick = None
        faultless = isinstance(quick, dict) and _is_faultless(quick, text, DEFAULT_LIMITS, payload)
        slow = _slow(text, payload)
        assert slow or not faultless, text
        both += faultless and slow
    assert both > 2_000


def _slow(text, payload):
    findings = Findings(frozenset({"nothing"})).at("m")  # any name switches the quick way off
    content = len(text).to_bytes(8, "little") + text + bytes(payload)
    try:
        read_header(memoryview(content), findings)
    except (InvalidModelError, UnsupportedError):
        return False
    return not findings.problems


def _header(chance):
    entries, at = {}, 0
    for number in range(chance.randrange(4)):
        shape = [chance.randrange(1, 4) for _ in range(chance.randrange(3))]
        dtype = chance.choice(["F32", "I8", "BF16", "F4", "BOOL"])
        bits = int(np.prod(shape)) * {"F32": 32, "I8": 8, "BF16": 16, "F4": 4, "BOOL": 8}[dtype]
        if bits % 8:
            dtype, bits = "I8", bits * 2
        entries[chance.choice(["a", "b", "c.kernel", "x:y", ":", "\u00e9"]) + str(number)] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + bits // 8]}
        at += bits // 8
    if chance.random() < 0.2:
        entries["__metadata__"] = {"format": "pt"}
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False)
    for _ in range(chance.choice([0, 0, 1, 1, 2])):
        old, new = chance.choice([
            ('"shape"', '"shape" '), ('"dtype":"I8"', '"dtype":"I8","dtype":"I8"'), ("[", "[ "), ("1", "1.0"), ("1", "true"), ("1", "0"), ("1", "-1"),
            ("[0,", "[1,"), ('"a', '"\\u0061'), ('"a', '"b'), ('{"', '{ "'), ("}", "} "), ('"F32"', '"f32"'), ("2", "9007199254740993"), ('"b', '"\u202e'),
            ('"a0":', '"a0" :'), (":{", ":{},\"a0\":{"), ('"pt"', "null"), ('"x', '"'), ("3", "3e0"), (",", ",,"), ("[1", "[1,1,1"), ('":"', '" :"'),
        ])
        places = [i for i in range(len(text)) if text.startswith(old, i)]
        if places:
            place = chance.choice(places)
            text = text[:place] + new + text[place + len(old) :]
    return text.encode(), at + chance.choice([0, 0, 0, 0, 1])


def test_a_repeated_name_is_refused_in_every_guise():
    entry = '{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'
    for text in (
        f'{{"a":{entry},"a":{entry}}}', f'{{"a" :{entry},"\\u0061":{entry}}}', f'{{"__metadata__":{{"x":"1","x":"2"}},"a":{entry}}}',
        '{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
    ):
        content = len(text).to_bytes(8, "little") + text.encode() + b"x"
        with pytest.raises(InvalidModelError) as caught:
            read_header(memoryview(content), Findings())
        assert caught.value.problems[0].code == "OBJECT_DUPLICATE_NAME"


def test_the_collector_is_left_as_it_was():
    content = file_of(everything())
    assert gc.isenabled()
    opened(content)
    assert gc.isenabled()
    gc.disable()
    try:
        opened(content)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_planning_reads_nothing():
    def refuse():
        raise AssertionError

    planned = plan({"a": Tensor("float32", (1000,), refuse)})
    assert planned.size == 4000 + len(planned.header)
    assert len(planned.header) % 64 == 0
