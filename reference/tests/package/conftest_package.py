"""Models, comparisons and file systems that fail, for the tests of packages."""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2]))  # where faults/ is; last, so that nothing installed is hidden by it

from faults.operations import Crash, Faulty  # noqa: F401
from triptych.model import Architecture, Component, Input, Layer, Panels, Progress, Tensor, Training, Weights
from triptych.package import read_package

MEMORY = "/dev/shm"


def make_panels(seed: int = 0, units: int = 5, *, extra: int = 0) -> Panels:
    """A model with all three panels and an asset; different seeds give different bytes of the same sizes."""
    generator = np.random.default_rng(seed)
    arrays = {"dense.kernel": generator.standard_normal((3, units), dtype=np.float32), "dense.bias": generator.standard_normal(units, dtype=np.float32)}
    architecture = Architecture((Layer("dense", "Dense", {"units": units}),), (Input("x", (None, 3)),))
    state = {"optimizer.step": np.array(seed, np.int64), "optimizer.momentum.dense.kernel": arrays["dense.kernel"] * 2}
    training = Training(Component("SGD", {"learning_rate": 0.1}), progress=Progress(step=seed), state=Weights.from_arrays(state))
    content = bytes([seed % 256]) * (100 + extra)
    assets = {"assets/deep/labels.txt": Tensor("uint8", (len(content),), lambda: memoryview(content))}
    return Panels(architecture, Weights.from_arrays(arrays), training, assets, name="net", metadata={"seed": f"{seed:08}"})


def facts(panels: Panels) -> dict[str, object]:
    """Everything that a package says, as comparable data; reads every byte."""
    def tensors(weights):
        return None if weights is None else {name: (one.dtype, one.shape, bytes(one.read())) for name, one in weights.tensors.items()}

    training = panels.training
    return {
        "architecture": panels.architecture, "name": panels.name, "metadata": dict(panels.metadata), "weights": tensors(panels.weights),
        "training": training and (training.optimizer, training.progress, tensors(training.state)),
        "assets": {name: bytes(asset.read()) for name, asset in panels.assets.items()},
    }


def read_facts(path: Path) -> dict[str, object]:
    return facts(read_package(path, verify="full"))


def content_of(path: Path) -> dict[str, bytes]:
    """The bytes of a file, or of every file of a folder."""
    if path.is_file():
        return {"": path.read_bytes()}
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


@pytest.fixture(params=["directory", "archive"])
def form(request):
    return request.param


@pytest.fixture
def target(form):
    """Where a package of this form is saved, alone in its folder; in memory where there is such a place, since no test here needs a disk."""
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        yield Path(folder) / ("model.triptych" if form == "archive" else "model")
