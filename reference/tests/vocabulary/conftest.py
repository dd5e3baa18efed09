"""The table of errors that a test run measures."""

import json
import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def errors(request):
    """``errors(type, framework, options, error)`` notes one comparison.

    With the environment variable TRIPTYCH_NUMERICS, a folder, the run writes what it measured there: one file a process,
    ``{type: {framework: {"options": number tried, "worst": error, "at": options of the worst}}}``.
    """
    table = {}

    def note(type_, framework, options, error):
        entry = table.setdefault(type_, {}).setdefault(framework, {"options": 0, "worst": 0.0, "at": ""})
        entry["options"] += 1
        if error >= entry["worst"]:
            entry["worst"], entry["at"] = error, str(options)

    yield note
    folder = os.environ.get("TRIPTYCH_NUMERICS")
    if folder and table:
        path = Path(folder) / f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{os.getpid()}-errors.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(table, indent=1, sort_keys=True))
