"""Models that many tests start from."""

from pathlib import Path

import numpy as np
import pytest

import triptych
from triptych.model import Architecture, Input, Layer, Panels, Weights
from triptych.surface.model import Model


def dense_model(*units: int, inputs: int = 3, seed: int = 0, names: tuple[str, ...] = ()) -> Model:
    """A sequential model of dense layers with random weights."""
    names = names or tuple(f"dense_{i}" for i in range(len(units)))
    layers = tuple(Layer(name, "Dense", {"units": n}) for name, n in zip(names, units, strict=True))
    generator, arrays, before = np.random.default_rng(seed), {}, inputs
    for name, n in zip(names, units, strict=True):
        arrays[f"{name}.kernel"] = generator.standard_normal((before, n), dtype=np.float32)
        arrays[f"{name}.bias"] = generator.standard_normal(n, dtype=np.float32)
        before = n
    architecture = Architecture(layers, (Input("x", (None, inputs)),))
    return Model(Panels(architecture=architecture, weights=Weights.from_arrays(arrays)))


@pytest.fixture
def dense():
    """The maker of dense models."""
    return dense_model


@pytest.fixture
def package_path(tmp_path: Path) -> Path:
    """A small valid package on disk."""
    path = tmp_path / "small.triptych"
    triptych.save(dense_model(4, 2), path)
    return path
