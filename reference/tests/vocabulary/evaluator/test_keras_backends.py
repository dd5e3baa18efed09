"""Every layer type computes what Keras 3 computes on JAX and on PyTorch, over the same grid of options."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import grid
import pytest

MOST = {"jax": 2, "torch": 1000}
"""Cases of each type: JAX compiles each of them."""


@pytest.fixture(scope="module", params=MOST)
def backend(request, tmp_path_factory):
    """The grid, computed by Keras 3 on another backend: each needs a process of its own."""
    out = tmp_path_factory.mktemp(request.param) / "results.pickle"
    environment = {**os.environ, "KERAS_BACKEND": request.param, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, grid.__file__, str(out), str(MOST[request.param])], check=True, env=environment, capture_output=True)
    return request.param, pickle.loads(out.read_bytes())


def is_computed(backend, name, config):
    """Whether Keras 3 on this backend has the type with this config and computes what it computes on TensorFlow."""
    if name in grid.judging.grids.KERAS_2_ONLY or config.get("activation") == "hard_sigmoid_keras2":
        return False
    if backend != "torch":
        return True
    if name.startswith("AveragePooling"):
        return config.get("padding") != "same_upper"  # counts some of the padding
    # Other weights and another border; and it refuses to normalise along one axis that is not the last.
    return config.get("interpolation") != "bicubic" and (name, config.get("axis")) != ("LayerNormalization", 1)


def test_on_another_backend(backend, errors):
    """Keras 3 on JAX and on PyTorch, but for what these compute otherwise."""
    backend, results = backend
    for (name, config, shapes), judged in zip(grid.some_cases(MOST[backend]), results, strict=True):
        if is_computed(backend, name, config):
            assert not isinstance(judged, str), (name, config, judged)
            grid.compare(errors, f"Keras 3, {backend}", name, config, shapes, judged)
