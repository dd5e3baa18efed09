"""The file ``checkpoint`` of a folder, in which TensorFlow notes what it last wrote there, and which it keeps."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from triptych.errors import shorten
from triptych.layouts.problems import invalid, unsupported
from triptych.layouts.tensorflow import messages
from triptych.layouts.tensorflow.mapped_file import map_file
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.package import atomic
from triptych.package.files import FileSystem
from triptych.package.names import can_be_file

NAME = "checkpoint"
_LONGEST_ENDING = ".data-00000-of-00001"
"""Of the files that a prefix stands for."""


@dataclass(frozen=True, slots=True)
class State:
    """What a state file says."""

    latest: str
    """The prefix that was written last, as spelled: relative to the folder, or absolute on the machine that wrote."""
    kept: tuple[str, ...]
    """All prefixes, oldest first."""


def read_state(folder: Path, *, limits: Limits = DEFAULT_LIMITS) -> State | None:
    """What the state file in `folder` says; None where there is none.

    Raises:
        InvalidModelError: It is none.
        UnsupportedError: It exceeds a limit.
        OSError: It cannot be read.
    """
    message = _message(folder, limits)
    return None if message is None else State(message.model_checkpoint_path, tuple(message.all_model_checkpoint_paths))


def _message(folder: Path, limits: Limits) -> Any | None:
    path = folder / NAME
    if not path.is_file():
        return None
    data = map_file(path)
    if len(data) > limits.yaml_bytes:
        raise unsupported(NAME, f"expected a state file of at most {limits.yaml_bytes:,} bytes, got {len(data):,}")
    try:
        text = str(data, "utf-8")
    except UnicodeDecodeError:
        raise invalid(NAME, f"expected the text of a state file, got {shorten(bytes(data[:32]))}") from None
    return messages.parse_text("CheckpointState", text, NAME)


def latest(folder: Path, *, limits: Limits = DEFAULT_LIMITS) -> Path | None:
    """The prefix that was written last to `folder`, inside it wherever the folder was then; None where nothing is said.

    Raises:
        InvalidModelError: What is said leads out of the folder, or is no state file.
        UnsupportedError: The state file exceeds a limit.
        OSError: It cannot be read.
    """
    state = read_state(folder, limits=limits)
    if state is None or not state.latest:
        return None
    of_windows = "\\" in state.latest or re.match("[A-Za-z]:/", state.latest)
    said = PurePosixPath(PureWindowsPath(state.latest).as_posix() if of_windows else state.latest)
    if said.is_absolute() or (of_windows and ":" in said.parts[0]):
        # Of the machine that wrote: the checkpoint was beside its state file, and is so here.
        said = PurePosixPath(said.name)
    if ".." in said.parts or not said.name or not can_be_file(f"{said}{_LONGEST_ENDING}"):
        raise invalid(NAME, f"expected a checkpoint in the folder of its state file, got {shorten(state.latest)}")
    return folder / said


def write_state(prefix: Path, fs: FileSystem | None = None) -> None:
    """Note in the state file beside `prefix` that this checkpoint was written last; others that it names are kept.

    Raises:
        InvalidModelError: What stands there is no state file.
        SaveError: The file system refused; what stood there is unchanged.
    """
    before = _message(prefix.parent, DEFAULT_LIMITS)
    paths: list[str] = list(before.all_model_checkpoint_paths) if before is not None else []
    times: list[float] = list(before.all_model_checkpoint_timestamps) if before is not None else []
    others = [at for at, path in enumerate(paths) if path != prefix.name]
    fields: dict[str, Any] = {"model_checkpoint_path": prefix.name, "all_model_checkpoint_paths": [*(paths[at] for at in others), prefix.name]}
    if len(times) == len(paths) and times:
        # TensorFlow wants a time for each or for none. Where there were none, the same state stays the same bytes.
        fields["all_model_checkpoint_timestamps"] = [*(times[at] for at in others), time.time()]
    if before is not None:
        fields["last_preserved_timestamp"] = before.last_preserved_timestamp
    content = messages.to_text(messages.new("CheckpointState", **fields)).encode()
    atomic.write_file(prefix.parent / NAME, content, fs)
