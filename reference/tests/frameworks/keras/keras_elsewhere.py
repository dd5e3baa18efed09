"""Goes on with a saved model in this process' Keras 3: prints the losses of so many steps. Arguments: model, inputs and targets, steps, dtype."""

import json
import sys

import keras
import numpy as np

import triptych.keras

path, arrays, steps, floatx = sys.argv[1:]
keras.config.set_floatx(floatx)
stored = np.load(arrays)
x, y = ([stored[key] for key in sorted(stored) if key.startswith(kind)] for kind in "xy")
live = triptych.keras.load(path, framework="keras")
losses = [live.train_on_batch(x if len(x) > 1 else x[0], y if len(y) > 1 else y[0]) for _ in range(int(steps))]
print(json.dumps(np.asarray(losses, "float64").tolist()))
