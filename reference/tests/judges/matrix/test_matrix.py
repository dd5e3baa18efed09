"""The matrix: every model of the zoo, with every Keras, in every format, to Triptych and back; see docs/keras-matrix.md for what came out.

A backend runs the whole zoo in one process of its own. What differs must be explained, and what is explained must differ.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import explained

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[3] / "docs" / "keras-matrix.md"


def cells(backend):
    """Model -> format -> outcome, as the document has it for `backend`."""
    lines = [line.strip().strip("|").split("|") for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    column = [cell.strip() for cell in lines[0]].index(explained.BACKENDS[backend])
    parsed = {line[0].strip(): [cell.strip() for cell in line[column].split("·")] for line in lines[1:]}
    return {model: dict(zip(explained.FORMATS, found, strict=True)) for model, found in parsed.items() if found != [""]}


@pytest.mark.slow
@pytest.mark.parametrize("backend", explained.BACKENDS)
def test_every_model_comes_back_identical_or_with_an_explained_difference(backend, capfd):
    """Tensors, optimizer state, predictions and the next five losses, and every group, attribute and configuration of the file."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, str(HERE / "journeys.py"), backend]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout.splitlines()[-1])
    if "TRIPTYCH_MATRIX" in os.environ:
        (Path(os.environ["TRIPTYCH_MATRIX"]) / f"{backend}.json").write_text(json.dumps(result))
    table = {model: row[backend] for model, row in explained.rows({backend: result}).items()}
    with capfd.disabled():
        same = sum(one == "=" for row in table.values() for one in row.values())
        print(f"\n{explained.BACKENDS[backend]}: {same} of {sum(map(len, table.values()))} journeys identical, the others explained; {result['seconds']} s")
    assert table == cells(backend), "docs/keras-matrix.md is not current; see docs/make_keras_matrix.py"


def test_the_matrix_has_more_than_forty_models_and_every_explanation_is_needed():
    text = DOCUMENT.read_text(encoding="utf-8")
    found = {number for backend in explained.BACKENDS for row in cells(backend).values() for one in row.values() if one != "=" for number in one.split()}
    assert found == {str(n) for n in range(1, len(explained.EXPLAINED) + 1)}
    assert min(len(cells(backend)) for backend in explained.BACKENDS if backend != "jax") >= 40
    assert all(one.why in text for one in explained.EXPLAINED)
