"""Saves that are killed at random instants, one after the other; in an interpreter of its own, since a copy of a large process is slow to make."""

from __future__ import annotations

import os
import random
import signal
import statistics
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from faults.trials import scratch
from faults.writers import NEW, OLD, litter_in, panels_of
from triptych.model import Panels, Weights
from triptych.package import read_package, write_package

UNITS = 80_000
"""Of the layer that is saved: some megabytes, so that a save takes long enough to be hit anywhere."""
PARTS = 10


def killed(form: str, kills: int, seed: int = 7) -> dict[str, object]:
    """Kill `kills` saves over a good package of `form`: what stood afterwards, every byte verified, and in which tenths of a save's time they fell."""
    chance = random.Random(seed)  # noqa: S311 - instants
    models = {number: _large(number) for number in (OLD, NEW)}
    with scratch() as folder:
        target = folder / ("model.triptych" if form == "archive" else "model")
        write_package(models[OLD], target)
        took = [_run(models[NEW if at % 2 else OLD], target, None)[1] for at in range(16)]
        longest = 1.05 * statistics.median(took)
        standing = _standing(target)
        counts = {"old": 0, "new": 0, "lost": 0}
        parts = [0] * PARTS
        begun = time.perf_counter()
        while sum(counts.values()) < kills:
            status, instant = _run(models[NEW if standing == OLD else OLD], target, chance.uniform(0, longest))
            found = _standing(target)
            if os.WIFSIGNALED(status):
                parts[min(PARTS - 1, int(PARTS * instant / longest))] += 1
                counts["lost" if found is None else "old" if found == standing else "new"] += 1
            if found is None:
                write_package(models[OLD], target)
            standing = found or OLD
        seconds = time.perf_counter() - begun
        write_package(models[OLD], target)
        left = len(litter_in(folder)) + len(list(folder.iterdir())) - 1
        return {"form": form, "kills": kills, **counts, "leftovers": left, "tenths": parts, "save_ms": round(1000 * longest, 1), "seconds": round(seconds, 1)}


def _large(number: int) -> Panels:
    generator = np.random.default_rng(number)
    arrays = {"dense.kernel": generator.standard_normal((8, UNITS), dtype=np.float32)}
    return replace(panels_of(number), architecture=None, training=None, weights=Weights.from_arrays(arrays))


def _run(panels: Panels, target: Path, after: float | None) -> tuple[int, float]:
    """Save in a child, killed `after` seconds if they are given: its status, and how long it lived from the moment it began."""
    ready, begun = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.write(begun, b".")
            write_package(panels, target)
            status = 0
        finally:
            os._exit(status)
    os.read(ready, 1)
    start = time.perf_counter()
    if after is not None:
        while (left := after - (time.perf_counter() - start)) > 0:
            time.sleep(left)
        os.kill(child, signal.SIGKILL)
    lived = time.perf_counter() - start
    _, status = os.waitpid(child, 0)
    os.close(ready)
    os.close(begun)
    return status, lived if after is not None else time.perf_counter() - start


def _standing(target: Path) -> int | None:
    """Which model stands there, every byte verified; None where neither does."""
    try:
        found = int(read_package(target, verify="full").metadata["seed"])
    except Exception:  # noqa: BLE001 - whatever it is, the model is lost
        return None
    return found if found in (OLD, NEW) else None
