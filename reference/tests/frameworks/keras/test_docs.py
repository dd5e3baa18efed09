"""What docs/keras.md says holds: its Python runs."""

import re
from pathlib import Path

import numpy as np
import pytest

TEXT = (Path(__file__).parents[4] / "docs" / "keras.md").read_text()


@pytest.mark.filterwarnings("ignore")
def test_the_python_of_the_page_runs(keras3, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keras3.utils.set_random_seed(3)  # shuffling asks for a seed where operations are to be deterministic
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    scope = {}
    exec(block, scope)
    assert scope["epoch"] == 5
    assert scope["notes"] == ()
    np.testing.assert_array_equal(scope["twin"].predict(scope["x"], verbose=0), scope["model"].predict(scope["x"], verbose=0))
    assert keras3.models.load_model("best.keras").count_params() == scope["model"].count_params()
