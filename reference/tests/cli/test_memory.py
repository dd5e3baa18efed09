"""A conversion holds a few tensors at a time, whatever the size of the model, mapped pages of files counted."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import triptych
from triptych.layouts import LAYOUTS
from triptych.model import Architecture, Input, Layer, Panels, Tensor, Weights

COUNT, UNITS = 20, 1448
TENSOR_MIB = UNITS * UNITS * 4 / 2**20
BOUND_MIB = 112
"""Two tensors, what may wait for digests (64 MiB) and what is handed out before pages are given back (16 MiB); the model has 160."""

CHILD = """
import resource, sys
from pathlib import Path
import numpy, h5py, zlib
from triptych.cli import main

def peak():
    try:
        return next(int(line.split()[1]) / 1024 for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)

small, large, folder, name, layout = sys.argv[1:]
folder = Path(folder)
for source, prefix in ((small, "small_"), (large, "")):
    before = peak()  # what the first turn took, of the small model, is for imports
    assert main(["convert", "-q", source, str(folder / f"{prefix}{name}"), "--layout", layout]) == 0
    assert main(["convert", "-q", str(folder / f"{prefix}{name}"), str(folder / f"{prefix}back.safetensors")]) == 0
print(peak() - before)
"""


def grown(models, folder, name, layout):
    """MiB that converting the large model there and back takes beyond what converting the small one took."""
    command = [sys.executable, "-c", CHILD, models / "small", models / "large", folder, name, layout]
    run = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    return float(run.stdout.splitlines()[-1])


def model(count):
    """A sequential model of `count` dense layers; a kernel is made when it is read."""
    layers = tuple(Layer(f"dense_{i}", "Dense", {"units": UNITS, "use_bias": False}) for i in range(count))

    def kernel(seed):
        return lambda: np.full(UNITS * UNITS, seed, np.float32).view(np.uint8).data

    tensors = {f"{layer.name}.kernel": Tensor("float32", (UNITS, UNITS), kernel(i)) for i, layer in enumerate(layers)}
    return triptych.Model(Panels(architecture=Architecture(layers, (Input("x", (None, UNITS)),)), weights=Weights(tensors)))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A small and a large model, as packages."""
    folder = tmp_path_factory.mktemp("models")
    for name, count in (("small", 1), ("large", COUNT)):
        triptych.save(model(count), folder / name)
    return folder


@pytest.mark.parametrize("layout", [one for one in LAYOUTS if one.name != "tfjs" and not one.name.startswith("architecture")], ids=lambda one: one.name)
def test_memory_is_bounded_by_the_largest_tensors(models, tmp_path, layout):
    """There, and back into a package; the files are read as strangers' files are."""
    assert grown(models, tmp_path, f"there{max(layout.suffixes, default='')}", layout.name) < BOUND_MIB
    back = triptych.load(tmp_path / "back.safetensors").weights
    for number, tensor in enumerate(sorted(back.values(), key=lambda array: array[0, 0])):
        assert (tensor == number).all()
    del back
    shutil.rmtree(tmp_path)  # hundreds of MiB that nobody looks at again


def test_a_comparison_holds_a_few_tensors_of_each_side(models, tmp_path):
    shutil.copytree(models / "large", tmp_path / "other")
    program = CHILD.split("small, large")[0] + (
        "before, folder = peak(), Path(sys.argv[1])\n"
        "assert main(['diff', str(folder), sys.argv[2]]) == 0\n"
        "print(peak() - before)\n"
    )
    run = subprocess.run([sys.executable, "-c", program, str(models / "large"), str(tmp_path / "other")], check=True, capture_output=True, text=True)
    assert float(run.stdout.splitlines()[-1]) < BOUND_MIB


def test_what_was_handed_out_stays_readable(models):
    """Pages that were given back come again from the file; what somebody wrote to is not given back."""
    import mmap

    from triptych.package.mappings import give_back, mapping_of

    view = triptych.load(models / "large", verify="off").weights["dense_3.kernel"]
    mapping = mapping_of(view)
    assert mapping is not None
    give_back(mapping)
    assert (view == 3).all()
    path = Path(models / "large" / "model.safetensors")
    with path.open("rb") as file:
        private = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    assert mapping_of(np.frombuffer(private, np.uint8)) is None
    assert mapping_of(np.zeros(3)) is None
    assert mapping_of(memoryview(b"x")) is None
