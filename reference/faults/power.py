"""Power cuts: from the operations of one save, what a disk may hold when the power goes at any instant, and what readers find there.

The model of a disk: what was written to a file, and each change of a folder's entries, is kept for certain once that file or folder was
synchronised; before, any of it may be there or not, in any order. An exchange is one change. A name that stands for a file whose bytes
were not kept stands for a shorter file, or for zeros.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.operations import Faulty
from faults.trials import Bench, Tally, judged, scratch
from faults.writers import Writer, emptied

MOST = 4_096
"""States of one save; where there are more, so many are drawn at random with a fixed seed."""
ALL_SUBSETS = 4
"""Up to so many changes that may be missing, each subset is tried; of more, each alone, all but each, all, and some at random."""


@dataclass(slots=True)
class Node:
    """A file or folder of the disk: what it holds now, and what it certainly holds after a power cut."""

    is_folder: bool
    data: bytearray = field(default_factory=bytearray)
    kept: bytes = b""


@dataclass(frozen=True, slots=True)
class Change:
    """Entries of folders that change together: (folder, name) -> what it stands for then, None for nothing."""

    entries: tuple[tuple[int, str, int | None], ...]


class Disk:
    """Replays operations, and tells what may be found at any time."""

    def __init__(self, place: Path) -> None:
        self.nodes: list[Node] = []
        self.entries: dict[tuple[int, str], int] = {}
        """As programs see them."""
        self.certain: dict[tuple[int, str], int] = {}
        """As they are found after a power cut if nothing of `pending` was kept."""
        self.pending: list[Change] = []
        self.place = place
        self.root = self._read(place)
        self.certain = dict(self.entries)

    def _read(self, path: Path) -> int:
        number = len(self.nodes)
        self.nodes.append(Node(path.is_dir()))
        if path.is_dir():
            for one in sorted(path.iterdir()):
                self.entries[number, one.name] = self._read(one)
        else:
            self.nodes[number].data = bytearray(path.read_bytes())
            self.nodes[number].kept = path.read_bytes()
        return number

    def find(self, path: str) -> int:
        """The node at `path`."""
        number = self.root
        for part in Path(path).relative_to(self.place).parts:
            number = self.entries[number, part]
        return number

    def where(self, path: str) -> tuple[int, str]:
        """Folder and name of `path`."""
        return self.find(os.path.dirname(path)), os.path.basename(path)  # noqa: PTH119, PTH120 - plain strings of the log

    def change(self, *entries: tuple[tuple[int, str], int | None]) -> None:
        """Change entries, all of them at once."""
        for at, number in entries:
            if number is None:
                self.entries.pop(at, None)
            else:
                self.entries[at] = number
        self.pending.append(Change(tuple((*at, number) for at, number in entries)))

    def make(self, path: str, *, is_folder: bool) -> int:
        """A new file or folder at `path`."""
        self.nodes.append(Node(is_folder))
        self.change((self.where(path), len(self.nodes) - 1))
        return len(self.nodes) - 1

    def synchronise(self, number: int) -> None:
        """What the file or folder holds now is certain; a change that another folder shares is, too."""
        node = self.nodes[number]
        if not node.is_folder:
            node.kept = bytes(node.data)
            return
        left = []
        for one in self.pending:
            if any(folder == number for folder, _, _ in one.entries):
                _apply(self.certain, one)
            else:
                left.append(one)
        self.pending = left

    def unsure(self) -> list[int]:
        """Files whose bytes are not certain and that some name may stand for."""
        named = set(self.certain.values()) | {number for one in self.pending for _, _, number in one.entries if number is not None}
        return [number for number in sorted(named) if not self.nodes[number].is_folder and bytes(self.nodes[number].data) != self.nodes[number].kept]

    def states(self, chance: random.Random) -> Iterator[tuple[dict[tuple[int, str], int], dict[int, bytes]]]:
        """What may be found: entries, and the bytes of files."""
        changes, unsure = self.pending, self.unsure()
        for missing in _subsets(len(changes) + len(unsure), chance):
            entries = dict(self.certain)
            for at, one in enumerate(changes):
                if at not in missing:
                    _apply(entries, one)
            yield entries, {number: self._bytes(number, len(changes) + at not in missing, chance) for at, number in enumerate(unsure)}

    def _bytes(self, number: int, kept: bool, chance: random.Random) -> bytes:  # noqa: FBT001 - told by its name
        node = self.nodes[number]
        if kept:
            return bytes(node.data)
        if chance.random() < 0.5:
            return node.kept + bytes(len(node.data) - len(node.kept))
        return bytes(node.data[: chance.randrange(len(node.data) + 1)])

    def lay(self, place: Path, entries: dict[tuple[int, str], int], contents: dict[int, bytes]) -> None:
        """Make `place` what was found."""
        emptied(place)
        below: dict[int, list[tuple[str, int]]] = {}
        for (folder, name), number in entries.items():
            below.setdefault(folder, []).append((name, number))
        made: dict[int, Path] = {}

        def fill(folder: int, path: Path) -> None:
            for name, number in below.get(folder, ()):
                if self.nodes[number].is_folder:
                    (path / name).mkdir()
                    fill(number, path / name)
                elif number in made:
                    os.link(made[number], path / name)
                else:
                    made[number] = path / name
                    made[number].write_bytes(contents.get(number, self.nodes[number].kept))

        fill(self.root, place)


def _apply(entries: dict[tuple[int, str], int], change: Change) -> None:
    for folder, name, number in change.entries:
        if number is None:
            entries.pop((folder, name), None)
        else:
            entries[folder, name] = number


def _subsets(count: int, chance: random.Random) -> Iterator[frozenset[int]]:
    """Which of `count` changes are missing."""
    if count <= ALL_SUBSETS:
        yield from (frozenset(at for at in range(count) if bits >> at & 1) for bits in range(1 << count))
        return
    everything = frozenset(range(count))
    yield from (frozenset(), everything)
    for at in range(count):
        yield frozenset({at})
        yield everything - {at}
    for _ in range(count):
        yield frozenset(at for at in range(count) if chance.random() < 0.5)


class Recording(Faulty):
    """A file system that remembers what was written where, so that it can be replayed."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[str, tuple[Any, ...]]] = []

    def _do(self, name: str, arguments: tuple[Any, ...], options: Any) -> Any:
        path = self.descriptors.get(arguments[0]) if arguments and isinstance(arguments[0], int) else None
        result = super()._do(name, arguments, options)
        if name == "open" and arguments[1] & os.O_CREAT:
            self.done.append(("create", (arguments[0],)))
        elif name == "writev":
            self.done.append(("append", (path, b"".join(arguments[1])[:result])))
        elif name == "pwrite":
            self.done.append(("write", (path, bytes(arguments[1])[:result], arguments[2])))
        elif name in ("truncate", "allocate"):
            self.done.append((name, (path, *arguments[1:])))
        elif name == "fsync":
            self.done.append((name, (path,)))
        elif name in ("mkdir", "rename", "rename_new", "exchange", "link", "unlink", "rmdir"):
            self.done.append((name, arguments))
        return result


def _replay(disk: Disk, name: str, arguments: tuple[Any, ...]) -> None:
    first = arguments[0]
    if name in ("create", "mkdir"):
        disk.make(first, is_folder=name == "mkdir")
    elif name == "append":
        disk.nodes[disk.find(first)].data += arguments[1]
    elif name == "write":
        data, offset = disk.nodes[disk.find(first)].data, arguments[2]
        data.extend(bytes(max(0, offset - len(data))))
        data[offset : offset + len(arguments[1])] = arguments[1]
    elif name == "truncate":
        data = disk.nodes[disk.find(first)].data
        data.extend(bytes(max(0, arguments[1] - len(data))))
        del data[arguments[1] :]
    elif name == "fsync":
        disk.synchronise(disk.find(first))
    elif name in ("unlink", "rmdir"):
        disk.change((disk.where(first), None))
    elif name == "link":
        disk.change((disk.where(arguments[1]), disk.find(first)))
    elif name == "exchange":
        disk.change((disk.where(first), disk.find(arguments[1])), (disk.where(arguments[1]), disk.find(first)))
    elif name in ("rename", "rename_new") and disk.entries.get(disk.where(arguments[1])) != disk.find(first):
        disk.change((disk.where(arguments[1]), disk.find(first)), (disk.where(first), None))


def exhaust_cuts(writer: Writer, most: int = MOST, tidied_every: int = 8) -> Tally:
    """The power cut after each operation of the writer's save, over old files where it replaces; at most `most` states of the disk.

    Before the save returns, the old files or the new ones have to be there; once it has, the new ones. After every so many states
    another save shows that it leaves its files and nothing else.
    """
    tally = Tally(writer.name)
    chance = random.Random(20)  # noqa: S311 - a sample that is the same each time
    with scratch() as folder:
        bench = Bench(writer, folder)
        fs = Recording()
        outcome, _ = bench.saved(fs)
        assert outcome == "returned"
        bench.restore()
        states = _all_states(Disk(bench.place), fs.done, chance)
        tally.operations = len(fs.done)
        if len(states) > most:
            states = [states[at] for at in sorted(chance.sample(range(len(states)), most))]
        for number, (disk, at, entries, contents) in enumerate(states):
            disk.lay(bench.place, entries, contents)
            ended = at == len(fs.done)
            said = f"power cut after {at} of {len(fs.done)} operations, {fs.done[at - 1][0] if at else 'nothing'} the last"
            judged(bench, "returned" if ended else "stopped", None, tally, said, cleaning=True, tidy=number % tidied_every == 0)
    return tally


def _all_states(disk: Disk, done: list[tuple[str, tuple[Any, ...]]], chance: random.Random) -> list[tuple[Disk, int, dict[tuple[int, str], int], dict[int, bytes]]]:
    found: dict[object, tuple[Disk, int, dict[tuple[int, str], int], dict[int, bytes]]] = {}
    for at in range(len(done) + 1):
        if at:
            _replay(disk, *done[at - 1])
        for entries, unsure in disk.states(chance):
            contents = {number: disk.nodes[number].kept for number in entries.values() if not disk.nodes[number].is_folder} | unsure
            key = frozenset(entries.items()), frozenset(contents.items()), at == len(done)
            found.setdefault(key, (disk, at, entries, contents))
    return list(found.values())
