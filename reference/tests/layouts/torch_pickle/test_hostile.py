"""Files that nobody vouches for: what they ask for is refused by name and place, and nothing happens because they ask."""

import struct
import tarfile
import zipfile
import zlib

import numpy as np
import pytest
from torch_files import archive, call, name, numbers, pickle, state, stream, tar, tensor, text

import triptych
from triptych.errors import InvalidModelError, TriptychError, TruncatedError, UnsupportedError

GOOD = state(a=tensor(), b=tensor((3,), (1,), 1))


def refused(path):
    with pytest.raises(TriptychError) as caught:
        panels = triptych.load(path).panels
        for one in panels.weights.tensors.values():
            one.read()
    return caught.value


def test_the_file_that_all_tricks_are_made_from_is_sound(tmp_path):
    weights = triptych.load(archive(tmp_path / "a.pt", GOOD)).weights
    np.testing.assert_array_equal(weights["a"], np.array([[0, 1], [2, 3]], "float32"))
    np.testing.assert_array_equal(weights["b"], np.array([1, 2, 3], "float32"))


@pytest.mark.parametrize(("shape", "kind", "fits"), [((0,), b"b", True), ((2,), b"b", False), ((0,), b"d", False), ((), b"b", False)])
def test_an_array_of_numpy_whose_state_never_comes_is_the_empty_one_that_numpy_makes(tmp_path, shape, kind, fits):
    """It has had no dtype and failed when somebody asked for its size (found by fuzzing); with elements, numpy would show what happened to be in memory."""
    array = call("numpy.core.multiarray", "_reconstruct", name("numpy", "ndarray"), numbers(*shape), call("_codecs", "encode", text(kind.decode()), text("latin1")))
    path = archive(tmp_path / "a.pt", state(a=tensor(), n=array))
    if fits:
        expected = np._core.multiarray._reconstruct(np.ndarray, shape, kind)
        found = triptych.load(path).weights["n"]
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape) == (np.dtype("int8"), (0,))
    else:
        assert "a numpy array without elements" in str(refused(path))


# --- archives


def rewritten(path, change):
    content = bytearray(path.read_bytes())
    changed = change(content)
    path.write_bytes(content if changed is None else changed)
    return path


def test_bytes_before_the_archive_are_refused(tmp_path):
    archive(tmp_path / "a.pt", GOOD)
    first = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"x"
    path = rewritten(tmp_path / "a.pt", lambda content: first + content)
    assert "bytes stand before the archive" in str(refused(path))


def test_bytes_after_the_archive_are_refused(tmp_path):
    path = rewritten(archive(tmp_path / "a.pt", GOOD), lambda content: content + b"tail")
    with pytest.raises(TriptychError):
        triptych.load(path)


def test_two_members_of_one_name_are_refused(tmp_path):
    path = archive(tmp_path / "a.pt", GOOD)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as file:
        file.writestr("archive/data.pkl", pickle(call("os", "system", text("id"))))
    assert "got it twice" in str(refused(path))


def test_a_header_that_says_another_name_than_the_directory_is_refused(tmp_path):
    """What a scanner sees and what a loader sees must be the same."""
    path = rewritten(archive(tmp_path / "a.pt", GOOD), lambda content: content.replace(b"archive/version", b"archive/vErsion", 1))
    assert "as the directory has it" in str(refused(path))


def test_a_header_with_other_flags_than_the_directory_is_refused(tmp_path):
    def change(content):
        content[6] ^= 1

    assert "as the directory has it" in str(refused(rewritten(archive(tmp_path / "a.pt", GOOD), change)))


def test_an_encrypted_member_is_refused(tmp_path):
    def change(content):
        at = content.index(b"PK\1\2")
        content[6] |= 1
        content[at + 8] |= 1

    assert "not encrypted" in str(refused(rewritten(archive(tmp_path / "a.pt", GOOD), change)))


@pytest.mark.parametrize("bad", ["../evil", "a//b", "a\\b", "..", "a\nb"])
def test_a_name_that_is_no_name_inside_the_archive_is_refused(tmp_path, bad):
    assert "the name of a member" in str(refused(archive(tmp_path / "a.pt", GOOD, **{bad: b""})))


def test_members_of_two_folders_are_refused(tmp_path):
    path = archive(tmp_path / "a.pt", GOOD)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("other/data.pkl", b"")
    assert "members of one folder" in str(refused(path))


def test_members_that_overlap_are_refused(tmp_path):
    """Two entries of the directory that point to one header: a small file of any size."""

    def change(content):
        first = content.index(b"PK\1\2")
        second = content.index(b"PK\1\2", first + 1)
        third = content.index(b"PK\1\2", second + 1)
        content[third + 42 : third + 46] = content[second + 42 : second + 46]

    assert "overlaps another" in str(refused(rewritten(archive(tmp_path / "a.pt", GOOD), change)))


def test_a_member_that_would_grow_more_than_deflate_can_is_refused(tmp_path):
    def change(content):
        at = content.rindex(b"PK\1\2")
        content[at + 24 : at + 28] = struct.pack("<I", 2**31)

    assert "a size that" in str(refused(rewritten(archive(tmp_path / "a.pt", GOOD, method=zipfile.ZIP_DEFLATED), change)))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    """A storage of half a gigabyte of zeros takes half a megabyte deflated; nothing is read of it, and no weights are like that."""
    count = 2**27
    body = state(a=tensor((count,), (1,), count=count))
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = b"".join(packed.compress(bytes(2**22)) for _ in range(2**7)) + packed.flush()
    path = archive(tmp_path / "a.pt", body, {"data.pkl": pickle(body), "version": b"3", "data/0": data})

    def change(found):
        at = found.rindex(b"PK\1\2")
        local = struct.unpack_from("<I", found, at + 42)[0]
        found[at + 10] = found[local + 8] = 8
        found[at + 24 : at + 28] = found[local + 22 : local + 26] = struct.pack("<I", 4 * count)

    assert "a size that" in str(refused(rewritten(path, change)))


def test_a_descriptor_that_says_another_size_than_the_directory_is_refused(tmp_path):
    """Some readers believe what stands behind a member, and some the directory."""
    with (tmp_path / "a.pt").open("wb") as plain, zipfile.ZipFile(Unseekable(plain), "w") as file:
        for member, content in {"data.pkl": pickle(GOOD), "version": b"3\n", "data/0": struct.pack("<4f", 0, 1, 2, 3)}.items():
            file.writestr(f"archive/{member}", content)
    np.testing.assert_array_equal(triptych.load(tmp_path / "a.pt").weights["b"], np.array([1, 2, 3], "float32"))

    def change(found):
        at = found.rindex(b"PK\x07\x08")
        found[at + 8] ^= 1

    assert "expected its descriptor" in str(refused(rewritten(tmp_path / "a.pt", change)))


class Unseekable:
    """A file that cannot be gone back in, so that sizes come behind the data."""

    def __init__(self, file):
        self._file = file

    def write(self, data):
        return self._file.write(data)

    def flush(self):
        self._file.flush()


def test_a_member_that_is_a_link_is_the_text_of_it_and_nothing_is_followed(tmp_path):
    path = archive(tmp_path / "a.pt", GOOD, {"data.pkl": pickle(GOOD), "version": b"3\n"})
    with zipfile.ZipFile(path, "a") as file:
        link = zipfile.ZipInfo("archive/data/0")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
    assert "expected 16 bytes in the member" in str(refused(path))


def test_a_file_that_is_two_things_at_once_is_refused(tmp_path):
    """A stream of pickles with an archive behind it: one program would read this, and one that."""
    archive(tmp_path / "a.pt", GOOD)
    two = stream(tmp_path / "b.pt", GOOD, [("0", 4, struct.pack("<4f", 0, 1, 2, 3))])
    two.write_bytes(two.read_bytes() + (tmp_path / "a.pt").read_bytes())
    assert "expected the end after the last storage" in str(refused(two))
    both = archive(tmp_path / "c.pt", GOOD)
    with zipfile.ZipFile(both, "a") as file:
        file.writestr("archive/config.json", "{}")
        file.writestr("archive/model.weights.h5", b"\x89HDF\r\n\x1a\n")
    assert list(triptych.load(both).weights) == ["a", "b"]


def test_a_deflated_archive_is_read_and_not_misread(tmp_path):
    """``torch.load(mmap=True)`` returns the compressed bytes as numbers."""
    weights = triptych.load(archive(tmp_path / "a.pt", GOOD, method=zipfile.ZIP_DEFLATED)).weights
    np.testing.assert_array_equal(weights["b"], np.array([1, 2, 3], "float32"))


def test_a_deflated_member_that_holds_more_than_it_says_is_refused(tmp_path):
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packed.compress(b"\0" * 4096) + packed.flush()
    path = archive(tmp_path / "a.pt", GOOD)
    content = path.read_bytes()
    plain = struct.pack("<4f", 0, 1, 2, 3)
    assert plain in content
    # The same number of stored bytes, now said to be deflated ones of a size that is not theirs.
    assert len(data) >= len(plain)
    path = archive(tmp_path / "b.pt", GOOD, {"data.pkl": pickle(GOOD), "version": b"3\n", "data/0": data})

    def change(found):
        at = found.rindex(b"PK\1\2")
        local = struct.unpack_from("<I", found, at + 42)[0]
        found[at + 10] = found[local + 8] = 8
        found[at + 24 : at + 28] = found[local + 22 : local + 26] = struct.pack("<I", 16)

    assert "deflated ones" in str(refused(rewritten(path, change)))


def test_a_flipped_bit_in_a_tensor_is_found_when_it_is_read(tmp_path):
    plain = struct.pack("<4f", 0, 1, 2, 3)
    path = rewritten(archive(tmp_path / "a.pt", GOOD), lambda content: content.replace(plain, plain[:-1] + b"\x41"))
    error = refused(path)
    assert isinstance(error, InvalidModelError)
    assert error.problems[0].place == "archive/data/0"
    assert "the file is damaged" in str(error)


def test_an_unknown_version_or_byte_order_is_refused(tmp_path):
    members = {"data.pkl": pickle(GOOD), "data/0": bytes(16)}
    assert "a version from 1 to 10" in str(refused(archive(tmp_path / "a.pt", GOOD, {**members, "version": b"99"})))
    assert "the byte order little or big" in str(refused(archive(tmp_path / "b.pt", GOOD, {**members, "version": b"3", "byteorder": b"middle"})))


@pytest.mark.parametrize("make", [archive, lambda path, body: stream(path, body, [("0", 4, struct.pack("<4f", 0, 1, 2, 3))])], ids=["archive", "stream"])
def test_every_shortened_file_is_refused(tmp_path, make):
    whole = make(tmp_path / "a.pt", GOOD).read_bytes()
    path = tmp_path / "b.pt"
    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(TriptychError):
            for one in triptych.load(path).weights.tensors.values():
                one.read()


@pytest.mark.parametrize("make", [archive, lambda path, body: stream(path, body, [("0", 4, struct.pack("<4f", 0, 1, 2, 3))])], ids=["archive", "stream"])
def test_no_changed_byte_leads_to_anything_but_a_model_or_an_error_of_ours(tmp_path, make):
    whole = make(tmp_path / "a.pt", GOOD).read_bytes()
    path = tmp_path / "b.pt"
    generator = np.random.default_rng(0)
    for at in range(len(whole)):
        content = bytearray(whole)
        content[at] ^= int(generator.integers(1, 256))
        path.write_bytes(content)
        try:
            panels = triptych.load(path).panels
            for one in panels.weights.tensors.values():
                assert len(one.read()) == one.nbytes
        except TriptychError:
            pass


def test_a_legacy_storage_of_another_length_than_the_pickle_says_is_refused(tmp_path):
    assert "its data say 3" in str(refused(stream(tmp_path / "a.pt", GOOD, [("0", 3, bytes(12))])))
    assert isinstance(refused(stream(tmp_path / "b.pt", GOOD, [("0", 4, bytes(15))])), TruncatedError)
    giant = state(a=tensor((2**59,), (1,), count=2**59))
    assert isinstance(refused(stream(tmp_path / "c.pt", giant, [("0", 2**59, bytes(16))])), TruncatedError)
    negative = state(a=tensor(count=-1))
    assert "its length" in str(refused(stream(tmp_path / "d.pt", negative, [("0", -1, b"")])))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE], ids=["a link", "a second name", "a device", "a pipe"])
def test_a_tar_archive_with_anything_but_files_is_refused(tmp_path, kind):
    path = tar(tmp_path / "a.pt", b"}", [("../../etc/cron.d/x", kind, "/etc/passwd")])
    error = refused(path)
    assert isinstance(error, UnsupportedError)
    assert "got a link or a device" in str(error)


def test_a_tar_archive_of_a_size_that_is_not_there_is_refused(tmp_path):
    def change(content):
        size, total = b"%011o" % (2**32), slice(148, 156)
        content[124:135] = size
        content[total] = b" " * 8
        content[total] = b"%06o\0 " % sum(content[:512])

    assert isinstance(refused(rewritten(tar(tmp_path / "a.pt", b"}"), change)), TruncatedError)


def test_a_tensor_without_its_storage_is_refused(tmp_path):
    assert "it is not there" in str(refused(stream(tmp_path / "a.pt", GOOD)))


def test_a_factory_of_missing_entries_is_a_name_and_never_called(tmp_path):
    body = call("collections", "defaultdict", name("os", "system")) + b"(" + text("a") + tensor() + b"u"
    assert list(triptych.load(archive(tmp_path / "a.pt", body)).weights) == ["a"]


def test_storages_that_repeat_do_not_make_more_than_eight_times_the_file(tmp_path):
    many = b"}(" + b"".join(text(str(index)) + tensor((2**20,), (1,), count=2**20) for index in range(20)) + b"u"
    error = refused(archive(tmp_path / "a.pt", many, {"data.pkl": pickle(many), "version": b"3", "data/0": bytes(2**22)}))
    assert "got more" in str(error)
