"""Archives are ZIP files that anybody opens, and one model is one sequence of bytes."""

import os
import subprocess
import sys
import zipfile

import pytest
from conftest_package import content_of, facts, make_panels, read_facts

from triptych.errors import UnsupportedError
from triptych.limits import Limits
from triptych.model import Panels, Tensor
from triptych.package import archive, read_package, validate_package, write_package


@pytest.fixture
def packed(tmp_path):
    write_package(make_panels(3, 7000), tmp_path / "m.triptych", durable=False)
    return tmp_path / "m.triptych"


def test_other_programs_open_it(packed, tmp_path):
    done = subprocess.run(["unzip", "-t", packed], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    with zipfile.ZipFile(packed) as other:
        assert other.testzip() is None
        assert other.namelist()[0] == "mimetype"
        assert other.namelist()[-1] == "manifest.json"
        assert all(info.compress_type == zipfile.ZIP_STORED for info in other.infolist())
        other.extractall(tmp_path / "unpacked")
    assert read_facts(tmp_path / "unpacked") == facts(make_panels(3, 7000))
    assert packed.read_bytes()[30:66] == b"mimetypeapplication/vnd.triptych+zip"


def test_unpacked_and_packed_again_it_is_the_same(packed, tmp_path):
    subprocess.run(["unzip", "-q", packed, "-d", tmp_path / "unpacked"], check=True)
    write_package(read_package(tmp_path / "unpacked"), tmp_path / "again.triptych", durable=False)
    assert (tmp_path / "again.triptych").read_bytes() == packed.read_bytes()
    write_package(read_package(packed), tmp_path / "folder", durable=False)
    unpacked = content_of(tmp_path / "unpacked")
    del unpacked["mimetype"]
    assert content_of(tmp_path / "folder") == unpacked


def test_data_are_aligned(packed):
    entries = archive.read_entries(memoryview(packed.read_bytes()), __import__("triptych").errors.Findings(), Limits())
    assert {entry.name for entry in entries if entry.size >= 65536} == {"model.safetensors", "training.safetensors"}
    for entry in entries[1:]:
        assert entry.start % (4096 if entry.size >= 65536 else 64) == 0


def test_more_members_than_16_bits_count(tmp_path):
    members = [(f"assets/{number:05}", 1) for number in range(65536)] + [("mimetype", 28), ("manifest.json", 2)]
    entries, start = archive.place(members)
    end = archive.tail(entries, start)
    assert end[-22:-2].endswith((start & 0xFFFFFFFF).to_bytes(4, "little"))
    with (tmp_path / "many.triptych").open("wb") as file:
        import zlib

        for entry in entries:
            content = {28: b"application/vnd.triptych+zip", 1: b"x", 2: b"{}"}[entry.size]
            entry.crc = zlib.crc32(content)
            file.write(entry.local_header() + content)
        file.write(archive.tail(entries, start))
    with zipfile.ZipFile(tmp_path / "many.triptych") as other:
        assert len(other.namelist()) == 65538
    from triptych.errors import Findings

    findings = Findings()
    found = archive.read_entries(memoryview((tmp_path / "many.triptych").read_bytes()), findings, Limits(members=100_000))
    assert [(entry.name, entry.start) for entry in found] == [(entry.name, entry.start) for entry in entries]
    assert findings.problems == []
    with pytest.raises(UnsupportedError):
        archive.read_entries(memoryview((tmp_path / "many.triptych").read_bytes()), Findings(), Limits())


SAVE = """
import sys
sys.path[:0] = sys.argv[2].split(":")
from conftest_package import make_panels
from triptych.package import write_package
write_package(make_panels(9), sys.argv[1] + "/m.triptych")
write_package(make_panels(9), sys.argv[1] + "/m", max_shard_bytes=40)
write_package(make_panels(9), sys.argv[1] + "/y", architecture_spelling="yaml")
"""


def test_one_model_is_one_sequence_of_bytes(tmp_path):
    """In another process, with another hash seed, umask, time zone and locale."""
    results = []
    for number, (seed, umask, zone) in enumerate((("0", 0o022, "UTC"), ("12345", 0o077, "Asia/Kathmandu"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C" if number else "C.UTF-8", "HOME": str(folder), "USER": f"u{number}"}
        paths = ":".join([os.path.dirname(__file__), *sys.path])
        subprocess.run([sys.executable, "-c", SAVE, folder, paths], check=True, env=environment, umask=umask)
        results.append(content_of(folder))
    assert results[0] == results[1]
    for content in results[0].values():
        assert str(tmp_path).encode() not in content
        assert os.uname().nodename.encode() not in content or len(os.uname().nodename) < 4


def test_an_asset_may_not_take_a_members_name(tmp_path):
    from triptych.errors import UsageError

    for name in ("manifest.json", "mimetype", "architecture.json", "../x", "Model.safetensors", "assets/"):
        panels = Panels(architecture=make_panels(1).architecture, weights=make_panels(1).weights, assets={name: Tensor("uint8", (1,), lambda: memoryview(b"x"))})
        with pytest.raises(UsageError):
            write_package(panels, tmp_path / "m.triptych")
    assert os.listdir(tmp_path) == []


def test_a_foreign_safetensors_file_may_be_an_asset(tmp_path):
    panels = Panels(architecture=make_panels(1).architecture, assets={"assets/lora.safetensors": Tensor("uint8", (3,), lambda: memoryview(b"abc"))})
    write_package(panels, tmp_path / "m.triptych", durable=False)
    assert validate_package(tmp_path / "m.triptych", full=True) == ()
