"""Saving, opening and loading beside raw writes, safetensors and h5py: ratios of paired rounds in one run.

    python benchmarks/save_load.py                     # 1 GiB in 12 and in 300 tensors, 100,000 small ones, HDF5 → Triptych
    python benchmarks/save_load.py --mib 64 --rounds 3 # a quick look

Every row is measured in the same process and the same round as the baseline it is compared with, in shuffled order, and
reported as the median of the rounds' ratios, wall and CPU; absolute seconds are of this machine only. Machines whose host takes freed
memory back make first touches cost many times more (the "ballast" of a touched buffer, freed just before each timed
call, keeps that out of the figures).
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import safetensors
import safetensors.numpy

from triptych import __version__
from triptych.model import Panels, Weights
from triptych.package import read_package, write_package

MIB = 1 << 20


@dataclass
class Row:
    """One operation, timed once a round."""

    name: str
    run: Callable[[], object]
    prepare: Callable[[], object] = lambda: None
    baseline: str | None = None
    goal: str = ""
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def measure(rows: list[Row], rounds: int, ballast_bytes: int) -> None:
    """Time every row `rounds` times, in an order shuffled anew each round."""
    for round_number in range(rounds + 1):
        for row in random.sample(rows, len(rows)):
            row.prepare()
            ballast = np.ones(ballast_bytes // 8, dtype=np.float64)
            gc.collect()
            del ballast
            wall, cpu = time.perf_counter(), time.process_time()
            result = row.run()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            del result
            if round_number:  # the first round warms caches and imports
                row.wall.append(wall)
                row.cpu.append(cpu)


def report(title: str, rows: list[Row]) -> None:
    """Print the rows with the ratios to their baselines."""
    named = {row.name: row for row in rows}
    print(f"\n{title}")
    print(f"  {'':46} {'wall ms':>9} {'CPU ms':>9} {'× wall':>7} {'× CPU':>7}  beside, goal")
    for row in rows:
        ratios = ""
        if row.baseline:
            base = named[row.baseline]
            wall = statistics.median(a / b for a, b in zip(row.wall, base.wall, strict=True))
            cpu = statistics.median(a / b for a, b in zip(row.cpu, base.cpu, strict=True))
            ratios = f"{wall:7.3f} {cpu:7.3f}  {row.baseline}{', ' if row.goal else ''}{row.goal}"
        print(f"  {row.name:46} {statistics.median(row.wall) * 1e3:9.1f} {statistics.median(row.cpu) * 1e3:9.1f} {ratios}")


def raw_write(path: Path, arrays: dict[str, np.ndarray], *, sync: bool) -> None:
    """The floor: the same bytes written in 8 MiB pieces into one file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        for array in arrays.values():
            view = memoryview(array.reshape(-1).view(np.uint8))
            for start in range(0, len(view), 8 * MIB):
                os.write(descriptor, view[start : start + 8 * MIB])
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def raw_read(path: Path) -> np.ndarray:
    """The floor: one fresh buffer, filled by reads of 8 MiB."""
    buffer = np.empty(path.stat().st_size, dtype=np.uint8)
    with path.open("rb", buffering=0) as file:
        view = memoryview(buffer)
        for start in range(0, len(view), 8 * MIB):
            file.readinto(view[start : start + 8 * MIB])
    return buffer


def h5_write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)


def h5_read(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path, "r") as file:
        return {name: file[name][()] for name in file}


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def touch(arrays: dict[str, np.ndarray] | Weights) -> int:
    """Fault in every page of every array."""
    return sum(int(np.asarray(array).reshape(-1).view(np.uint8)[::4096].sum()) for array in arrays.values())


def save_and_load(folder: Path, count: int, mib: int, rounds: int) -> None:
    """Whole-model saving and loading of `mib` MiB in `count` tensors."""
    extent = mib * MIB // 4 // count
    generator = np.random.default_rng(0)
    arrays = {f"layer_{i:04}.kernel": generator.standard_normal(extent, dtype=np.float32) for i in range(count)}
    panels = Panels(weights=Weights.from_arrays(arrays))
    raw, st, h5, packed, directory = (folder / n for n in ("raw", "st.safetensors", "x.h5", "p.triptych", "d"))

    def fresh(path: Path) -> Callable[[], None]:
        return lambda: remove(path)

    saves = [
        Row("raw write", lambda: raw_write(raw, arrays, sync=False), fresh(raw)),
        Row("raw write + fsync", lambda: raw_write(raw, arrays, sync=True), fresh(raw)),
        Row("safetensors", partial(safetensors.numpy.save_file, arrays, st), fresh(st), "raw write"),
        Row("h5py", partial(h5_write, h5, arrays), fresh(h5), "raw write"),
        Row("folder, SHA-256, not durable", lambda: write_package(panels, directory, durable=False), fresh(directory), "raw write", "G3: wall ≤ 1.9, CPU ≤ 3.7"),
        Row("folder, SHA-256, durable", lambda: write_package(panels, directory), fresh(directory), "raw write + fsync", "G3: wall ≤ 1.2"),
        Row("archive, SHA-256 and CRC-32, durable", lambda: write_package(panels, packed), fresh(packed), "folder, SHA-256, durable", "G13: ≤ 2.2 with zlib"),
    ]
    measure(saves, rounds, min(mib * MIB, 1 << 30))
    report(f"Saving {mib} MiB in {count} tensors", saves)

    name = f"layer_{count // 2:04}.kernel"

    def one_tensor_safe_open() -> object:
        with safetensors.safe_open(st, "np") as file:
            return file.get_tensor(name)

    loads = [
        Row("raw read into one buffer", lambda: raw_read(raw)),
        Row("safetensors: load all", lambda: safetensors.numpy.load_file(st)),
        Row("h5py: load all", lambda: h5_read(h5), baseline="safetensors: load all"),
        Row("folder: load all, touch every page", lambda: touch(read_package(directory, verify="off").weights), baseline="safetensors: load all", goal="G7: CPU ≤ 0.05"),
        Row("archive: load all, touch every page", lambda: touch(read_package(packed, verify="off").weights), baseline="safetensors: load all", goal="G7: CPU ≤ 0.05"),
        Row("folder: load all, digests verified", lambda: read_package(directory, verify="full"), baseline="raw read into one buffer", goal="G17: CPU ≤ 4.8"),
        Row("safetensors: open + 1 tensor", one_tensor_safe_open),
        Row("folder: open + 1 tensor", read_package(directory, verify="off").weights[name].sum, baseline="safetensors: open + 1 tensor", goal="G8: ≤ 1.3"),
        Row("archive: open + 1 tensor", read_package(packed, verify="off").weights[name].sum, baseline="safetensors: open + 1 tensor"),
    ]
    measure(loads, rounds, min(mib * MIB, 1 << 30))
    report(f"Loading {mib} MiB in {count} tensors", loads)
    for path in (raw, st, h5, packed, directory):
        remove(path)


def many_small(folder: Path, count: int, rounds: int) -> None:
    """`count` tensors of 1 to 256 floats."""
    generator = np.random.default_rng(1)
    arrays = {f"block_{i // 8:05}.w{i % 8}": generator.standard_normal(int(generator.integers(1, 257)), dtype=np.float32) for i in range(count)}
    panels = Panels(weights=Weights.from_arrays(arrays))
    st, directory = folder / "st.safetensors", folder / "d"
    rows = [
        Row("safetensors: save", partial(safetensors.numpy.save_file, arrays, st)),
        Row("folder: save, SHA-256, not durable", lambda: write_package(panels, directory, durable=False), lambda: remove(directory), "safetensors: save", "G10 (without digests): ≤ 0.65"),
    ]
    measure(rows, rounds, 256 * MIB)
    report(f"{count:,} small tensors: saving", rows)

    def open_safe() -> object:
        with safetensors.safe_open(st, "np") as file:
            return len(file.keys())

    rows = [
        Row("safetensors: open", open_safe),
        Row("folder: open", lambda: read_package(directory, verify="off"), baseline="safetensors: open", goal="G9: ≤ 1.6"),
        Row("safetensors: load all", lambda: safetensors.numpy.load_file(st)),
        Row("folder: load all", lambda: list(read_package(directory, verify="off").weights.values()), baseline="safetensors: load all", goal="G10: ≤ 0.5"),
    ]
    measure(rows, rounds, 256 * MIB)
    report(f"{count:,} small tensors: loading", rows)
    remove(directory)


def hdf5_to_triptych(folder: Path, mib: int, rounds: int) -> None:
    """Converting a weights-only Keras HDF5 file."""
    from triptych.layouts import keras_hdf5

    source, copy, directory = folder / "w.h5", folder / "copy", folder / "d"
    count = 48
    extent = mib * MIB // 4 // count
    with h5py.File(source, "w") as file:
        file.attrs["layer_names"] = [f"dense_{i}" for i in range(count)]
        file.attrs["backend"], file.attrs["keras_version"] = "tensorflow", "2.15.0"
        for i in range(count):
            group = file.create_group(f"dense_{i}")
            group.attrs["weight_names"] = [f"dense_{i}/kernel:0"]
            group.create_dataset(f"dense_{i}/kernel:0", data=np.full(extent, i, dtype=np.float32))

    def plain_copy() -> None:
        with source.open("rb", buffering=0) as a, copy.open("wb", buffering=0) as b:
            while piece := a.read(8 * MIB):
                b.write(piece)
            os.fsync(b.fileno())

    rows = [
        Row("copy of the bytes + fsync", plain_copy, lambda: remove(copy)),
        Row("HDF5 → folder, SHA-256, durable", lambda: write_package(keras_hdf5.read(source), directory), lambda: remove(directory), "copy of the bytes + fsync"),
    ]
    measure(rows, rounds, min(mib * MIB, 1 << 30))
    report(f"HDF5 → Triptych, {mib} MiB in {count} tensors", rows)
    for path in (source, copy, directory):
        remove(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=1024, help="size of the model (default 1024)")
    parser.add_argument("--small", type=int, default=100_000, help="number of small tensors (default 100,000; 0 leaves them out)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")
    arguments = parser.parse_args()
    print(f"triptych {__version__}, safetensors {safetensors.__version__}, h5py {h5py.__version__}, numpy {np.__version__}, "
          f"Python {platform.python_version()}, {os.cpu_count()} processors, {sys.platform}; load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        for count in (12, 300):
            save_and_load(Path(name), count, arguments.mib, arguments.rounds)
        if arguments.small:
            many_small(Path(name), arguments.small, arguments.rounds)
        hdf5_to_triptych(Path(name), arguments.mib, arguments.rounds)


if __name__ == "__main__":
    main()
