"""The two Keras of today, who judge what is written for them; imported when a test asks."""

import os
import sys
import warnings
from pathlib import Path

sys.path.append(str(Path(__file__).parent))  # last: folders here have the names of frameworks

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import pytest


@pytest.fixture(scope="session")
def keras2():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tf_keras

        return tf_keras


@pytest.fixture(scope="session")
def keras3():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras

        return keras
