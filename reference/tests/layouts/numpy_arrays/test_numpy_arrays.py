"""Arrays of numpy's: what numpy saved is read bit for bit, and what is written here numpy loads without pickles."""

import io
import zipfile

import numpy as np
import pytest

import triptych
from triptych.errors import ConversionError, InvalidModelError, TriptychError, TruncatedError, UnsupportedError
from triptych.model import Panels, Tensor, Weights

ARRAYS = {
    **{name: np.array([[0, 1, 2], [3, 4, 1]]).astype(name) for name in "bool uint8 uint16 uint32 uint64 int8 int16 int32 int64 float16 float32 float64 complex64".split()},
    "by columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "big-endian": np.arange(6, dtype=">i4").reshape(3, 2),
    "both": np.asfortranarray(np.arange(6, dtype=">f8").reshape(2, 3)), "scalar": np.array(3.5), "empty": np.zeros((0, 3), "float32"), "one": np.ones(1), "in/folder": np.ones(2),
}  # fmt: skip


def assert_same(weights, expected):
    assert set(weights) == set(expected)
    for name, array in expected.items():
        assert weights[name].dtype == array.dtype.newbyteorder("<")
        np.testing.assert_array_equal(weights[name], array, err_msg=name)
        assert weights[name].shape == array.shape


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_saved_is_read_and_numpy_loads_what_is_written(tmp_path, save):
    save(tmp_path / "a.npz", **ARRAYS)
    model = triptych.load(tmp_path / "a.npz")
    assert_same(model.weights, ARRAYS)
    assert triptych.save(model, tmp_path / "b.npz") == ()
    with np.load(tmp_path / "b.npz", allow_pickle=False) as loaded:
        assert_same(dict(loaded), ARRAYS)
    triptych.save(triptych.load(tmp_path / "b.npz"), tmp_path / "c.npz")
    assert (tmp_path / "b.npz").read_bytes() == (tmp_path / "c.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "b.npz") as file:
        assert file.testzip() is None


def test_a_folder_of_arrays_is_written_whole_and_numpy_loads_each(tmp_path):
    np.savez(tmp_path / "a.npz", **ARRAYS)
    model = triptych.load(tmp_path / "a.npz")
    for _ in range(2):  # once anew, and once in the place of the first
        assert triptych.save(model, tmp_path / "m", layout="npy") == ()
        assert_same({str(one.relative_to(tmp_path / "m")).removesuffix(".npy"): np.load(one, allow_pickle=False) for one in (tmp_path / "m").rglob("*.npy")}, ARRAYS)
    triptych.save(triptych.load(tmp_path / "m"), tmp_path / "again", layout="npy")
    for one in (tmp_path / "m").rglob("*.npy"):
        assert one.read_bytes() == (tmp_path / "again" / one.relative_to(tmp_path / "m")).read_bytes()


def test_a_folder_with_other_files_is_not_replaced_by_arrays(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "notes.txt").write_text("mine")
    with pytest.raises(triptych.UsageError, match=r"notes\.txt"):
        triptych.save(triptych.Model(Panels(weights=Weights.from_arrays({"a": np.ones(1)}))), tmp_path / "m", layout="npy")
    assert [one.name for one in (tmp_path / "m").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("names", [("a.npy/b", "a"), ()])
def test_arrays_that_cannot_be_files_side_by_side_are_refused(tmp_path, names):
    with pytest.raises(ConversionError):
        triptych.save(triptych.Model(Panels(weights=Weights.from_arrays({name: np.ones(1) for name in names}))), tmp_path / "m", layout="npy")
    assert not (tmp_path / "m").exists()


def test_an_archive_may_have_as_many_arrays_as_a_file_tensors(tmp_path):
    """A package may have 10,000 files; here each file is a tensor."""
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        for index in range(10_001):
            file.writestr(f"a{index}.npy", head("{'descr': '|i1', 'fortran_order': False, 'shape': (1,), }\n") + b"\7")
    weights = triptych.load(tmp_path / "a.npz").weights
    assert (len(weights), weights["a10000"][0]) == (10_001, 7)


def test_a_folder_of_arrays_is_read(tmp_path):
    for name, array in ARRAYS.items():
        file = tmp_path / "m" / f"{name}.npy"
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, array)
    assert_same(triptych.load(tmp_path / "m").weights, ARRAYS)
    triptych.save(triptych.load(tmp_path / "m"), tmp_path / "p.triptych")
    assert triptych.validate(tmp_path / "p.triptych") == ()


def test_later_versions_of_the_header_are_read(tmp_path):
    for version in ((2, 0), (3, 0)):
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
            content = io.BytesIO()
            np.lib.format.write_array(content, ARRAYS["float32"], version=version)
            file.writestr("a.npy", content.getvalue())
        assert_same(triptych.load(tmp_path / "a.npz").weights, {"a": ARRAYS["float32"]})


@pytest.mark.parametrize(("array", "said"), [(np.array([{}], object), "pickled objects, which would run code"), (np.array(["text"]), "a dtype of the specification"), (np.zeros(2, "f4,i4"), "plain numbers"), (np.zeros(2, complex), "got '<c16'")])
def test_an_array_of_no_plain_numbers_is_refused(tmp_path, array, said):
    np.savez(tmp_path / "a.npz", good=np.ones(2), bad=array)
    with pytest.raises(UnsupportedError, match=said) as caught:
        triptych.load(tmp_path / "a.npz")
    assert caught.value.problems[0].place == "bad.npy"


def packed(path, content):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.npy", content)
    return path


def head(text):
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (head("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296,), }\n"), TruncatedError),
        (head("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 1099511627776, 1099511627776), }\n"), UnsupportedError),
        (head("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n") + bytes(8), InvalidModelError),
        (head("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n"), UnsupportedError),
        (head("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)*10**9, }\n" + "__import__('os')"), UnsupportedError),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{}" + bytes(64), TruncatedError),
        (b"\x93NUMPY\x09\x00" + bytes(64), UnsupportedError),
        (b"GIF89a" + bytes(64), InvalidModelError),
        (b"", TruncatedError),
    ],
)
def test_a_header_that_declares_what_is_not_there_is_refused(tmp_path, content, error):
    with pytest.raises(error):
        triptych.load(packed(tmp_path / "a.npz", content))


def test_every_shortened_archive_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.arange(4.0))
    whole = (tmp_path / "a.npz").read_bytes()
    for length in range(1, len(whole)):
        (tmp_path / "b.npz").write_bytes(whole[:length])
        with pytest.raises(TriptychError):
            triptych.load(tmp_path / "b.npz").weights["a"]


def test_a_flipped_bit_is_found_when_the_array_is_read(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.arange(4.0))
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content.replace(np.float64(3).tobytes(), np.float64(5).tobytes()))
    with pytest.raises(InvalidModelError, match="damaged"):
        triptych.load(tmp_path / "a.npz").weights["a"]


def test_what_numpy_cannot_say_is_refused(tmp_path):
    for weights in ({"a": Tensor("bfloat16", (1,), lambda: memoryview(bytes(2)))}, {"../a": Tensor.from_array(np.ones(1))}):
        with pytest.raises(ConversionError):
            triptych.save(triptych.Model(Panels(weights=Weights(weights))), tmp_path / "a.npz")
        assert not (tmp_path / "a.npz").exists()
