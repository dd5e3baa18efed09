"""Writes ``numerics.md`` from what a test run measured.

TRIPTYCH_NUMERICS=/tmp/n TRIPTYCH_ERRORS=/tmp/n/sequences.jsonl python -m pytest reference/tests/vocabulary
python docs/make_numerics.py /tmp/n > docs/numerics.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

Json = Any
HEAD = """\
# Numerics

What `Model.predict` computes, against what the frameworks compute with the same weights and inputs. Generated from a test run by
`docs/make_numerics.py`. An error is the largest difference of an element, relative to the largest expected magnitude; everything is
computed in float32 unless a column says float64. *Options* are configurations and shapes of inputs tried.

{versions}

Where frameworks depart from the table, or from each other, on purpose or not:

* Keras 3 on PyTorch computes `AveragePooling` with padding `same` and strides otherwise than on TensorFlow and JAX (1.7e-1 of the largest
  magnitude for windows of 3 × 2, 5.9e-2 in three axes): seen with keras 3.15.1 and torch 2.13.0. The vocabulary follows the other two.
* TensorFlow takes bicubic coefficients from a table of 1024, so that its
  `Resizing` and `UpSampling2D` depart from JAX, and from the vocabulary, by up to 7e-4 wherever a position is not in it. Nothing else in the
  table is beyond 1e-5.
* PyTorch's bicubic interpolation has the coefficient -0.75 and repeats the border; TensorFlow and JAX have -0.5 and give elements outside no
  weight. Both can be said.
* A cell is empty where the framework has no such type, or it is compared by way of another one.
* Cells of recurrent layers and stacks of them are compared inside the RNN around them. Layers that augment images are compared as they predict,
  where most of them change nothing. The models of the last row are put together at random.

"""


def measured(folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Type -> framework -> options tried and worst error, of all files of a run."""
    table: dict[str, dict[str, dict[str, float]]] = {}

    def note(type_: str, framework: str, options: int, worst: float) -> None:
        entry = table.setdefault(type_, {}).setdefault(framework, {"options": 0, "worst": 0.0})
        entry["options"] += options
        entry["worst"] = max(entry["worst"], worst)

    for path in sorted(folder.glob("*-errors.json")):
        for type_, frameworks in json.loads(path.read_bytes()).items():
            for framework, entry in frameworks.items():
                note(type_, framework, entry["options"], entry["worst"])
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            note(one["type"], NAMES.get(one["framework"], one["framework"]), 1, one["error"])
    return table


NAMES = {"keras": "Keras 3, TensorFlow", "tf_keras": "tf-keras", "torch": "PyTorch", "flax": "Flax", "jax": "Keras 3, jax", "keras on jax": "Keras 3, jax", "keras on torch": "Keras 3, torch",
         "keras (jax)": "Keras 3, jax", "keras (torch)": "Keras 3, torch", "keras-jax": "Keras 3, jax", "keras-torch": "Keras 3, torch"}
FIRST = ("tf-keras", "Keras 3, TensorFlow", "Keras 3, jax", "Keras 3, torch", "PyTorch", "PyTorch, float64", "Flax", "Flax, float64")


def frozen(table: dict[str, dict[str, dict[str, float]]]) -> None:
    """Adds Flax, as the suite's frozen cases have it: a framework that no test of the vocabulary runs."""
    import numpy as np

    from triptych.documents.architecture import parse_architecture
    from triptych.errors import Findings
    from triptych.vocabulary.evaluator import evaluate

    def array(one: dict[str, Json]) -> Json:
        data = b"".join(bytes.fromhex(word)[::-1] for word in one["bits"])
        return np.frombuffer(data, one["dtype"]).reshape(one["shape"])

    path = Path(__file__).resolve().parents[1] / "conformance-tests" / "freeze" / "data" / "flax.json"
    for row in json.loads(path.read_bytes())["rows"]:
        architecture = parse_architecture(row["architecture"], Findings())
        got = evaluate(architecture, {name: array(one) for name, one in row["tensors"].items()}, [array(one) for one in row["inputs"].values()]).outputs
        wanted = [array(one) for one in row["outputs"].values()]
        worst = max(float(np.abs(a.astype(float) - b.astype(float)).max() / np.abs(b).max()) for a, b in zip(got, wanted, strict=True))
        entry = table.setdefault(row["architecture"]["layers"][-1]["type"], {}).setdefault("Flax" + ", float64" * (wanted[0].dtype == "float64"), {"options": 0, "worst": 0.0})
        entry["options"] += 1
        entry["worst"] = max(entry["worst"], worst)


def lines_of(table: dict[str, dict[str, dict[str, float]]], title: str) -> list[str]:
    """A table in Markdown, a row for each name and a column for each framework that judged one of them."""
    columns = sorted({name for row in table.values() for name in row}, key=lambda name: (name not in FIRST, (*FIRST, name).index(name), name))
    lines = [f"| {title} | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for name in sorted(table):
        cells = [f"{entry['worst']:.1e} ({entry['options']})" if (entry := table[name].get(column)) else "" for column in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def render(table: dict[str, dict[str, dict[str, float]]], versions: str) -> str:
    """The page."""
    from triptych.vocabulary import LAYER_TYPES
    from triptych.vocabulary.operations import OPERATIONS

    operations = {name: row for name, row in table.items() if name in OPERATIONS}
    others = {name: row for name, row in table.items() if name not in OPERATIONS}
    tried = sum(entry["options"] for row in table.values() for entry in row.values())
    worst = max((entry["worst"] for row in table.values() for name, entry in row.items() if "float64" not in name), default=0.0)
    lines = [
        "## Layer types", "", *lines_of(others, "type"), "", *unjudged(LAYER_TYPES.keys() - others.keys()),
        "## Operations", "", *lines_of(operations, "operation"), "", *unjudged(OPERATIONS.keys() - operations.keys()),
        f"{len(others.keys() & LAYER_TYPES.keys())} types, {len(operations)} operations, {tried} comparisons (in parentheses: of each), worst error {worst:.1e}.",
    ]
    return HEAD.format(versions=versions) + "\n".join(lines) + "\n"


def unjudged(names: Collection[str]) -> list[str]:
    """A sentence on what tests compute by hand."""
    return [f"Not judged by a framework, but by numbers computed by hand: {', '.join(sorted(names))}.", ""] if names else []


def main() -> None:
    """Prints the page for the folder that the command line names."""
    from importlib.metadata import version

    names = ("numpy", "tensorflow-cpu", "tf-keras", "keras", "jax", "flax", "torch")
    table = measured(Path(sys.argv[1]))
    frozen(table)
    sys.stdout.write(render(table, ", ".join(f"{name} {version(name)}" for name in names) + "."))


if __name__ == "__main__":
    main()
