"""Fixtures of the tests of packages; what they are made of is in conftest_package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from conftest_package import form, target  # noqa: F401
