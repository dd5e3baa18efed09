"""Sends every model of the zoo through Triptych and back with one real Keras, in a process of its own; prints what became of each as JSON.

``python journeys.py BACKEND [MODEL …]``, where BACKEND is tf_keras, tensorflow, jax or torch. A journey is: the framework saves; we
read; packages with the architecture in JSON and in YAML stand in the middle; we write; the framework loads. Each way has to lead to one file.
"""

import json
import os
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "JAX_PLATFORMS": "cpu"}
warnings.simplefilter("ignore")

import explained
import numpy as np
import zoo
from contents import differences

import triptych

MIDDLES = {"directly": None, "json": {}, "yaml": {"spelling": "yaml"}, "archive": {}}
STEPS = 2
NEXT = 5


def keras_of(backend):
    """The module that BACKEND stands for, told to compute step by step: compiling takes longer than these models."""
    if backend == "tf_keras":
        import tensorflow as tf
        import tf_keras

        tf.config.run_functions_eagerly(True)
        return tf_keras
    os.environ["KERAS_BACKEND"] = backend
    import keras

    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.run_functions_eagerly(True)
    if backend == "torch":
        import torch

        torch.manual_seed(0)
        torch.set_num_threads(1)
    return keras


class Journeys:
    """All journeys with one Keras."""

    def __init__(self, keras):
        self.k = keras
        # JAX compiles the cells of its recurrent layers anew in each step that is taken alone; the others need not compile at all.
        self.compiles = zoo.is_3(keras) and keras.backend.backend() == "jax"

    def seeded(self, number):
        self.k.utils.set_random_seed(number)

    def step(self, model, x, y):
        if zoo.is_3(self.k):
            model.reset_metrics()  # otherwise Keras 3 tells the mean of all steps
            return np.ravel(np.asarray(model.train_on_batch(x, y), "float64")).tolist()
        return np.ravel(model.train_on_batch(x, y)).tolist()

    def not_compiling(self, model):
        """Have `model` train step by step where that is faster."""
        model.run_eagerly = not self.compiles
        model.jit_compile = self.compiles

    def loaded(self, path):
        """The model in a file; the generators of its layers start from one seed, for no format keeps them."""
        self.seeded(5)
        model = self.k.models.load_model(path)
        if getattr(model, "optimizer", None) is not None:
            self.not_compiling(model)
            if zoo.is_3(self.k) and path.suffix == ".h5":
                # Keras 3 builds the optimizer of an HDF5 file for no variables at all and cannot train on: it gets a new one.
                model.optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
        return model

    def observed(self, model, x, y):
        """The weights, the predictions and the next losses of a model, as bytes and numbers to compare."""
        weights = [(list(w.shape), str(w.dtype), np.asarray(w).tobytes()) for w in model.get_weights()]
        state = optimizer_state(model)
        outputs = model(x, training=False)
        predictions = [np.asarray(self.plain(one)).tobytes() for one in flat(outputs)]
        self.seeded(11)
        losses = [] if y is None else [self.step(model, x, y) for _ in range(NEXT)]
        return {"tensors": weights, "optimizer": state, "predictions": predictions, "losses": losses}

    def plain(self, value):
        return self.k.ops.convert_to_numpy(value) if zoo.is_3(self.k) else value

    def journey(self, name, folder):
        """What became of one model in every format: format -> aspect -> "identical" or what differs."""
        self.seeded(3)
        model, x, y = zoo.MODELS[name](self.k)
        if y is not None:
            self.not_compiling(model)
            for _ in range(STEPS):
                self.step(model, x, y)
        else:
            model(x)
        # The archive first: Keras 3 takes the optimizer out of the model's configuration when it writes HDF5.
        found = {}
        for suffix in ("keras", "h5", "weights.h5"):
            try:
                found[suffix] = self.weights(model, folder) if suffix == "weights.h5" else self.whole(model, x, y, suffix, folder)
            except Exception as error:  # what went wrong is the finding
                found[suffix] = {"error": said(error)}
        return found

    def whole(self, model, x, y, suffix, folder):
        source = folder / f"source.{suffix}"
        refusal = refused(lambda: model.save(source))
        if refusal:
            return {"not written by Keras": refusal}
        found = {"ways": self.ways(source, folder, suffix)}
        returned = folder / f"directly.{suffix}"
        found["content"] = differences(source, returned) or "identical"
        refusal = refused(lambda: self.loaded(source))
        if refusal:
            return found | {"not loaded by Keras itself": refusal, "as .keras": self.other(model, x, source)}
        if suffix == "h5" and zoo.is_3(self.k) and self.k.backend.backend() != "tensorflow":
            y = None  # on from an HDF5 file Keras 3 trains with a new optimizer: seen on one backend, it is seen
        first, second = self.observed(self.loaded(source), x, y), self.observed(self.loaded(returned), x, y)
        return found | {aspect: "identical" if first[aspect] == second[aspect] else str(unlike(first[aspect], second[aspect])) for aspect in first}

    def other(self, model, x, source):
        """Whether a file that Keras cannot load predicts the same once it is written as an archive."""
        target = source.with_name("other.keras")
        triptych.save(triptych.load(source), target)
        pairs = zip(flat(self.loaded(target)(x, training=False)), flat(model(x, training=False)), strict=True)
        return "identical" if all(np.array_equal(self.plain(one), self.plain(two)) for one, two in pairs) else "different"

    def weights(self, model, folder):
        source = folder / "source.weights.h5"
        refusal = refused(lambda: model.save_weights(source))
        if refusal:
            return {"not written by Keras": refusal}
        found = {"ways": self.ways(source, folder, "weights.h5")}
        returned = folder / "directly.weights.h5"
        found["content"] = differences(source, returned) or "identical"
        before = [np.copy(w) for w in model.get_weights()]
        model.set_weights([np.zeros_like(w) for w in before])
        model.load_weights(returned)
        same = all(np.array_equal(one, two) for one, two in zip(before, model.get_weights(), strict=True))
        return found | {"tensors": "identical" if same else "different"}

    def ways(self, source, folder, suffix):
        """Whether the ways through each middle lead to one file, and what was noted on them."""
        files, notes = [], []
        model = triptych.load(source)
        for way, options in MIDDLES.items():
            target = folder / f"{way}.{suffix}"
            if options is not None:
                middle = folder / f"{suffix}-{way}{'.triptych' if way == 'archive' else ''}".replace(".h5", "_h5")
                triptych.save(model, middle, **options)
                problems = triptych.validate(middle)
                notes += [f"invalid: {problem.message}" for problem in problems]
                notes += triptych.save(triptych.load(middle), target)
            else:
                notes += triptych.save(model, target)
            files.append(target)
        for other in files[1:]:  # equal as data: the order of keys in a JSON document is not kept by every middle
            if other.read_bytes() != files[0].read_bytes():
                notes += [f"{other.name}: {line}" for line in differences(files[0], other)]
        return sorted(set(notes)) or "identical"


def optimizer_state(model):
    optimizer = getattr(model, "optimizer", None)
    variables = getattr(optimizer, "variables", None) or []
    variables = variables() if callable(variables) else variables
    return [np.asarray(v.numpy() if hasattr(v, "numpy") else v).astype("float64").tolist() if not hasattr(v, "detach") else v.detach().numpy().tolist() for v in variables]


def flat(value):
    if isinstance(value, dict):
        return [one for key in sorted(value) for one in flat(value[key])]
    return [one for item in value for one in flat(item)] if isinstance(value, list | tuple) else [value]


def unlike(one, two):
    return f"{len(one)} and {len(two)}" if len(one) != len(two) else [i for i, pair in enumerate(zip(one, two, strict=True)) if pair[0] != pair[1]]


def refused(action):
    """What Keras itself says against `action`; empty if nothing."""
    try:
        action()
    except Exception as error:
        return said(error)
    return ""


def said(error):
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"[:200]


def main(backend, *only):
    journeys = Journeys(keras_of(backend))
    found, started = {}, time.perf_counter()
    for name in only or (explained.ON_JAX if backend == "jax" else zoo.MODELS):
        folder = Path(tempfile.mkdtemp())
        begun = time.perf_counter()
        try:
            found[name] = journeys.journey(name, folder)
        except Exception as error:  # this Keras cannot make the model
            found[name] = dict.fromkeys(explained.FORMATS, {"not made by Keras": said(error)})
        if only:
            print(name, f"{time.perf_counter() - begun:.1f} s", file=sys.stderr)
        shutil.rmtree(folder)
        journeys.k.backend.clear_session()
    print(json.dumps({"models": found, "seconds": round(time.perf_counter() - started, 1), "keras": journeys.k.__version__}))


if __name__ == "__main__":
    main(*sys.argv[1:])
