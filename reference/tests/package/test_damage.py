"""Damage is noticed: every length cut off, every flipped bit, every garbled byte; and never by anything but a declared error."""

import os
import random

import pytest
from conftest_package import make_panels

from triptych.errors import InvalidModelError, UnsupportedError
from triptych.package import read_package, validate_package, write_package

FLIPS = 300


@pytest.fixture
def saved(target):
    write_package(make_panels(4, extra=-70), target, durable=False)
    return target


def members(target):
    return [target] if target.is_file() else sorted(path for path in target.rglob("*") if path.is_file())


def test_truncation_at_every_length_is_noticed(saved):
    for path in members(saved):
        content = path.read_bytes()
        for size in range(len(content) - 1, -1, -1):
            os.truncate(path, size)
            if path.name == "manifest.json" and size == len(content) - 1:
                continue  # the last line break, without which JSON text is as good
            with pytest.raises((InvalidModelError, UnsupportedError)):
                read_package(saved)
        path.write_bytes(content)
    assert validate_package(saved, full=True) == ()


def test_every_flipped_bit_is_noticed(saved):
    chance = random.Random(11)
    paths = members(saved)
    sizes = [path.stat().st_size for path in paths]
    for _ in range(FLIPS):
        path = chance.choices(paths, sizes)[0]
        content = path.read_bytes()
        damaged = bytearray(content)
        at, bit = chance.randrange(len(content)), chance.randrange(8)
        damaged[at] ^= 1 << bit
        path.write_bytes(damaged)
        if path.name == "manifest.json" and harmless(damaged):
            continue_reading(saved)
        else:
            assert validate_package(saved, full=True), (path.name, at, bit)
            with pytest.raises((InvalidModelError, UnsupportedError)):
                read_package(saved, verify="full")
        path.write_bytes(content)


def harmless(manifest):
    """Free text of the manifest, and its whitespace, is what its own digest alone covers: the model's identity changes with it."""
    import json

    try:
        data = json.loads(manifest)
        return isinstance(data, dict) and all(key in data for key in ("format", "format_version", "sections", "members"))
    except ValueError:
        return False


def continue_reading(saved):
    try:
        read_package(saved, verify="full")
    except (InvalidModelError, UnsupportedError):
        pass


def test_garbage_gives_declared_errors_alone(saved):
    chance = random.Random(12)
    for _ in range(FLIPS):
        path = chance.choice(members(saved))
        content = path.read_bytes()
        damaged = bytearray(content)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(damaged) or 1)
            what = chance.randrange(4)
            if what == 0:
                damaged[at : at + 1] = chance.randbytes(1)
            elif what == 1:
                damaged[at:at] = chance.randbytes(chance.randrange(1, 9))
            elif what == 2:
                del damaged[at : at + chance.randrange(1, 9)]
            else:
                damaged[at : at + 8] = chance.choice([b"\xff" * 8, bytes(8), b"PK\x03\x04", b"PK\x05\x06", b'"', b"[[[[[[[[", b"1e999"])
        path.write_bytes(damaged)
        for attempt in (lambda: read_package(saved, verify="off"), lambda: read_package(saved, verify="full")):
            try:
                panels = attempt()
            except (InvalidModelError, UnsupportedError):
                continue
            for weights in (panels.weights, panels.training and panels.training.state):
                for tensor in (weights or {}) and weights.tensors.values():
                    assert len(tensor.read()) == tensor.nbytes
        validate_package(saved, full=True)
        path.write_bytes(content)


def test_zip64_sums_beyond_64_bits_are_a_declared_error(tmp_path):
    path = tmp_path / "sums.triptych"
    write_package(make_panels(4), path, durable=False)
    content = path.read_bytes()
    end = bytearray(content[-22:])
    end[10:12] = b"\xff\xff"  # the number of members says: look at the ZIP64 records
    huge = (2**64 - 1).to_bytes(8, "little")
    end64 = b"PK\x06\x06" + (44).to_bytes(8, "little") + bytes(12) + huge * 4
    locator = b"PK\x06\x07" + bytes(4) + huge + (1).to_bytes(4, "little")
    path.write_bytes(content[:-22] + end64 + locator + end)
    with pytest.raises(InvalidModelError, match="ZIP64"):
        read_package(path)
