"""Both Keras in one process, Keras 3 on TensorFlow; other backends need a process each."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # where the tests of this folder find keras_kinds and keras_journeys


@pytest.fixture(scope="session")
def tf():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        return tf


@pytest.fixture(scope="session")
def keras3(tf):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras

        return keras


@pytest.fixture(scope="session")
def keras2(tf):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tf_keras

        return tf_keras


@pytest.fixture(params=["keras", "tf_keras"])
def keras(request):
    """Each Keras in turn."""
    return request.getfixturevalue("keras3" if request.param == "keras" else "keras2")


@pytest.fixture(scope="session")
def elsewhere():
    """``elsewhere(backend, script, *arguments)`` runs a script of this folder with Keras 3 on another backend; what it prints."""

    def run(backend, script, *arguments):
        environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(sys.path), "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run([sys.executable, "-W", "ignore", HERE / script, *map(str, arguments)], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run
