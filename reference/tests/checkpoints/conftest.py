"""File systems that fail, from the tests of packages, and a folder for a series."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "package"))

from conftest_package import MEMORY


@pytest.fixture
def folder():
    """Where a series is saved; in memory where there is such a place, since no test here needs a disk."""
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as parent:
        yield Path(parent) / "run"
