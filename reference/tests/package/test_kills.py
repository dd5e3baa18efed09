"""A process that is killed at any instant while it replaces a good package leaves the old one or the new one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = 200
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_200_kills_of_each_writer_lose_nothing():
    """In an interpreter that holds nothing else: a copy of this one, with what other tests have loaded, takes longer to make than a save."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)])}
    words = [sys.executable, "-m", "faults", "kills", "--kills", str(KILLS), "--format", "json"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    found = json.loads(done.stdout)
    assert [one["form"] for one in found] == ["archive", "directory"]
    for one in found:
        assert (one["lost"], one["leftovers"]) == (0, 0)
        assert one["old"] + one["new"] == KILLS == sum(one["tenths"])
        assert one["old"] > KILLS // 4  # the kills fell into the save, not before or after it
        assert sum(1 for tenth in one["tenths"] if tenth) >= 7  # and all over it
