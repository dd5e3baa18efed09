"""The committed inputs of each target: one file each, small, and none that another makes superfluous."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
MOST_BYTES = 1 << 16
"""Of one file."""
MOST_TOTAL = 3 << 20
"""Of all corpora together."""


def inputs(target: str, folder: Path = CORPUS) -> Iterator[tuple[str, bytes]]:
    """Name and content of each committed input of `target`, in order."""
    for path in sorted((folder / target).glob("*")):
        yield path.name, path.read_bytes()


def contents(target: str, folder: Path = CORPUS) -> list[bytes]:
    """The inputs alone; an empty one where there are none."""
    return [data for _, data in inputs(target, folder)] or [b""]


def write(target: str, chosen: Iterable[bytes], names: dict[bytes, str], folder: Path = CORPUS) -> int:
    """Make `chosen` the corpus of `target`, under the names that they have or their digests; the number of files."""
    place = folder / target
    place.mkdir(parents=True, exist_ok=True)
    wanted = {names.get(data) or hashlib.sha256(data).hexdigest()[:16]: data for data in chosen}
    for path in place.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, data in wanted.items():
        (place / name).write_bytes(data)
    return len(wanted)
