"""A checkpoint series: a folder of saved models, and a small state file that says which is the latest and which the best."""

from triptych.checkpoints.metrics import direction_of
from triptych.checkpoints.series import Series, best, latest
from triptych.checkpoints.state import Checkpoint, State

__all__ = ["Checkpoint", "Series", "State", "best", "direction_of", "latest"]
