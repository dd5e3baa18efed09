"""Writes ``keras-matrix.md`` from what a test run found.

TRIPTYCH_MATRIX=/tmp/m python -m pytest reference/tests/judges/matrix
python docs/make_keras_matrix.py /tmp/m > docs/keras-matrix.md
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "reference" / "tests" / "judges" / "matrix"))

import explained

HEAD = """\
# Keras, there and back

Every model of [`zoo.py`](../reference/tests/judges/matrix/zoo.py), saved by a real Keras in every format it has, read by Triptych, sent
through packages with the architecture in JSON and in YAML, written again and loaded by that Keras ({versions}). Generated from a test run by
`docs/make_keras_matrix.py`; the test holds this page to what it finds.

A cell says what came out for `.h5` · `.keras` · `.weights.h5`. **=** means: each way leads to one file; that file holds the same groups,
attributes, encodings, tensors and configurations as Keras' own; loaded by Keras, its tensors, optimizer state and predictions are
identical to the bit, and so are the next five losses of training. A number is a difference, explained below.
Keras 3 builds the optimizer of an `.h5` file for no variables, so that it trains on from the file's weights with a new one, whoever wrote
the file; with `.keras` it trains on with its state. A cell is empty where a model is not run on a backend: JAX compiles each step of each
model, which takes it longer than the others take for all of them; its files are written and read by the same code.
"""


def main(folder: Path) -> None:
    """Print the page."""
    results = {name: json.loads((folder / f"{name}.json").read_bytes()) for name in explained.BACKENDS}
    versions = f"tf-keras {results['tf_keras']['keras']}, Keras {results['jax']['keras']}"
    print(HEAD.replace("{versions}", versions))
    for number, one in enumerate(explained.EXPLAINED, start=1):
        print(f"{number}. {one.why}")
    print("\n| model | " + " | ".join(explained.BACKENDS.values()) + " |")
    print("|---" * (len(explained.BACKENDS) + 1) + "|")
    for model, row in explained.rows(results).items():
        print(f"| {model} | " + " | ".join(" · ".join(row.get(name, {}).values()) for name in explained.BACKENDS) + " |")


main(Path(sys.argv[1]))
