"""Distributed checkpoints that nobody vouches for: what their metadata say must be so, or is refused before anything is allocated for it."""

import os
import struct
import subprocess
import sys
import tracemalloc
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from torch_files import archive, call, dcp_object, name, number, numbers, pickle, state, tensor, text

import triptych
from triptych.errors import InvalidModelError, TriptychError, TruncatedError, UnsupportedError

FLOATS = (0.0, 1.0, 2.0, 3.0)
META, FILES = "metadata", "filesystem"


@dataclass(frozen=True)
class Box:
    """A chunk, and what is stored for it."""

    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    file: str = "__0_0.distcp"
    offset: int | None = None
    length: int | None = None
    more: dict[str, bytes] = field(default_factory=dict)


def size(*extents):
    return call("torch", "Size", numbers(*extents))


def properties(dtype="float32", layout="torch.strided", form=None):
    form = call("torch.distributed.checkpoint.metadata", "_MEM_FORMAT_ENCODING", number(0)) if form is None else form
    return dcp_object(META, "TensorProperties", b"(" + name("torch", dtype) + call("torch.serialization", "_get_layout", text(layout)) + b"\x89" + form + b"\x89t")


def described(shape, boxes, about=None, **more):
    chunks = b"](" + b"".join(dcp_object(META, "ChunkStorageMetadata", state(offsets=size(*box.offsets), sizes=size(*box.sizes))) for box in boxes) + b"e"
    return dcp_object(META, "TensorStorageMetadata", state(properties=about or properties(), size=size(*shape), chunks=chunks, **more))


def stored(fqn, box, length):
    key = dcp_object(META, "MetadataIndex", state(fqn=text(fqn), offset=size(*box.offsets), index=b"N"))
    begin = 0 if box.offset is None else box.offset
    return key + dcp_object(FILES, "_StorageInfo", state(relative_path=text(box.file), offset=number(begin), length=number(length if box.length is None else box.length), **box.more))


def checkpoint(folder, shape=(4,), boxes=(Box((0,), (4,)),), tensors=None, paths=b"N", entries=None, **members):
    """A folder with one tensor, ``a``, of `shape`, whose chunks are `boxes`; each box's archive holds the tensor of `tensors`."""
    folder.mkdir()
    content, items = b"", []
    for index, box in enumerate(boxes):
        shape_of_part = box.sizes if tensors is None else tensors[index]
        strides = tuple(np.cumprod((1, *shape_of_part[:0:-1]))[::-1].tolist()) if shape_of_part else ()
        count = int(np.prod(shape_of_part))
        body = tensor(shape_of_part, strides, count=count) if count <= 2**20 else b"N"
        data = {"data.pkl": pickle(body), "version": b"3", "data/0": struct.pack(f"<{count}f", *((FLOATS * count)[:count])) if count <= 2**20 else b""}
        part = archive(folder / "part", body, data).read_bytes()
        (folder / "part").unlink()
        items.append(stored("a", replace(box, offset=len(content)) if box.offset is None else box, len(part)))
        content += part
    (folder / "__0_0.distcp").write_bytes(content)
    said = {
        "state_dict_metadata": state(a=described(shape, boxes)) if entries is None else entries, "planner_data": paths,
        "storage_data": b"}(" + b"".join(items) + b"u", **members,
    }  # fmt: skip
    (folder / ".metadata").write_bytes(pickle(dcp_object(META, "Metadata", state(**said))))
    return folder


def refused(path):
    with pytest.raises(TriptychError) as caught:
        for one in triptych.load(path).weights.tensors.values():
            one.read()
    return caught.value


def test_the_checkpoint_that_all_tricks_are_made_from_is_sound(tmp_path):
    np.testing.assert_array_equal(triptych.load(checkpoint(tmp_path / "a")).weights["a"], np.array(FLOATS, "float32"))
    halves = [Box((0, 0), (2, 2)), Box((2, 0), (1, 2))]
    np.testing.assert_array_equal(triptych.load(checkpoint(tmp_path / "b", (3, 2), halves)).weights["a"], np.array([[0, 1], [2, 3], [0, 1]], "float32"))


BOXES = {
    "a gap": ((4,), [Box((0,), (1,)), Box((2,), (2,))], "without gap or overlap"),
    "an overlap": ((4,), [Box((0,), (3,)), Box((2,), (2,))], "without gap or overlap"),
    "a gap that an overlap makes up for": ((4,), [Box((0,), (2,)), Box((1,), (2,))], "without gap or overlap"),
    "a corner that nobody has": ((2, 2), [Box((0, 0), (1, 2)), Box((1, 0), (1, 1))], "without gap or overlap"),
    "a hole in the middle": ((3, 3), [Box((0, 0), (3, 1)), Box((0, 2), (3, 1)), Box((0, 1), (1, 1)), Box((2, 1), (1, 1))], "without gap or overlap"),
    "a chunk outside": ((4,), [Box((0,), (5,))], "inside the shape (4,)"),
    "no chunk at all": ((4,), [], "without gap or overlap"),
    "eight exabytes of nothing": ((2**60,), [], "without gap or overlap"),
    "sizes whose product overflows": ((2**62, 2**62), [], "without gap or overlap"),
    "eight exabytes in one archive": ((2**60,), [Box((0,), (2**60,))], "the elements of a chunk"),
    "a chunk of other axes": ((4,), [Box((0, 0), (2, 2))], "a chunk of 1 axes"),
    "a negative size": ((4,), [Box((0,), (-4,))], "expected integers from 0"),
    "a negative offset": ((4,), [Box((-1,), (4,))], "expected integers from 0"),
    "the same chunk twice": ((4,), [Box((0,), (4,)), Box((0,), (4,))], "each chunk once"),
    "a file above": ((4,), [Box((0,), (4,), "../part")], "expected the name of a file in the folder, got '../part'"),
    "a file anywhere": ((4,), [Box((0,), (4,), "/etc/passwd")], "expected the name of a file in the folder, got '/etc/passwd'"),
    "a file on another drive": ((4,), [Box((0,), (4,), "C:\\x")], "expected the name of a file in the folder"),
    "a file that is hidden": ((4,), [Box((0,), (4,), ".metadata")], "expected the name of a file in the folder"),
    "a file that is not there": ((4,), [Box((0,), (4,), "__9_0.distcp")], "expected the file '__9_0.distcp', it is not there"),
    "a link": ((4,), [Box((0,), (4,), "link.distcp")], "'link.distcp' is a link"),
    "a file below a link": ((4,), [Box((0,), (4,), "sub/passwd")], "is a link"),
    "bytes behind the end": ((4,), [Box((0,), (4,), offset=2**40)], "bytes at 1,099,511,627,776"),
    "parts that overlap": ((4,), [Box((0,), (2,)), Box((2,), (2,), offset=64)], "overlaps that at 0"),
    "a part that is no archive": ((4,), [Box((0,), (4,), offset=3, length=400)], "expected"),
    "bytes that were transformed": ((4,), [Box((0,), (4,), more={"transform_descriptors": b"](" + text("zstd") + b"e"})], "got bytes transformed by ['zstd']"),
    "a member that nobody knows": ((4,), [Box((0,), (4,), more={"decrypt_with": text("x")})], "no other members of _StorageInfo than those that PyTorch has, got 'decrypt_with'"),
}  # fmt: skip


@pytest.mark.parametrize("trick", BOXES)
def test_chunks_that_are_not_what_they_say_are_refused(tmp_path, trick):
    shape, boxes, said = BOXES[trick]
    tensors = [tuple(abs(n) for n in box.sizes) for box in boxes]
    folder = checkpoint(tmp_path / "a", shape, boxes, tensors)
    os.symlink("/etc/passwd", folder / "link.distcp")
    os.symlink("/etc", folder / "sub")
    tracemalloc.start()
    error = refused(folder)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert said in str(error)
    assert error.problems[0].code in ("LAYOUT_INVALID", "LAYOUT_UNSUPPORTED", "LAYOUT_TRUNCATED")
    assert error.problems[0].place.startswith((".metadata@", "__0_0.distcp@"))
    assert most < 16 << 20


def test_a_tensor_of_ten_million_boxes_along_every_axis_is_refused_and_not_counted(tmp_path):
    shape = (2,) * 20
    assert "at most 8 axes" in str(refused(checkpoint(tmp_path / "a", shape, [Box((0,) * 20, (1,) * 20)])))


def test_many_chunks_are_checked_in_time_that_grows_with_their_number(tmp_path):
    from triptych.layouts.torch_distributed.joining import check_tiling

    boxes = [((row, 8 * column), (1, 8)) for row in range(400) for column in range(100)]
    check_tiling("a", (400, 800), boxes, "")
    with pytest.raises(InvalidModelError):
        check_tiling("a", (400, 800), boxes[1:], "")


ENTRIES = {
    "a tensor of another class": (described((4,), [Box((0,), (4,))]).replace(b"TensorStorageMetadata", b"TensorStorageMetadatA"), "whose code decides what it is"),
    "a class of another module": (described((4,), [Box((0,), (4,))]).replace(b"torch.distributed.checkpoint.metadata\nTensorStorage", b"evil.metadata\nTensorStorage"), "an object of evil.metadata.TensorStorageMetadata"),
    "a dtype that is none": (described((4,), [Box((0,), (4,))], properties("nn")), "expected a dtype, got torch.nn"),
    "a sparse layout": (described((4,), [Box((0,), (4,))], properties(layout="torch.sparse_coo")), "got one of the layout 'torch.sparse_coo'"),
    "an attribute that is no memory format": (described((4,), [Box((0,), (4,))], properties(form=call("builtins", "getattr", name("os", "path"), text("sys")))), "builtins.getattr(os.path, 'sys'), which would reach into an object"),
    "a memory format that is none": (described((4,), [Box((0,), (4,))], properties(form=call("torch.distributed.checkpoint.metadata", "_MEM_FORMAT_ENCODING", number(9)))), "expected the number of a memory format"),
    "a new member of tensors": (described((4,), [Box((0,), (4,))], compressed=b"\x88"), "no other members of TensorStorageMetadata"),
    "a shape that is no shape": (described((4,), [Box((0,), (4,))]).replace(size(4), text("four"), 1), "expected integers from 0"),
}  # fmt: skip


@pytest.mark.parametrize("trick", ENTRIES)
def test_entries_that_are_no_entries_are_refused(tmp_path, trick):
    body, said = ENTRIES[trick]
    assert said in str(refused(checkpoint(tmp_path / "a", entries=state(a=body))))


MEMBERS = {
    "a version of the future": ({"version": text("9.0.0")}, UnsupportedError, "metadata of version 1.0.0, got '9.0.0'"),
    "a new member": ({"patches": b"](" + text("x") + b"e"}, UnsupportedError, "no other members of Metadata than those that PyTorch has, got 'patches'"),
    "storage that is somewhere else": ({"storage_meta": dcp_object(META, "StorageMeta", state(checkpoint_id=call("os", "getcwd")))}, UnsupportedError, "os.getcwd()"),
    "an object among what is said of the storage": ({"storage_meta": dcp_object(META, "StorageMeta", state(checkpoint_id=name("evil", "X") + b")\x81"))}, UnsupportedError, "expected text as checkpoint_id"),
    "keys that are no keys": ({"paths": state(a=numbers(-1))}, InvalidModelError, "expected the keys of 'a'"),
    "a list of a billion items": ({"paths": state(a=b"(" + text("x") + number(10**9) + b"t")}, UnsupportedError, "expected lists with an entry for nearly each item"),
    "keys without end": ({"paths": state(a=b"(" + text("x") * 1000 + b"t")}, InvalidModelError, "expected the keys of 'a'"),
    "bytes of an entry that is not there": ({"entries": b"}"}, InvalidModelError, "expected bytes of what the metadata describe, got those of 'a'"),
    "an entry without bytes": ({"entries": state(a=described((4,), [Box((0,), (4,))]), b=dcp_object(META, "BytesStorageMetadata", b"}"))}, InvalidModelError, "expected the bytes of 'b', nothing says where they are"),
    "a reference to something outside": ({"planner_data": text("x") + b"Q"}, UnsupportedError, "a reference to something outside the pickle"),
}  # fmt: skip


@pytest.mark.parametrize("trick", MEMBERS)
def test_metadata_that_no_version_of_pytorch_writes_are_refused(tmp_path, trick):
    members, kind, said = MEMBERS[trick]
    error = refused(checkpoint(tmp_path / "a", **members))
    assert isinstance(error, kind)
    assert said in str(error)


def test_a_thousand_tensors_of_one_part_are_refused(tmp_path):
    """Two names may share a part of a file, for weights that are tied; more than eight times what is stored is no model."""
    box = Box((0,), (2**20,))
    length = (checkpoint(tmp_path / "a", (2**20,), [box]) / "__0_0.distcp").stat().st_size
    for count in (2, 1000):
        names = [f"a{index}" for index in range(count)]
        entries = state(**{one: described((2**20,), [box]) for one in names})
        folder = checkpoint(tmp_path / str(count), (2**20,), [box], entries=entries, storage_data=b"}(" + b"".join(stored(one, box, length) for one in names) + b"u")
        if count == 2:
            assert len(triptych.load(folder).weights) == 2
        else:
            assert "that are stored, got 4,194,304,000" in str(refused(folder))


def test_an_entry_below_another_is_refused(tmp_path):
    box = Box((0,), (4,))
    entries = state(a=described((4,), [box]), b=described((4,), [Box((0,), (4,))]))
    paths = state(a=b"(" + text("x") + b"t", b=b"(" + text("x") + text("y") + b"t")
    folder = checkpoint(tmp_path / "a", entries=state(a=described((4,), [box])), paths=paths)
    content = (folder / ".metadata").read_bytes()
    more = stored("b", replace(box, offset=0), (folder / "__0_0.distcp").stat().st_size)
    content = content.replace(state(a=described((4,), [box])), entries).replace(b"}(" + stored("a", replace(box, offset=0), (folder / "__0_0.distcp").stat().st_size), b"}(" + stored("a", replace(box, offset=0), (folder / "__0_0.distcp").stat().st_size) + more)
    (folder / ".metadata").write_bytes(content)
    assert "got one below 'y', which is another's" in str(refused(folder))


@pytest.mark.parametrize(("tensors", "said"), [([(2, 2)], "a tensor of float32 and the shape (4,)"), ([(3,)], "the shape (4,), got float32 and (3,)"), ([(2**21,)], "got something else and None")])
def test_a_part_that_holds_another_tensor_than_the_metadata_say_is_refused(tmp_path, tensors, said):
    error = refused(checkpoint(tmp_path / "a", tensors=tensors))
    assert error.problems[0].place.startswith("__0_0.distcp@0/")
    assert said in str(error)


def test_a_flipped_bit_in_a_chunk_is_found_when_it_is_read(tmp_path):
    folder = checkpoint(tmp_path / "a")
    content = (folder / "__0_0.distcp").read_bytes()
    (folder / "__0_0.distcp").write_bytes(content.replace(struct.pack("<4f", *FLOATS), struct.pack("<4f", 0, 1, 2, 5)))
    error = refused(folder)
    assert error.problems[0].place == "__0_0.distcp@0/archive/data/0"
    assert "the file is damaged" in str(error)


def test_every_shortened_file_is_refused(tmp_path):
    for file in (".metadata", "__0_0.distcp"):
        folder = checkpoint(tmp_path / file.strip("."))
        whole = (folder / file).read_bytes()
        for length in range(0, len(whole), 3):
            (folder / file).write_bytes(whole[:length])
            assert isinstance(refused(folder), InvalidModelError | TruncatedError)


def test_no_changed_byte_leads_to_anything_but_a_model_or_an_error_of_ours(tmp_path):
    folder = checkpoint(tmp_path / "a")
    whole = (folder / ".metadata").read_bytes()
    generator = np.random.default_rng(0)
    for at in range(0, len(whole), 2):
        content = bytearray(whole)
        content[at] ^= int(generator.integers(1, 256))
        (folder / ".metadata").write_bytes(content)
        try:
            for one in triptych.load(folder).weights.tensors.values():
                assert len(one.read()) == one.nbytes
        except TriptychError:
            pass


JOIN = """
import resource, sys
sys.path[:0] = sys.argv[3].split(":")
import triptych

def peak():
    try:
        return next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)

triptych.load(sys.argv[1]).weights["a"].sum()
before = peak()
triptych.load(sys.argv[2]).weights.tensor("a").read()
print(peak() - before)
"""


def test_joining_takes_the_memory_of_the_tensor_and_not_that_of_its_chunks_too(tmp_path):
    rows = 2**20
    checkpoint(tmp_path / "small", (4,), [Box((0,), (1,)), Box((1,), (3,))])
    checkpoint(tmp_path / "large", (24 * rows,), [Box((index * rows,), (rows,)) for index in range(24)])
    done = subprocess.run([sys.executable, "-c", JOIN, str(tmp_path / "small"), str(tmp_path / "large"), ":".join(sys.path)], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 96 + 32


def shard(path, offsets, array, **changes):
    import json

    from safetensors.numpy import save

    info = {"DCP_SHARDING_INFO": json.dumps({"a": {"saved_offsets": offsets}}), "DCP_VERSION": "1.0", "format": "pt"} | changes
    path.write_bytes(save({"a": array}, {name: value for name, value in info.items() if value is not None}))


@pytest.mark.parametrize(("offsets", "changes", "said"), [([3], {}, "without gap or overlap"), ([1], {}, "without gap or overlap"), ([0, 0], {}, "an offset for each axis"), ([2], {"DCP_SHARDING_INFO": None}, "where the shards begin"), ([2], {"DCP_SHARDING_INFO": "[1]"}, "where the shards begin")])
def test_shards_of_hubs_that_do_not_make_up_their_tensor_are_refused(tmp_path, offsets, changes, said):
    shard(tmp_path / "shard-00001-model-00001-of-00001.safetensors", [0], np.ones(2, "float32"))
    shard(tmp_path / "shard-00002-model-00001-of-00001.safetensors", offsets, np.ones(2, "float32"), **changes)
    assert said in str(refused(tmp_path))
