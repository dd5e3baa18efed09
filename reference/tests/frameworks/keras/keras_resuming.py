"""Two epochs with checkpoints, then two more from the latest, against four in one go; on the backend of the environment."""

import sys
from pathlib import Path

import keras
import numpy as np

import keras_kinds as kinds
import triptych.keras

X, Y = kinds.data(20, 4), kinds.data(20, 1, seed=2)


def model():
    keras.backend.clear_session()  # names are counted from the start again
    keras.utils.set_random_seed(3)
    layers = keras.layers
    made = keras.Sequential([layers.Input((4,)), layers.Dense(3, activation="tanh", name="one"), layers.Dropout(0.3, seed=5), layers.Dense(1, name="two")], name="m")
    made.compile(keras.optimizers.Adam(0.05), keras.losses.MeanSquaredError())
    return made


def fit(live, folder, **options):
    callback = triptych.keras.Checkpoint(folder, every_epochs=1, every_batches=2)
    return live.fit(X, Y, batch_size=8, shuffle=False, verbose=0, callbacks=[callback], validation_data=(X[:4], Y[:4]), **options).history


whole, parts = Path(sys.argv[1], "whole"), Path(sys.argv[1], "parts")
expected = fit(model(), whole, epochs=4)
fit(model(), parts, epochs=2)
last = triptych.keras.latest(parts)
progress = triptych.load(last).training.progress
assert (progress.step, progress.epoch, progress.samples) == (6, 2, 40), progress
found = fit(triptych.keras.load(last), parts, epochs=4, initial_epoch=progress.epoch)
assert {name: values[2:] for name, values in expected.items()} == found, (expected, found)
names = sorted(path.name for path in whole.iterdir())
assert names == sorted(path.name for path in parts.iterdir())
for name in names:
    one, two = ((folder / name).read_bytes() for folder in (whole, parts))
    assert one == two, name
    if name.endswith("triptych"):
        weights = triptych.load(whole / name).weights
        assert all(np.isfinite(weights[key]).all() for key in weights)
print("resumed")
