"""Checkpoints saved while either Keras trains; training goes on from them as if nothing had happened."""

import json

import keras_kinds as kinds
import numpy as np
import pytest

import triptych
import triptych.keras
from triptych.errors import SaveError, UsageError
from triptych.keras import Checkpoint

pytestmark = pytest.mark.filterwarnings("ignore")
X, Y = kinds.data(20, 4), kinds.data(20, 1, seed=2)


def model_of(k, seed=3):
    """Dropout makes its losses depend on the state of random numbers, where that is state."""
    k.backend.clear_session()  # names are counted from the start again
    k.utils.set_random_seed(seed)
    drop = [k.layers.Dropout(0.3)] if k.__name__ == "keras" else []
    model = k.Sequential([k.layers.Input((4,)), k.layers.Dense(3, activation="tanh", name="one"), *drop, k.layers.Dense(1, name="two")], name="m")
    model.compile(k.optimizers.Adam(0.05), k.losses.MeanSquaredError())
    return model


def fit(model, *callbacks, epochs=2, batch_size=8, **options):
    """20 samples: three batches an epoch, the last one of 4."""
    return model.fit(X, Y, epochs=epochs, batch_size=batch_size, shuffle=False, verbose=0, callbacks=list(callbacks), **options)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def listed(folder):
    return [one["name"] for one in json.loads((folder / "checkpoints.json").read_text())["checkpoints"]]


def test_it_is_a_callback_of_each_keras_that_is_there(keras2, keras3, tmp_path):
    callback = Checkpoint(tmp_path)
    assert isinstance(callback, Checkpoint)
    assert isinstance(callback, keras2.callbacks.Callback)
    assert isinstance(callback, keras3.callbacks.Callback)


def test_every_epoch_is_saved_with_how_far_it_got(keras, tmp_path):
    live = model_of(keras)
    fit(live, Checkpoint(tmp_path / "run"), validation_data=(X[:4], Y[:4]))
    assert names(tmp_path / "run") == ["checkpoints.json", "step-00000003-epoch-0001.triptych", "step-00000006-epoch-0002.triptych"]
    last = triptych.keras.latest(tmp_path / "run")
    assert triptych.validate(last) == ()
    progress = triptych.load(last).training.progress
    assert (progress.step, progress.epoch, progress.samples) == (6, 2, 40)
    for one, two in zip(triptych.keras.load(last).get_weights(), live.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    state = json.loads((tmp_path / "run" / "checkpoints.json").read_text())
    assert state["latest"] == last.name
    assert set(state["checkpoints"][0]["metrics"]) == {"loss", "val_loss"}


def test_a_resumed_run_ends_where_the_uninterrupted_one_does(keras, tmp_path):
    """Two epochs, then two more in a new model, are four epochs: the same losses, weights and files, bit for bit."""
    whole, folder = tmp_path / "whole", tmp_path / "parts"
    expected = fit(model_of(keras), Checkpoint(whole), epochs=4).history["loss"]
    fit(model_of(keras), Checkpoint(folder))
    last = triptych.keras.latest(folder)
    live = triptych.keras.load(last)
    found = fit(live, Checkpoint(folder), epochs=4, initial_epoch=triptych.load(last).training.progress.epoch).history["loss"]
    assert found == expected[2:]
    for name in names(whole):
        assert (whole / name).read_bytes() == (folder / name).read_bytes(), name


def test_batches_count_over_epochs(keras, tmp_path):
    fit(model_of(keras), Checkpoint(tmp_path, every_batches=2))
    assert listed(tmp_path) == [f"step-0000000{step}-epoch-000{epoch}.triptych" for step, epoch in ((2, 0), (4, 1), (6, 1))]
    assert [triptych.load(tmp_path / name).training.progress.samples for name in listed(tmp_path)] == [16, 28, 40]


def test_samples_are_counted_and_not_guessed(keras, tmp_path):
    """16, 20 (the last batch is small), 28 … are seen; each ten passed saves once."""
    fit(model_of(keras), Checkpoint(tmp_path, every_samples=10))
    assert [triptych.load(tmp_path / name).training.progress.samples for name in listed(tmp_path)] == [16, 20, 36, 40]


def test_a_checkpoint_in_the_middle_of_an_epoch_goes_on_exactly(keras3, tmp_path):
    fit(model_of(keras3), Checkpoint(tmp_path, every_batches=2), epochs=1)
    live, loaded = model_of(keras3), triptych.keras.load(tmp_path / "step-00000002-epoch-0000.triptych")
    for start in (0, 8):
        live.train_on_batch(X[start : start + 8], Y[start : start + 8])
    for one, two in zip(loaded.get_weights(), live.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert loaded.train_on_batch(X[16:], Y[16:]) == live.train_on_batch(X[16:], Y[16:])


def scored(keras, values):
    """A callback that makes the accuracy of each epoch what a test wants."""

    class Score(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["accuracy"] = values[epoch]

    return Score()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"keep_last": 2}, [3, 4, 5]),  # the best, which is the third, stays
        ({"keep_last": 1, "keep_best": 2}, [2, 3, 5]),
        ({"keep_best": 1}, [3, 5]),
        ({"save_best_only": True}, [1, 2, 3]),
        ({"save_best_only": True, "keep_last": 1}, [3]),
        ({"every_epochs": 2, "keep_last": 9}, [2, 4]),
    ],
)
def test_what_stays(keras3, tmp_path, options, expected):
    live = model_of(keras3)
    live.run_eagerly = True
    fit(live, scored(keras3, [0.1, 0.5, 0.9, 0.2, float("nan")]), Checkpoint(tmp_path, monitor="accuracy", **options), epochs=5, batch_size=20)
    assert listed(tmp_path) == [f"step-{epoch:08d}-epoch-{epoch:04d}.triptych" for epoch in expected]
    assert names(tmp_path) == ["checkpoints.json", *listed(tmp_path)]
    best = 3 if 3 in expected else 2
    assert triptych.keras.best(tmp_path).name == f"step-{best:08d}-epoch-{best:04d}.triptych"
    assert triptych.load(triptych.keras.latest(tmp_path)).training.progress.best == {"accuracy": 0.9 if 3 in expected else 0.5}


def test_the_best_of_an_earlier_run_counts(keras3, tmp_path):
    for values in ([0.9], [0.5]):
        fit(model_of(keras3), scored(keras3, values), Checkpoint(tmp_path, monitor="accuracy", save_best_only=True), epochs=1)
    assert len(listed(tmp_path)) == 1


def test_a_run_that_begins_again_in_the_same_folder_overwrites_nothing(keras3, tmp_path):
    for seed in (3, 4):
        fit(model_of(keras3, seed), Checkpoint(tmp_path), epochs=1)
    assert listed(tmp_path) == ["step-00000003-epoch-0001.triptych", "step-00000003-epoch-0001-2.triptych"]
    assert triptych.keras.latest(tmp_path).name == "step-00000003-epoch-0001-2.triptych"


def test_other_layouts_say_what_they_do_not_hold(keras, tmp_path):
    live = model_of(keras)
    callback = Checkpoint(tmp_path / "h", layout="keras-hdf5")
    fit(live, callback, Checkpoint(tmp_path / "f", form="directory"), epochs=1)
    assert triptych.keras.latest(tmp_path / "h").name == "step-00000003-epoch-0001.h5"
    assert (triptych.keras.latest(tmp_path / "f") / "manifest.json").is_file()
    assert any("epoch" in note for note in callback.notes)
    np.testing.assert_array_equal(triptych.keras.load(triptych.keras.latest(tmp_path / "h")).get_weights()[0], live.get_weights()[0])


def test_a_save_that_fails_ends_the_training_and_leaves_what_was_there(keras3, tmp_path, monkeypatch):
    callback = Checkpoint(tmp_path, keep_last=1)
    fit(model_of(keras3), callback, epochs=1)
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}

    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("triptych.package.files.FileSystem.writev", refuse)
    with pytest.raises(SaveError, match="No space left"):
        fit(model_of(keras3), callback, epochs=1)
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


@pytest.mark.parametrize(
    "options",
    [
        {"every_epochs": 0}, {"every_batches": True}, {"keep_last": 0}, {"keep_best": 1}, {"save_best_only": True}, {"monitor": "score"},
        {"monitor": "loss", "mode": "least"}, {"layout": "zip"}, {"form_of": "directory"},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_before_training(keras3, tmp_path, options):
    with pytest.raises(UsageError):
        Checkpoint(tmp_path, **options)


@pytest.mark.parametrize("every", ["every_epochs", "every_batches"])
def test_a_metric_that_nobody_computes_is_named(keras, tmp_path, every):
    with pytest.raises(UsageError, match="val_loss.*got loss"):
        fit(model_of(keras), Checkpoint(tmp_path, monitor="val_loss", save_best_only=True, **{every: 1}), epochs=1)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_same_on_other_backends(elsewhere, backend, tmp_path):
    """There the state of a model is elsewhere in the middle of an epoch (JAX), or changes in place (PyTorch)."""
    assert elsewhere(backend, "keras_resuming.py", tmp_path) == "resumed\n"
