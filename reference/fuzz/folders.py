"""Several files in one input: their names and lengths as text, so that a model of many files is one input as any other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_LONGEST_NAME = 200


def pack(files: Mapping[str, bytes]) -> bytes:
    """One input of `files`, by name."""
    return b"".join(f"{len(content)} {name}\n".encode() + content + b"\n" for name, content in files.items())


def unpack(data: bytes) -> dict[str, bytes]:
    """The files of an input, whatever happened to it: what has no head goes to the file before it."""
    files: dict[str, bytes] = {}
    at = 0
    while at < len(data):
        head, _, _ = data[at : at + _LONGEST_NAME].partition(b"\n")
        length, _, name = head.partition(b" ")
        if not name or not length.isdigit() or len(length) > 9:
            break
        at += len(head) + 1
        files[name.decode("utf-8", "replace")] = data[at : at + int(length)]
        at += int(length) + 1
    return files


def lay(files: Mapping[str, bytes], folder: Path) -> None:
    """Write `files` into `folder`; names that are none, or lead out of it, are passed over: they are no file of anybody's."""
    for name, content in files.items():
        parts = name.split("/")
        if len(parts) > 4 or any(part in ("", ".", "..") or "\0" in part or len(part.encode()) > 120 for part in parts):
            continue
        try:
            if len(parts) > 1:
                folder.joinpath(*parts[:-1]).mkdir(parents=True, exist_ok=True)
            with open(f"{folder}/{name}", "wb") as file:  # noqa: PTH123 - a Path for each would take as long as the writing
                file.write(content)
        except OSError:  # a file where a folder is wanted, or the other way round
            continue
