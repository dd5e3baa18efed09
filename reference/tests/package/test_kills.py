"""A process that is killed at any instant while it replaces a good package leaves the old one or the new one."""

import os
import random
import signal
import statistics
import time

import pytest
from conftest_package import facts, make_panels, read_facts

from triptych.package import read_package, write_package

KILLS = 250


def save_in_child(panels, target):
    """The process that saves `panels`, from the moment it begins."""
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
    os.close(ready)
    os.close(begun)
    return child


@pytest.mark.slow
def test_250_kills_lose_nothing(target):
    chance = random.Random(7)
    models = [make_panels(1, 20_000), make_panels(2, 20_000)]
    known = [facts(panels) for panels in models]
    manifests = {}
    for panels, one in zip(models, known, strict=True):
        write_package(panels, target)
        assert read_facts(target) == one
        manifests[identity(target)] = one
    durations = []
    for _ in range(7):
        start = time.perf_counter()
        _, status = os.waitpid(save_in_child(models[0], target), 0)
        assert status == 0
        durations.append(time.perf_counter() - start)
    longest = 1.02 * statistics.median(durations)
    counted, current, results = 0, 0, {"old": 0, "new": 0}
    while counted < KILLS:
        child = save_in_child(models[1 - current], target)
        time.sleep(chance.uniform(0, longest))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        found = list(manifests).index(identity(target))  # every byte is verified
        if os.WIFSIGNALED(status):
            counted += 1
            results["new" if found != current else "old"] += 1
        current = found
    assert read_facts(target) == known[current]
    assert results["old"] > KILLS // 4  # the kills fell into the save, not before or after it
    write_package(models[0], target)
    assert os.listdir(target.parent) == [target.name]


def identity(target):
    """What tells the two models apart, after verifying every byte."""
    return read_package(target, verify="full").metadata["seed"]
