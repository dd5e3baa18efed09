"""The table of errors that a test run measures, and real frameworks as judges."""

import json
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


@pytest.fixture(scope="session")
def errors(request):
    """``errors(type, framework, options, error)`` notes one comparison.

    With the environment variable TRIPTYCH_NUMERICS, a folder, the run writes what it measured there: one file a process,
    ``{type: {framework: {"options": number tried, "worst": error, "at": options of the worst}}}``.
    """
    table = {}

    def note(type_, framework, options, error):
        entry = table.setdefault(type_, {}).setdefault(framework, {"options": 0, "worst": 0.0, "at": ""})
        entry["options"] += 1
        if error >= entry["worst"]:
            entry["worst"], entry["at"] = error, str(options)

    yield note
    folder = os.environ.get("TRIPTYCH_NUMERICS")
    if folder and table:
        path = Path(folder) / f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{os.getpid()}-layers.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(table, indent=1, sort_keys=True))


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
