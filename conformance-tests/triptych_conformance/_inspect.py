"""Has files that an adapter wrote looked at by readers that are not ours: h5py, TensorFlow, PyTorch, Keras, each in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from triptych_conformance._adapter import Adapter, AdapterError

Json = Any
PROCESSES = {"python": "python", "h5py": "h5py", "tensorflow": "tensorflow", "tf-keras": "tensorflow", "keras": "tensorflow", "torch": "torch"}
"""Reader -> the process that has it. Frameworks that share a runtime share a process, because each takes seconds to start."""
LOOK_SECONDS = 180.0
"""For one look; the first one of a process includes the start of its framework on a busy machine."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader made of a file."""

    facts: Mapping[str, Json] | None = None
    """What it saw."""
    refused: str = ""
    """Why it would not read the file."""
    missing: str = ""
    """Why it could not look at all: it is not installed."""


class Inspectors:
    """The processes that look at files, each started when it is first needed; a context manager that ends them."""

    def __init__(self, python: str = "") -> None:
        """`python` is the interpreter that has the readers; the one that runs this, unless said otherwise."""
        self._python = python or sys.executable
        self._running: dict[str, Adapter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def look(self, reader: str, path: Path, **more: Json) -> Seen:
        """What `reader` sees at `path`; `more` says how it is to look."""
        process = PROCESSES[reader]
        try:
            if process not in self._running:
                place = {"PYTHONPATH": str(Path(__file__).parents[1]), "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "KERAS_BACKEND": "tensorflow"}
                command = [self._python, "-m", "triptych_conformance._inspector", process]
                self._running[process] = Adapter(command, timeout=LOOK_SECONDS, environment=place)
            answer = self._running[process].ask({"reader": reader, "path": str(path), **more})
        except OSError as error:
            return Seen(missing=f"{self._python}: {error}")
        except AdapterError as error:
            log = self._running.pop(process).kill().strip()
            return Seen(refused=f"{reader} broke down: {error} {log[-300:]}".strip())
        return Seen(answer.get("seen"), str(answer.get("refused", "")), str(answer.get("missing", "")))

    def interrupt(self) -> None:
        """Ends every process while a look may still be waited for."""
        for one in list(self._running.values()):
            one.interrupt()

    def stop(self) -> None:
        """Ends every process."""
        while self._running:
            self._running.popitem()[1].kill()
