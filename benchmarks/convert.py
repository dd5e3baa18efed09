"""Converting between any two layouts: time beside a plain copy of the bytes, and peak memory, mapped pages of files counted.

    python benchmarks/convert.py                          # 1 GiB in tensors of 64 MiB, every pair of layouts
    python benchmarks/convert.py --mib 4096 --pairs star  # 4 GiB, each layout as source and as target of safetensors
    python benchmarks/convert.py --mib 128 --tensor-mib 8 --pairs star --rounds 1    # a quick look

Each conversion is ``triptych convert`` in a process of its own. A copy of the source's bytes, made durable as a conversion is, stands in the same
round; the ratio is the median of the rounds' ratios. Memory is the most that the process ever held (VmHWM), without what it
holds before it converts anything, and the bound is a fixed number of tensors: it does not grow with the model.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import triptych
from triptych.model import Architecture, Input, Layer, Panels, Tensor, Weights

MIB = 1 << 20
TARGETS = {
    "folder": "m",
    "archive": "m.triptych",
    "h5": "m.h5",
    "keras": "m.keras",
    "weights.h5": "m.weights.h5",
    "pt": "m.pt",
    "torch-dist": "m_dist --layout torch-distributed",
    "saved-model": "m_saved --layout saved-model",
    "tf-ckpt": "m.ckpt",
    "hub": "m_hub --layout hub",
    "safetensors": "m.safetensors",
    "npz": "m.npz",
}
"""Name in the table -> target and options of ``triptych convert``."""
WITH_ARCHITECTURE = ("h5", "keras", "weights.h5", "saved-model")
"""What is ordered by the architecture, or made of it: it is joined to sources that have none."""
HUB = "safetensors"

CHILD = """
import sys, time
from triptych.cli import main
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
import numpy, h5py, triptych.surface.saving, triptych.package, triptych.layouts.keras_v3.writer, triptych.layouts.keras_hdf5.writer
before, begin = peak(), time.perf_counter()
assert main(["convert", "-q", "-f", *sys.argv[1:]]) == 0
print(time.perf_counter() - begin, (peak() - before) / 1024)
"""


@dataclass
class Pair:
    """One conversion, and what was measured of it."""

    source: str
    target: str
    ratios: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)


def model(mib: int, tensor_mib: int) -> triptych.Model:
    """A sequential model of dense layers without biases, whose kernels are made when they are read."""
    units = int((tensor_mib * MIB // 4) ** 0.5)
    names = [f"dense_{i}" for i in range(mib // tensor_mib)]
    layers = tuple(Layer(name, "Dense", {"units": units, "use_bias": False}) for name in names)

    def kernel(seed: int) -> Callable[[], memoryview]:
        return lambda: np.random.default_rng(seed).random((units, units), dtype=np.float32).reshape(-1).view(np.uint8).data

    tensors = {f"{name}.kernel": Tensor("float32", (units, units), kernel(i)) for i, name in enumerate(names)}
    return triptych.Model(Panels(architecture=Architecture(layers, (Input("x", (None, units)),)), weights=Weights(tensors)))


def files(path: Path) -> list[Path]:
    """The files of a layout at `path`, which may be what their names begin with."""
    return sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else sorted(path.parent.glob(f"{path.name}*"))


def copy(path: Path, folder: Path) -> float:
    """Seconds to copy what lies at `path`, in pieces of 8 MiB, made durable."""
    begin = time.perf_counter()
    for number, one in enumerate(files(path)):
        with one.open("rb", buffering=0) as source, (folder / f"copy{number}").open("wb", buffering=0) as target:
            while piece := source.read(8 * MIB):
                target.write(piece)
            os.fsync(target.fileno())
    seconds = time.perf_counter() - begin
    for one in folder.glob("copy*"):
        one.unlink()
    return seconds


def convert(source: Path, target: str, folder: Path, architecture: Path | None) -> tuple[float, float]:
    """Seconds and MiB of one conversion."""
    name, *options = target.split()
    joining = [] if architecture is None else ["--architecture", str(architecture)]
    run = subprocess.run(  # noqa: S603 - the conversion that is measured
        [sys.executable, "-c", CHILD, str(source), str(folder / name), *options, *joining], check=True, capture_output=True, text=True
    )
    seconds, mib = run.stdout.splitlines()[-1].split()
    return float(seconds), float(mib)


def remove(folder: Path) -> None:
    for one in folder.iterdir():
        shutil.rmtree(one) if one.is_dir() else one.unlink()


def measure(pairs: list[Pair], folder: Path, whole: triptych.Model, rounds: int) -> None:
    """Every pair `rounds` times; the files of one source at a time are there."""
    sources, targets = folder / "sources", folder / "targets"
    sources.mkdir()
    targets.mkdir()
    architecture = folder / "architecture.json"
    architecture.write_text(whole.to_json())
    for source in dict.fromkeys(pair.source for pair in pairs):
        name, *options = TARGETS[source].split()
        triptych.save(whole, sources / name, layout=options[-1] if options else None)
        bare = triptych.load(sources / name).architecture is None
        for _ in range(rounds):
            of_source = [pair for pair in pairs if pair.source == source]
            for pair in random.sample(of_source, len(of_source)):
                joining = architecture if bare and pair.target in WITH_ARCHITECTURE else None
                floor = copy(sources / name, targets)
                seconds, peak = convert(sources / name, TARGETS[pair.target], targets, joining)
                remove(targets)
                pair.ratios.append(seconds / floor)
                pair.seconds.append(seconds)
                pair.peaks.append(peak)
                print(f"  {pair.source} → {pair.target}: {seconds:.1f} s, {peak:.0f} MiB", file=sys.stderr, flush=True)
        remove(sources)


def report(pairs: list[Pair], tensor_mib: int) -> None:
    """One line a pair, and the worst of all."""
    print(f"  {'source':14} {'target':14} {'× copy':>7} {'seconds':>8} {'peak MiB':>9} {'tensors':>8}")
    for pair in pairs:
        peak = max(pair.peaks)
        print(f"  {pair.source:14} {pair.target:14} {statistics.median(pair.ratios):7.2f} {statistics.median(pair.seconds):8.2f} {peak:9.0f} {peak / tensor_mib:8.1f}")
    ratios = [statistics.median(pair.ratios) for pair in pairs]
    print(f"\n  {len(pairs)} pairs: × copy median {statistics.median(ratios):.2f}, worst {max(ratios):.2f}; peak at most {max(max(pair.peaks) for pair in pairs):.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=1024, help="size of the model (default %(default)s)")
    parser.add_argument("--tensor-mib", type=int, default=64, help="size of each tensor (default %(default)s)")
    parser.add_argument("--pairs", choices=["all", "star"], default="all", help="every pair, or each layout to and from safetensors (default %(default)s)")
    parser.add_argument("--only", metavar="LAYOUT", nargs="+", choices=sorted(TARGETS), help="these layouts alone")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")
    arguments = parser.parse_args()
    names = arguments.only or list(TARGETS)
    pairs = [Pair(a, b) for a in names for b in names if arguments.pairs == "all" or HUB in (a, b)]
    print(f"triptych {triptych.__version__}, numpy {np.__version__}, Python {platform.python_version()}, {os.cpu_count()} processors, {sys.platform}; load {os.getloadavg()[0]:.1f}")
    print(f"{arguments.mib} MiB in tensors of {arguments.tensor_mib} MiB, {arguments.rounds} rounds")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        measure(pairs, Path(folder), model(arguments.mib, arguments.tensor_mib), arguments.rounds)
    report(pairs, arguments.tensor_mib)


if __name__ == "__main__":
    main()
