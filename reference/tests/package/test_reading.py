"""Reading is lazy, pinned and verified; and reading and validating agree."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from conftest_package import facts, make_panels, read_facts

from triptych.errors import InvalidModelError, UsageError
from triptych.model import Panels, Tensor, Weights
from triptych.package import read_package, validate_package, write_package


def save(panels, target, **options):
    write_package(panels, target, durable=False, **options)


def damage_last_byte(target, content):
    """Flip a bit of `content` where it stands in the package."""
    for path in [target] if target.is_file() else target.rglob("*"):
        if path.is_file() and content in (data := path.read_bytes()):
            at = data.index(content) + len(content) - 1
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            return
    raise AssertionError("not found")


def test_damage_is_noticed_when_the_tensor_is_read(target):
    panels = make_panels(5)
    save(panels, target)
    damage_last_byte(target, bytes(panels.weights.tensor("dense.kernel").read()))
    opened = read_package(target)
    assert opened.weights["dense.bias"].shape == (5,)
    for _ in range(2):
        with pytest.raises(InvalidModelError) as caught:
            opened.weights["dense.kernel"]
        assert [(one.code, one.place) for one in caught.value.problems] == [("TENSOR_DIGEST_MISMATCH", "model.safetensors#/dense.kernel")]
    assert read_package(target, verify="off").weights["dense.kernel"].shape == (3, 5)
    with pytest.raises(InvalidModelError):
        read_package(target, verify="full")


def test_damage_is_noticed_when_the_asset_is_read(target):
    panels = make_panels(5)
    save(panels, target)
    damage_last_byte(target, bytes(panels.assets["assets/deep/labels.txt"].read()))
    with pytest.raises(InvalidModelError) as caught:
        read_package(target).assets["assets/deep/labels.txt"].read()
    assert [(one.code, one.place) for one in caught.value.problems] == [("MEMBER_DIGEST_MISMATCH", "assets/deep/labels.txt")]


def test_tensors_are_views_on_the_file(target):
    save(make_panels(5), target)
    panels = read_package(target)
    first, second = panels.weights["dense.kernel"], panels.weights["dense.kernel"]
    assert first.__array_interface__["data"] == second.__array_interface__["data"]
    assert not first.flags.writeable
    assert first.__array_interface__["data"][0] % 4 == 0


def test_opening_reads_headers_and_not_tensors(tmp_path, form):
    """Eight sparse GiB open as quickly and in as little memory as eight bytes."""
    elements = 1 << 31
    tensors = Weights({"a": Tensor("float32", (elements,), lambda: memoryview(b""))})
    from triptych.package import archive, names, safetensors_file
    from triptych.package.manifest import digest, tensor_record, to_data
    from triptych.documents import dump_json

    plan = safetensors_file.plan(tensors.tensors)
    record = tensor_record(plan.size, digest(plan.header), {"a": "sha256:" + 64 * "0"})
    manifest = dump_json(to_data(Panels(weights=tensors), {"weights": "model.safetensors"}, {"model.safetensors": record})).encode()
    contents = {"mimetype": names.MIMETYPE_CONTENT, "model.safetensors": plan.header, "manifest.json": manifest}
    if form == "archive":
        path = tmp_path / "big.triptych"
        entries, start = archive.place([("mimetype", 28), ("model.safetensors", plan.size), ("manifest.json", len(manifest))])
        import zlib

        with path.open("wb") as file:
            for entry in entries:
                entry.crc = zlib.crc32(contents[entry.name]) if entry.name != "model.safetensors" else 0
                file.seek(entry.offset)
                file.write(entry.local_header() + contents[entry.name])
            file.seek(start)
            file.write(archive.tail(entries, start))
        import zipfile

        with zipfile.ZipFile(path) as other:  # ZIP64 as others read it
            assert other.getinfo("model.safetensors").file_size == plan.size
            assert other.read("manifest.json") == manifest
    else:
        path = tmp_path / "big"
        path.mkdir()
        (path / "manifest.json").write_bytes(manifest)
        (path / "model.safetensors").write_bytes(plan.header)
        os.truncate(path / "model.safetensors", plan.size)
    code = (
        "import resource, sys; from triptych.package import read_package, validate_package; before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "p = read_package(sys.argv[1]); t = p.weights.tensor('a'); assert t.nbytes == 1 << 33; assert validate_package(sys.argv[1]) == ()\n"
        "assert 'numpy' not in sys.modules and 'h5py' not in sys.modules and 'yaml' not in sys.modules, sorted(sys.modules)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 64 * 1024


def test_a_reader_sees_old_or_new_while_others_save(target):
    models = [make_panels(seed) for seed in range(2)]
    known = [facts(panels) for panels in models]
    save(models[0], target)
    stop = threading.Event()

    def keep_saving():
        seed = 0
        while not stop.is_set():
            seed = 1 - seed
            save(models[seed], target)

    writer = threading.Thread(target=keep_saving)
    writer.start()
    try:
        end = time.monotonic() + 3
        seen = []
        while time.monotonic() < end or len(seen) < 20:
            seen.append(known.index(read_facts(target)))
    finally:
        stop.set()
        writer.join()
    assert set(seen) == {0, 1}


def test_what_was_opened_outlives_its_files(target):
    save(make_panels(6), target)
    opened = read_package(target)
    from triptych.package import FileSystem

    FileSystem().remove_tree(str(target))
    assert facts(opened) == facts(make_panels(6))


def test_special_files_are_refused_and_not_waited_for(tmp_path):
    save(make_panels(1), tmp_path / "model")
    os.mkfifo(tmp_path / "model" / "assets" / "pipe")
    assert [(one.code, one.place) for one in validate_package(tmp_path / "model")] == [("MEMBER_NOT_REGULAR", "assets/pipe")]
    os.mkfifo(tmp_path / "pipe")
    assert [one.code for one in validate_package(tmp_path / "pipe")] == ["PACKAGE_UNRECOGNISED"]


def test_a_linked_folder_is_refused_inside_and_followed_outside(tmp_path):
    save(make_panels(1), tmp_path / "model")
    (tmp_path / "link").symlink_to("model")
    assert read_facts(tmp_path / "link") == facts(make_panels(1))
    (tmp_path / "model" / "assets").rename(tmp_path / "elsewhere")
    (tmp_path / "model" / "assets").symlink_to("../elsewhere")
    assert [(one.code, one.place) for one in validate_package(tmp_path / "model")][0] == ("MEMBER_NOT_REGULAR", "assets")


def test_a_name_that_is_no_text_is_refused(tmp_path):
    save(make_panels(1), tmp_path / "model")
    with open(os.fsencode(tmp_path / "model") + b"/\xff", "wb"):
        pass
    codes = {one.code for one in validate_package(tmp_path / "model")}
    assert codes == {"MEMBER_NAME_INVALID", "MEMBER_UNLISTED"}


def test_a_missing_package_is_an_ordinary_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_package(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError):
        validate_package(tmp_path / "nothing")


def test_an_unknown_way_to_verify_is_refused(target):
    save(make_panels(1), target)
    with pytest.raises(UsageError):
        read_package(target, verify="some")


def test_validating_reports_several_stages_at_once(tmp_path):
    """A wrong digest, a broken document and a missing shard are one report."""
    save(make_panels(1), tmp_path / "model", max_shard_bytes=30)
    path = tmp_path / "model"
    (path / "model-00002-of-00002.safetensors").unlink()
    (path / "training.json").write_text("{")
    (path / "extra").write_text("")
    found = {(one.code, one.place) for one in validate_package(path)}
    assert {
        ("MEMBER_UNLISTED", "extra"),
        ("MEMBER_MISSING", "manifest.json#/members/model-00002-of-00002.safetensors"),
        ("MEMBER_SIZE_MISMATCH", "manifest.json#/members/training.json/size"),
        ("JSON_SYNTAX", "training.json"),
    } <= found


def test_what_reading_refuses_validating_reports(target):
    save(make_panels(1), target)
    assert validate_package(target, full=True) == ()
    if target.is_dir():
        (target / "architecture.json").write_bytes((target / "architecture.json").read_bytes().replace(b'"units": 5', b'"units": 6'))
        with pytest.raises(InvalidModelError) as caught:
            read_package(target)
        reported = validate_package(target)
        assert caught.value.problems[0] in reported
        assert {one.requirement for one in reported} == {"PKG-008", "LYR-012"}


def test_arrays_of_every_dtype_come_back(target):
    import ml_dtypes

    arrays = {}
    for name in ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64", "complex64"):
        arrays[name] = np.array([[0, 1], [1, 1]]).astype(name)
    for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"):
        arrays[name] = np.array([1, 2, 4], getattr(ml_dtypes, name))
    arrays["scalar"] = np.array(2.5)
    arrays["empty"] = np.zeros((0, 3), np.float32)
    save(Panels(weights=Weights.from_arrays(arrays)), target)
    opened = read_package(target, verify="full").weights
    for name, array in arrays.items():
        assert opened[name].dtype == array.dtype
        assert opened[name].shape == array.shape
        assert opened[name].tobytes() == array.tobytes()
