"""Models, comparisons and file systems that fail, for the tests of packages."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from triptych.model import Architecture, Component, Input, Layer, Panels, Progress, Tensor, Training, Weights
from triptych.package import FileSystem, read_package

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


class Crash(BaseException):
    """The process is gone: nothing it would still do happens."""


class Faulty(FileSystem):
    """A file system on which the operation number `at` goes wrong in one way; operations are counted from 0 and noted in `log`."""

    def __init__(self, at: int = -1, fault: str = "", *, lacking: tuple[str, ...] = ()):
        self.at = at
        self.fault = fault
        self.lacking = lacking
        self.log = []
        self.descriptors = {}
        self.dead = False

    def abandon(self):
        """What the kernel does for a dead process."""
        for descriptor in list(self.descriptors):
            os.close(descriptor)
        self.descriptors.clear()


def _wrapped(name):
    plain = getattr(FileSystem, name)

    def operation(self, *arguments, **options):
        if self.dead:
            raise Crash(name)
        number = len(self.log)
        self.log.append((name, self.descriptors.get(arguments[0], arguments[0]) if arguments else None, arguments[1:]))
        if name in self.lacking:
            raise OSError(22, "Invalid argument")
        if number == self.at and self.fault == "crash before":
            self.dead = True
            raise Crash(name)
        if number == self.at and isinstance(self.fault, int) and name != "close":
            raise OSError(self.fault, os.strerror(self.fault))
        if name == "fsync":
            result = None  # nothing here cuts the power, and the disk is slow
        elif number == self.at and self.fault == "short write" and name in ("writev", "pwrite"):
            result = _half(self, name, arguments)
        else:
            result = plain(self, *arguments, **options)
        if name == "open":
            self.descriptors[result] = arguments[0]
        if name == "close":
            self.descriptors.pop(arguments[0], None)
        if number == self.at and isinstance(self.fault, int):
            raise OSError(self.fault, os.strerror(self.fault))
        if number == self.at and self.fault == "crash after":
            self.dead = True
            raise Crash(name)
        if number == self.at and self.fault == "interrupt":
            raise KeyboardInterrupt
        return result

    return operation


def _half(fs, name, arguments):
    if name == "pwrite":
        descriptor, data, offset = arguments
        return os.pwrite(descriptor, data[: max(1, len(data) // 2)], offset)
    descriptor, views = arguments
    joined = b"".join(views)
    return os.write(descriptor, joined[: max(1, len(joined) // 2)])


for _name in FileSystem.OPERATIONS:
    setattr(Faulty, _name, _wrapped(_name))
