"""Makes the builders of pickles importable."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "torch_pickle"))
