"""Archives and weights files that nobody vouches for: the right content, or a precise error; and what is told by content alone."""

import json
import os
import zipfile

import h5py
import numpy as np
import pytest

import triptych
from triptych.errors import ConversionError, InvalidModelError, TriptychError, TruncatedError, UsageError, WeightsMismatchError
from triptych.layouts import recognise
from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_v3.object_paths import snake

KERNEL = np.arange(6, dtype="float32").reshape(2, 3)


@pytest.fixture
def archive(tmp_path, dense):
    """An archive of a model of one Dense layer, as we write it."""
    path = tmp_path / "m.keras"
    triptych.save(dense(3, inputs=2), path)
    return path


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path, content, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return path


def read_all(path):
    model = triptych.load(path)
    return {name: np.copy(array) for name, array in model.weights.items()}


def problem_of(path):
    with pytest.raises(TriptychError) as caught:
        read_all(path)
    return caught.value.problems[0].code, caught.value.problems[0].place


def weights_file(path, variables):
    with h5py.File(path, "w") as file:
        for name, array in variables.items():
            file.create_dataset(name, data=array)
    return path


def model_of(*layers):
    """A Sequential for inputs of extent 2."""
    return triptych.model_from_json(
        json.dumps({"format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 2], "dtype": "float32"}], "layers": list(layers)})
    )


DENSE = {"name": "any", "type": "Dense", "config": {"units": 3}}


def test_the_same_model_gives_the_same_bytes(archive, tmp_path):
    triptych.save(triptych.load(archive), tmp_path / "again.keras")
    assert (tmp_path / "again.keras").read_bytes() == archive.read_bytes()
    assert list(members(archive)) == ["metadata.json", "config.json", "model.weights.h5"]
    assert set(json.loads(members(archive)["metadata.json"])) == {"keras_version"}


def test_compressed_or_unzipped_or_without_metadata_it_is_the_same_model(archive, tmp_path):
    expected, content = read_all(archive), members(archive)
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, data in content.items():
        (folder / name).write_bytes(data)
    bare = {name: data for name, data in content.items() if name != "metadata.json"}
    for path in (packed(tmp_path / "deflated", content, zipfile.ZIP_DEFLATED), folder, packed(tmp_path / "bare", bare)):
        assert recognise(path).name == "keras-archive"
        found = read_all(path)
        assert found.keys() == expected.keys()
        assert all(np.array_equal(found[name], expected[name]) for name in found)


def test_what_no_document_can_hold_of_the_metadata_is_left_out(archive, tmp_path):
    """A model was read that could not be saved."""
    said = {"keras_version": "3.0.5", "build": 2**64, "word": "\ud800", "x" * 2000: 1, "date_saved": "today"}
    packed(tmp_path / "a.keras", {**members(archive), "metadata.json": json.dumps(said).encode()})
    triptych.save(triptych.load(tmp_path / "a.keras"), tmp_path / "a.triptych")
    triptych.save(triptych.load(tmp_path / "a.triptych"), tmp_path / "b.keras")
    assert json.loads(members(tmp_path / "b.keras")["metadata.json"]) == {"keras_version": "3.0.5", "date_saved": "today"}


def test_an_asset_comes_back(archive, tmp_path):
    packed(tmp_path / "a.keras", {**members(archive), "assets/note.txt": b"hello"})
    read = triptych.load(tmp_path / "a.keras")
    triptych.save(read, tmp_path / "p")
    assert (tmp_path / "p" / "assets" / "note.txt").read_bytes() == b"hello"
    triptych.save(triptych.load(tmp_path / "p"), tmp_path / "b.keras")
    assert members(tmp_path / "b.keras")["assets/note.txt"] == b"hello"


def test_an_archive_cut_anywhere_is_refused(archive, tmp_path):
    data = archive.read_bytes()
    cut = tmp_path / "cut.keras"
    for size in [*range(64, len(data), 997), len(data) - 1]:
        cut.write_bytes(data[:size])
        with pytest.raises(InvalidModelError) as caught:
            read_all(cut)
        assert caught.value.problems[0].code in ("LAYOUT_TRUNCATED", "LAYOUT_INVALID")
    cut.write_bytes(data[: len(data) // 2])
    with pytest.raises(TruncatedError):
        triptych.load(cut)


def test_a_flipped_bit_anywhere_is_noticed(archive, tmp_path):
    """A member that is mapped is compared with its checksum when its first tensor is read."""
    data = archive.read_bytes()
    expected = read_all(archive)
    chance = np.random.default_rng(2)
    for at in chance.integers(0, len(data), 150):
        damaged = bytearray(data)
        damaged[at] ^= 1 << int(chance.integers(8))
        (tmp_path / "d.keras").write_bytes(damaged)
        try:
            found = read_all(tmp_path / "d.keras")
        except TriptychError:
            continue
        assert all(np.array_equal(found[name], expected[name]) for name in expected)  # a date, a permission


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "c:/evil", "..\\evil", "\\evil"])
def test_a_name_that_leads_outside_is_refused(archive, tmp_path, name):
    path = packed(tmp_path / "a.keras", {**members(archive), name: b"x"})
    assert problem_of(path)[0] == "LAYOUT_INVALID"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(archive, tmp_path):
    content = members(archive)
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as file:
        for name in (*content, "config.json"):
            file.writestr(name, content[name])
    assert problem_of(tmp_path / "a.keras") == ("LAYOUT_INVALID", "config.json")


def test_a_bomb_is_refused_before_it_is_unpacked(archive, tmp_path):
    """Some hundred bytes that declare to become 2 GiB, as ``zip`` can make them of zeros."""
    path = packed(tmp_path / "a.keras", {**members(archive), "model.weights.h5": bytes(100_000)}, zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (1 << 31).to_bytes(4, "little")
    path.write_bytes(data)
    assert problem_of(path) == ("LAYOUT_UNSUPPORTED", "model.weights.h5")


def test_other_methods_and_encryption_are_refused(archive, tmp_path):
    assert problem_of(packed(tmp_path / "a.keras", members(archive), zipfile.ZIP_BZIP2)) == ("LAYOUT_UNSUPPORTED", "metadata.json")
    data = bytearray(archive.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    (tmp_path / "b.keras").write_bytes(data)
    assert problem_of(tmp_path / "b.keras") == ("LAYOUT_UNSUPPORTED", "metadata.json")


def test_members_that_share_bytes_are_refused(archive, tmp_path):
    """The second entry of the directory is made to point at the first member."""
    data = bytearray(archive.read_bytes())
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    (tmp_path / "b.keras").write_bytes(data)
    assert problem_of(tmp_path / "b.keras")[0] == "LAYOUT_INVALID"


def test_pickled_weights_are_refused(archive, tmp_path):
    content = members(archive)
    content["model.weights.npz"] = content.pop("model.weights.h5")
    assert problem_of(packed(tmp_path / "a.keras", content)) == ("LAYOUT_UNSUPPORTED", "model.weights.npz")


def test_a_link_in_the_weights_is_refused(archive, tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "/x")
    content = {**members(archive), "model.weights.h5": (tmp_path / "w.h5").read_bytes()}
    assert problem_of(packed(tmp_path / "a.keras", content)) == ("LAYOUT_UNSUPPORTED", "/layers/dense/vars/0")


def test_a_folder_shows_nothing_behind_links(archive, tmp_path):
    folder = tmp_path / "folder"
    (folder / "assets").mkdir(parents=True)
    for name, data in members(archive).items():
        (folder / name).write_bytes(data)
    os.symlink("/etc/hostname", folder / "assets" / "host")
    os.symlink("/etc", folder / "assets" / "etc")
    assert not triptych.load(folder).panels.assets


def test_variables_that_do_not_fit_are_refused(archive, tmp_path):
    for variables, place in (
        ({"layers/dense/vars/0": KERNEL}, "layers/dense/vars"),
        ({"layers/dense/vars/0": KERNEL.T, "layers/dense/vars/1": KERNEL[0]}, "layers/dense/vars/0"),
        ({"layers/d/vars/0": KERNEL, "layers/d/vars/1": KERNEL[0]}, "layers/dense/vars"),
    ):
        data = weights_file(tmp_path / "w.h5", variables).read_bytes()
        path = packed(tmp_path / "a.keras", {**members(archive), "model.weights.h5": data})
        assert problem_of(path) == ("LAYOUT_WEIGHTS_MISMATCH", place)


def test_what_belongs_to_no_layer_is_carried(archive, tmp_path):
    data = weights_file(tmp_path / "w.h5", {"layers/dense/vars/0": KERNEL, "layers/dense/vars/1": KERNEL[0], "metrics/mean/vars/0": KERNEL})
    packed(tmp_path / "a.keras", {**members(archive), "model.weights.h5": data.read_bytes()})
    triptych.save(triptych.load(tmp_path / "a.keras"), tmp_path / "p")
    np.testing.assert_array_equal(triptych.load(tmp_path / "p").training.state["keras.metrics/mean/vars/0"], KERNEL)
    triptych.save(triptych.load(tmp_path / "p"), tmp_path / "b.keras")
    (tmp_path / "back.h5").write_bytes(members(tmp_path / "b.keras")["model.weights.h5"])
    with h5py.File(tmp_path / "back.h5") as file:
        np.testing.assert_array_equal(file["metrics/mean/vars/0"], KERNEL)


def test_indices_are_numbers():
    from triptych.layouts.keras_v3.groups import Group

    group = Group(tensors={str(index): index for index in (10, 1, 0, 2, 3, 4, 5, 6, 7, 8, 9)})
    assert group.in_order() == list(range(11))
    assert Group(tensors={"0": 0, "2": 2}).in_order() is None


def test_windows_and_tensorflow_2_12_paths_are_read(tmp_path):
    """Backslashes inside one link; and the second Dense is dense_2, because a layer with weights was counted twice."""
    model = model_of({"name": "f", "type": "Flatten"}, DENSE, {"name": "other", "type": "Dense", "config": {"units": 2}})
    config = json.loads(model.to_json(dialect="keras3"))
    config.pop("compile_config", None)
    second = np.ones((3, 2), "float32")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        for path, kernel in (("dense", KERNEL), ("dense_2", second)):
            group = file.create_group(f"_layer_checkpoint_dependencies\\{path}").create_group("vars")
            group["0"], group["1"] = kernel, kernel[0]
    content = {"config.json": json.dumps(config), "model.weights.h5": (tmp_path / "w.h5").read_bytes()}
    found = read_all(packed(tmp_path / "a.keras", content))
    np.testing.assert_array_equal(found["any.kernel"], KERNEL)
    np.testing.assert_array_equal(found["other.kernel"], second)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Conv2DTranspose", "conv2d_transpose"), ("LSTM", "lstm"), ("MyNN2Layer", "my_nn2_layer"), ("Dense_Block", "dense__block"),
        ("RMSprop", "rm_sprop"), ("_Private", "__private"), ("pkg>Inner", "inner"), ("PReLU", "p_re_lu"),
    ],
)  # fmt: skip
def test_class_names_become_paths(name, path):
    """As measured on Keras 3.15; tf-keras has another word for what begins with a line."""
    assert snake(name, Generation((3, 15, 0))) == path
    if name == "_Private":
        assert snake(name, Generation((2, 15, 0))) == "private__private"


def test_weights_go_by_path_into_layers_of_any_name(tmp_path):
    weights_file(tmp_path / "w.weights.h5", {"layers/dense/vars/0": KERNEL, "layers/dense/vars/1": KERNEL[0]})
    model = model_of({"name": "f", "type": "Flatten"}, DENSE)
    assert model.load_weights(tmp_path / "w.weights.h5").loaded == ("any.kernel", "any.bias")
    np.testing.assert_array_equal(model.weights["any.kernel"], KERNEL)
    wide = model_of({**DENSE, "config": {"units": 4}})
    with pytest.raises(WeightsMismatchError):
        wide.load_weights(tmp_path / "w.weights.h5")
    with pytest.warns(UserWarning, match="skipped"):
        assert wide.load_weights(tmp_path / "w.weights.h5", skip_mismatch=True).mismatched


def test_two_hdf5_layouts_are_told_apart_whatever_they_are_called(tmp_path, dense):
    """TensorFlow up to 2.11 wrote its older layout under both suffixes."""
    model = dense(3, inputs=2)
    for name, layout in (("a.h5", "keras-hdf5"), ("b.weights.h5", "keras-weights")):
        triptych.save(model, tmp_path / name)
        for other in ("c.keras", "d.weights.h5", "e"):
            (tmp_path / other).write_bytes((tmp_path / name).read_bytes())
            assert recognise(tmp_path / other).name == layout


def test_archives_of_others_are_not_claimed(tmp_path, dense):
    assert recognise(packed(tmp_path / "x.keras", {"archive/data.pkl": b"", "archive/version": b"3"})).name == "torch"
    assert recognise(packed(tmp_path / "y.keras", {"config.json": b"{}"})) is None
    triptych.save(dense(3, inputs=2), tmp_path / "a.triptych")
    repacked = packed(tmp_path / "b.keras", {name: data for name, data in sorted(members(tmp_path / "a.triptych").items())})
    assert recognise(repacked).name == "triptych"


def test_an_index_of_shards_leads_only_to_files_beside_it(tmp_path, dense):
    path = tmp_path / "m.weights.json"
    triptych.save(dense(3, inputs=2), path, max_shard_bytes=24)
    index = json.loads(path.read_text())
    assert index["weight_map"]["/layers/dense/vars"] == ["m_00000.weights.h5", "m_00001.weights.h5"]
    assert set(triptych.load(path).weights) == {"layers/dense/vars/0", "layers/dense/vars/1"}
    for name in ("../m_00000.weights.h5", "/etc/m.weights.h5", "sub/m.weights.h5", ".weights.h5"):
        path.write_text(json.dumps({**index, "weight_map": {"/vars": name}}))
        assert problem_of(path) == ("LAYOUT_UNSUPPORTED", "#/weight_map/'/vars'")
    path.write_text(json.dumps({**index, "weight_map": {"/vars": "gone.weights.h5"}}))
    with pytest.raises(FileNotFoundError):
        triptych.load(path)


def test_what_cannot_be_written_is_refused(tmp_path, dense):
    model = dense(3, inputs=2)
    with pytest.raises(UsageError, match="dialect"):
        triptych.save(model, tmp_path / "a.keras", dialect="keras2")
    with pytest.raises(UsageError, match=r"name\.weights\.h5"):
        model.save_weights(tmp_path / "a.keras")
    with pytest.raises(UsageError, match=r"name\.weights\.json"):
        triptych.save(model, tmp_path / "a.weights.h5", max_shard_bytes=100)
    with pytest.raises(ConversionError, match="at most 10 bytes"):
        triptych.save(model, tmp_path / "a.weights.json", max_shard_bytes=10)
    with pytest.raises(ConversionError, match="lacks weights"):
        triptych.save(model_of(DENSE), tmp_path / "a.keras")
    model.save_weights(tmp_path / "w.safetensors")
    with pytest.raises(ConversionError, match="expected an architecture"):
        triptych.save(triptych.load(tmp_path / "w.safetensors"), tmp_path / "a.weights.h5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w.safetensors"]
