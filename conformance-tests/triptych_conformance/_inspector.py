"""A process that looks at files with readers of others: ``python -m triptych_conformance._inspector PROCESS``, one JSON object a line in and out.

It is a process of its own so that the runner needs nothing installed, and so that whatever a framework does to its process stays there.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

Json = Any


def look(process: str, request: dict[str, Json]) -> dict[str, Json]:
    """The answer to one request: what was ``seen``, why the file was ``refused``, or what is ``missing``."""
    try:
        inspector = importlib.import_module(f"triptych_conformance._inspect_{process}")
        readers = inspector.readers(request["reader"])
    except ImportError as error:
        return {"missing": f"{request['reader']} is not installed: {error}"}
    try:
        return {"seen": inspector.look(readers, request)}
    except Exception as error:  # noqa: BLE001 - whatever a framework raises is its way to refuse a file
        return {"refused": f"{type(error).__name__}: {error}"[:2000]}


def main(process: str) -> None:
    """Answers requests until there are no more; what frameworks print goes to the log."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(look(process, json.loads(line)), allow_nan=False) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
