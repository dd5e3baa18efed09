"""Real frameworks as judges."""

import os
import warnings
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import sys

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # where the tests of this folder find judging and grid

import judging as judging_module


@pytest.fixture(scope="session")
def judging():
    """Inputs, weights, errors: see judging.py."""
    return judging_module


@pytest.fixture(scope="session", params=["tf_keras", "keras"])
def keras(request):
    """Keras 2 (tf_keras) and Keras 3 on TensorFlow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if request.param == "keras":
            import keras
        else:
            import tf_keras as keras
    return keras
