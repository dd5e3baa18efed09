"""Asks the real frameworks what layers yield, and writes their answers down: ``python make_evaluate.py [FRAMEWORK…]``.

One file of plain data a framework, ``data/<framework>.json``, with the versions that answered; numbers as hexadecimal bits.
``build_cases/evl.py`` makes cases of them. Needs the frameworks; whoever runs the suite needs none of this.

With ``--compare`` nothing is written: what the frameworks say now (another version; Keras with KERAS_BACKEND=jax or torch) is held
against the files, and what differs by more than a case's tolerance is printed.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FRAMEWORKS = ("keras", "tf_keras", "torch", "torch_operations", "flax")
sys.path[:0] = [str(HERE), str(HERE.parent / "build_cases"), str(HERE.parent)]


def write(framework: str, *, compare: bool) -> int:
    """The number of differences found, or 0."""
    import kit
    from common import record

    rows = importlib.import_module(f"rows_{framework}")
    path = HERE / "data" / f"{framework}.json"
    records = [record(row) for row in rows.rows() if row is not None]
    slugs = [one["slug"] for one in records]
    assert len(set(slugs)) == len(slugs), sorted(slug for slug in slugs if slugs.count(slug) > 1)
    if not compare:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(kit.document({"versions": rows.versions(), "rows": records}))
        print(f"{path.name}: {len(records)} rows, {path.stat().st_size:,} bytes")
        return 0
    from triptych_conformance._numbers import departure

    frozen = {one["slug"]: one for one in json.loads(path.read_bytes())["rows"]}
    found = 0
    for one in records:
        for name, tensor in one["outputs"].items():
            if said := departure(frozen[one["slug"]]["outputs"][name], tensor, one["tolerance"]):
                found += 1
                print(f"{one['slug']}: {name}: {said}")
    print(f"{framework} {rows.versions()}: {len(records)} rows compared, {found} differ")
    return found


def main(arguments: list[str]) -> int:
    """Runs each framework in a process of its own: two of them want the same name in TensorFlow."""
    compare = "--compare" in arguments
    named = [one for one in arguments if one != "--compare"]
    if len(named) == 1:
        return 1 if write(named[0], compare=compare) else 0
    flags = ["--compare"] if compare else []
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return max(subprocess.run([sys.executable, __file__, *flags, one], env=environment, check=False).returncode for one in named or FRAMEWORKS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
