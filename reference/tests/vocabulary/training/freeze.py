"""Writes ``frozen_optimizers.json``: where each framework's own optimizer leads in fifty updates, with the versions that said so.

``python -m pytest -p freeze reference/tests/vocabulary/training/test_optimizers.py`` with this folder on PYTHONPATH.
"""

import json
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
FRAMEWORKS = ("keras", "tf_keras", "tensorflow", "torch", "optax", "jax", "numpy")


def pytest_sessionfinish(session, exitstatus):
    module = next(item.module for item in session.items if hasattr(item.module, "YIELDED"))
    rows = [
        {"framework": framework, "type": name, "config": config, "scale": scale, "bound": bound, "end": {key: value.reshape(-1).tolist() for key, value in end.items()}}
        for framework, name, config, scale, bound, end in sorted(module.YIELDED, key=lambda row: (row[0], row[1], json.dumps(row[2]), -row[3]))
    ]  # fmt: skip
    lines = ",\n".join(json.dumps(row) for row in rows)
    versions = {name: version(name.replace("_", "-")) for name in FRAMEWORKS}
    (HERE / "frozen_optimizers.json").write_text(f'{{"versions": {json.dumps(versions)},\n"rows": [\n{lines}\n]}}\n')
