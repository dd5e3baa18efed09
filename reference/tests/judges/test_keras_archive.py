"""`.keras` archives and object-path weights through Triptych and back, with real Keras 3 and tf-keras as the judges."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest

import triptych

pytestmark = pytest.mark.filterwarnings("ignore")

NAMES = ["convolutional", "two_in_two_out", "nested", "recurrent"]


def groups(data):
    """Every group of variables and every variable of a weights file: path -> attributes, or dtype, shape and bytes."""
    found = {}
    with h5py.File(io.BytesIO(data)) as file:

        def visit(name, item):
            name = name.replace("\\", "/")
            if isinstance(item, h5py.Dataset):
                found[name] = (str(item.dtype), item.shape, item[()].tobytes(), dict(item.attrs))
            elif name.split("/")[-1] == "vars":
                found[name] = dict(item.attrs)

        file.visititems(visit)
    return found


def content(path):
    """What an archive says: its members, its documents as JSON, its groups."""
    with zipfile.ZipFile(path) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.testzip() is None
        documents = [json.loads(archive.read(name)) for name in ("metadata.json", "config.json")]
        return archive.namelist(), documents, groups(archive.read("model.weights.h5"))


def through_packages(source, folder, **options):
    """The file that comes back by a folder, by an archive and by YAML; they are the same to the byte."""
    model = triptych.load(source)
    ways = {"p": {}, "p.triptych": {}, "y": {"spelling": "yaml"}}
    returned = []
    for target, how in ways.items():
        triptych.save(model, folder / target, **how)
        assert triptych.validate(folder / target) == ()
        returned.append(folder / f"{target}.keras")
        assert triptych.save(triptych.load(folder / target), returned[-1], **options) == ()
    assert len({path.read_bytes() for path in returned}) == 1
    return returned[0]


def load(keras, path):
    """The model in a file, with dropout drawing from a seed of ours: Keras saves no generator's state."""
    keras.utils.set_random_seed(5)
    return keras.models.load_model(path)


def same_predictions(judge, first, second, x):
    for one, two in zip(judge.flat(first.predict(x, verbose=0)), judge.flat(second.predict(x, verbose=0)), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("which", ["keras3", "keras2"])
def test_an_archive_comes_back_and_training_goes_on(request, judge, tmp_path, which, name):
    """Members, documents, groups with their names and every variable; predictions and the next five losses."""
    keras = request.getfixturevalue(which)
    model, x, y = judge.trained(keras, judge.models[name])
    model.save(tmp_path / "a.keras")
    back = through_packages(tmp_path / "a.keras", tmp_path)
    assert content(back) == content(tmp_path / "a.keras")
    first, second = load(keras, tmp_path / "a.keras"), load(keras, back)
    same_predictions(judge, first, second, x)
    assert judge.next_losses(keras, first, x, y) == judge.next_losses(keras, second, x, y)


@pytest.mark.parametrize("name", NAMES)
def test_a_keras_2_file_becomes_an_archive_that_keras_3_loads(keras2, keras3, judge, tmp_path, name):
    model, x, y = judge.trained(keras2, judge.models[name])
    model.save(tmp_path / "old.h5")
    triptych.save(triptych.load(tmp_path / "old.h5"), tmp_path / "new.keras")
    loaded = keras3.models.load_model(tmp_path / "new.keras")
    for one, two in zip(judge.flat(loaded.predict(x, verbose=0)), judge.flat(model.predict(x, verbose=0)), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)
    assert loaded.optimizer.iterations == 3
    assert np.isfinite(judge.next_losses(keras3, loaded, x, y)).all()


@pytest.mark.parametrize("name", NAMES)
def test_weights_by_object_path_load_where_keras_loads_them(keras3, judge, tmp_path, name):
    model, _, _ = judge.trained(keras3, judge.models[name])
    model.save_weights(tmp_path / "a.weights.h5")
    model.save(tmp_path / "m.keras")
    expected = [np.copy(w) for w in model.get_weights()]
    alone = triptych.load(tmp_path / "a.weights.h5")
    triptych.save(alone, tmp_path / "p")
    assert triptych.validate(tmp_path / "p") == ()
    assert triptych.save(triptych.load(tmp_path / "p"), tmp_path / "b.weights.h5") == ()
    assert groups((tmp_path / "b.weights.h5").read_bytes()) == groups((tmp_path / "a.weights.h5").read_bytes())
    ours = triptych.load(tmp_path / "m.keras")
    ours.set_weights([np.zeros_like(w) for w in ours.get_weights()])
    report = ours.load_weights(tmp_path / "p")
    assert len(report.loaded) == len(ours.get_weights())
    ours.save_weights(tmp_path / "c.weights.h5")
    for path in (tmp_path / "b.weights.h5", tmp_path / "c.weights.h5"):
        model.set_weights([np.zeros_like(w) for w in expected])
        model.load_weights(path)
        for one, two in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(one, two)
