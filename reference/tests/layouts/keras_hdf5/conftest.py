"""The example, for tests of the HDF5 layout."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def examples_file():
    return Path(__file__).parents[4] / "examples" / "digits_cnn.h5"
