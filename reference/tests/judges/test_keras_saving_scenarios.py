"""The scenarios of Keras' own tests of saving, asked of our reader and writer: each is one row, told in our words, judged by real Keras.

docs/keras-saving-scenarios.md lists them with those that do not apply, and why; the test holds the two to each other.
"""

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

import triptych

pytestmark = pytest.mark.filterwarnings("ignore")

DOCUMENT = Path(__file__).parents[3] / "docs" / "keras-saving-scenarios.md"
X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
Y = np.random.default_rng(1).normal(size=(4, 2)).astype("float32")


def sequential(k, **compile_with):
    model = k.Sequential([k.layers.Input((3,)), k.layers.Dense(4, activation="relu", name="a"), k.layers.Dense(2, name="b")], name="scenario")
    if compile_with:
        model.compile(**compile_with)
        model.train_on_batch(X, Y)
    return model


def functional(k):
    x = k.layers.Input((3,), name="x")
    y = k.layers.Dense(4, name="a")(x)
    return k.Model(x, k.layers.Dense(2, name="b")(k.layers.Add()([y, y])), name="scenario")


def unchanged(k, model, folder, suffix, x=X):
    """Save, send through a package, load: the same predictions to the bit. Yields the loaded model."""
    model.save(folder / f"a.{suffix}")
    triptych.save(triptych.load(folder / f"a.{suffix}"), folder / "p")
    triptych.save(triptych.load(folder / "p"), folder / f"b.{suffix}")
    loaded = k.models.load_model(folder / f"b.{suffix}")
    for one, two in zip(np.atleast_1d(model(x)), np.atleast_1d(loaded(x)), strict=True):
        np.testing.assert_array_equal(one, two)
    return loaded


def a_sequential_model(k, folder, suffix):
    unchanged(k, sequential(k), folder, suffix)


def a_functional_model(k, folder, suffix):
    unchanged(k, functional(k), folder, suffix)


def a_compiled_model_keeps_how_it_was_compiled(k, folder, suffix):
    model = sequential(k, optimizer=k.optimizers.Adam(0.02), loss=k.losses.MeanSquaredError(), metrics=[k.metrics.MeanAbsoluteError()])
    loaded = unchanged(k, model, folder, suffix)
    assert type(loaded.optimizer) is type(model.optimizer)
    assert float(np.asarray(loaded.optimizer.learning_rate)) == pytest.approx(0.02)


def a_model_that_was_not_compiled_stays_so(k, folder, suffix):
    assert not getattr(unchanged(k, sequential(k), folder, suffix), "compiled", False)


def the_optimizer_goes_on_counting(k, folder, suffix):
    model = sequential(k, optimizer="adam", loss=k.losses.MeanSquaredError())
    model.train_on_batch(X, Y)
    loaded = unchanged(k, model, folder, suffix)
    if k.__name__ == "tf_keras" or suffix == "keras":
        assert int(np.asarray(loaded.optimizer.iterations)) == 2


def a_frozen_layer_stays_frozen(k, folder, suffix):
    model = sequential(k)
    model.layers[0].trainable = False
    loaded = unchanged(k, model, folder, suffix)
    assert [layer.trainable for layer in loaded.layers] == [False, True]


def a_nested_model(k, folder, suffix):
    x = k.layers.Input((3,), name="outer_x")
    unchanged(k, k.Model(x, k.layers.Dense(1, name="c")(sequential(k)(x)), name="outer"), folder, suffix)


def a_shared_layer(k, folder, suffix):
    shared = k.layers.Dense(3, name="shared")
    x = k.layers.Input((3,), name="x")
    unchanged(k, k.Model(x, shared(shared(x)), name="twice"), folder, suffix)


def weights_that_are_not_trained(k, folder, suffix):
    model = k.Sequential([k.layers.Input((3,)), k.layers.BatchNormalization(name="norm")])
    model.layers[0].set_weights([np.full(3, v, "float32") for v in (2, 3, 4, 5)])
    loaded = unchanged(k, model, folder, suffix)
    assert [w[0] for w in loaded.get_weights()] == [2, 3, 4, 5]


def names_of_layers_and_model(k, folder, suffix):
    loaded = unchanged(k, functional(k), folder, suffix)
    assert (loaded.name, [layer.name for layer in loaded.layers if layer.weights]) == ("scenario", ["a", "b"])


def a_file_without_weights_of_a_layer_is_refused(k, folder, suffix):
    model = triptych.load(saved(sequential(k), folder / f"a.{suffix}"))
    other = triptych.load(saved(k.Sequential([k.layers.Input((3,)), k.layers.Dense(9, name="a"), k.layers.Dense(2, name="b")]), folder / f"o.{suffix}"))
    triptych.save(other, folder / "o.triptych", only="weights")
    with pytest.raises(ValueError, match="expected shape"):
        model.load_weights(folder / "o.triptych")


def what_exists_is_not_replaced_unasked(k, folder, suffix):
    model = triptych.load(saved(sequential(k), folder / f"a.{suffix}"))
    before = (folder / f"a.{suffix}").read_bytes()
    with pytest.raises(ValueError, match="overwrite"):
        triptych.save(model, folder / f"a.{suffix}", overwrite=False)
    assert (folder / f"a.{suffix}").read_bytes() == before


def code_is_neither_run_nor_carried(k, folder, suffix):
    model = k.Sequential([k.layers.Input((3,)), k.layers.Lambda(lambda x: x * 2, name="twice")])
    read = triptych.load(saved(model, folder / f"a.{suffix}"))
    notes = triptych.save(read, folder / f"b.{suffix}")
    assert any("lambda" in note for note in notes)


def metadata_says_version_and_date(k, folder, suffix):
    if suffix == "keras":
        triptych.save(triptych.load(saved(sequential(k), folder / "a.keras")), folder / "b.keras")
        with zipfile.ZipFile(folder / "b.keras") as archive:
            said = json.loads(archive.read("metadata.json"))
        assert said["keras_version"] == k.__version__
        assert re.fullmatch(r"\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d", said["date_saved"])


def saved(model, path):
    model.save(path)
    return path


SCENARIOS = {
    f.__name__.replace("_", " "): f
    for f in (
        a_sequential_model, a_functional_model, a_compiled_model_keeps_how_it_was_compiled, a_model_that_was_not_compiled_stays_so,
        the_optimizer_goes_on_counting, a_frozen_layer_stays_frozen, a_nested_model, a_shared_layer, weights_that_are_not_trained,
        names_of_layers_and_model, a_file_without_weights_of_a_layer_is_refused, what_exists_is_not_replaced_unasked,
        code_is_neither_run_nor_carried, metadata_says_version_and_date,
    )
}  # fmt: skip


@pytest.mark.parametrize("suffix", ["h5", "keras"])
@pytest.mark.parametrize("keras", ["keras2", "keras3"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_holds(request, tmp_path, scenario, keras, suffix):
    SCENARIOS[scenario](request.getfixturevalue(keras), tmp_path, suffix)


def test_the_document_lists_the_scenarios():
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    assert [line.split("|")[1].strip() for line in lines if line.endswith("| holds |")] == list(SCENARIOS)
