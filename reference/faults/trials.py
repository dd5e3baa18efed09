"""One save with something going wrong, judged; and all of them for one writer, counted."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from faults.operations import AFTER, BEFORE, ERRORS, INTERRUPT, LACKING, Crash, Faulty, everywhere
from faults.writers import LATER, NEW, OLD, Writer, content_of, emptied, litter_in
from triptych.checkpoints.state import STATE, from_bytes, to_text
from triptych.errors import SaveError
from triptych.package.atomic import displaced
from triptych.package.file_group import unfinished

MEMORY = "/dev/shm"  # noqa: S108 - a folder of its own is made in it
Content = Mapping[str, bytes]


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder to lose files in; in memory where there is such a place, since nothing here needs a disk."""
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        yield Path(folder)


@dataclass(slots=True)
class Tally:
    """What came of the saves of one writer."""

    writer: str
    operations: int = 0
    """Of a save that nothing happens to, over an old one where the writer replaces."""
    faults: int = 0
    """Saves in which something went wrong."""
    old: int = 0
    """After how many of them the old files stood, complete."""
    new: int = 0
    """After how many the new ones did."""
    between: int = 0
    """After how many readers were told where the old ones are, or that the save was interrupted; the next save put that right each time."""
    lost: list[str] = field(default_factory=list)
    """What went otherwise, one sentence each."""
    leftovers: list[str] = field(default_factory=list)
    """What a save that reported an error left behind, or what one that was cut off did and the next save left lying."""

    def add(self, other: Tally) -> None:
        """Count `other` in."""
        for name in ("faults", "old", "new", "between"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.operations = max(self.operations, other.operations)
        self.lost += other.lost
        self.leftovers += other.leftovers


class Bench:
    """A writer, the contents that its saves give, and a place to try them again and again."""

    def __init__(self, writer: Writer, folder: Path, *, over_old: bool = True, lacking: str = "nothing") -> None:
        self.writer = writer
        self.place = folder / "place"
        self._bare, self._start = folder / "bare", folder / "start"
        self.over_old = over_old and writer.replaces
        self.lacking = LACKING[lacking]
        emptied(self._bare)
        if writer.prepare is not None:
            writer.prepare(self._bare)
        self.contents = {number: self._fresh(numbers) for number, numbers in {OLD: [OLD], NEW: [OLD, NEW] if self.over_old else [NEW]}.items()}
        self.later = self._fresh([NEW, LATER] if writer.replaces else [NEW])
        if self.over_old:
            self._fresh([OLD])
            shutil.copytree(self.place, emptied(self._start), dirs_exist_ok=True)
        else:
            self._start = self._bare
        self.old = content_of(self._start)

    def _fresh(self, numbers: Iterable[int]) -> Content:
        shutil.copytree(self._bare, emptied(self.place), dirs_exist_ok=True)
        for number in numbers:
            self.writer.save(self.place, number)
        return content_of(self.place)

    def restore(self) -> None:
        """What stood before."""
        shutil.copytree(self._start, emptied(self.place), dirs_exist_ok=True)

    def saved(self, fs: Faulty) -> tuple[str, BaseException | None]:
        """Save the new model on `fs`: whether that ``returned``, ``failed`` with a typed error, or was ``stopped``."""
        self.restore()
        outcome: tuple[str, BaseException | None] = ("returned", None)
        try:
            with everywhere(fs):
                self.writer.save(self.place, NEW)
        except SaveError as error:
            outcome = ("failed", error)
        except (Crash, KeyboardInterrupt) as stop:
            outcome = ("stopped", stop)
        except Exception as error:  # noqa: BLE001 - an error of no declared type is what is looked for
            outcome = ("undeclared", error)
        fs.abandon()
        return outcome

    def state(self) -> str:
        """Which files stand: ``old``, ``new``, ``between`` (and readers are told), or what else."""
        found = content_of(self.place)
        new = self.contents[NEW]
        if found == self.old:
            return "old"
        if found == new or self._is_new(found, new):
            return "new"
        target = self.place / self.writer.target
        if self.writer.kind == "group" and unfinished(target) is not None:
            return "between"
        kept = displaced(target)
        if kept is not None and _content(Path(kept)) == _content_in(self.old, self.writer.target):
            return "between"
        if self.writer.kind == "series":
            return self._series(found)
        return f"a mixture: {sorted(set(found) ^ set(self.old))}"

    def _is_new(self, found: Content, new: Content) -> bool:
        """Whether the new files stand, beside old ones without successor that could not be removed, or without the note of them."""
        if self.writer.kind != "group":
            return False
        noted = {name for name in new if name != "checkpoint"}
        return all(found.get(name) == new[name] for name in noted) and all(self.old.get(name) == found[name] for name in found.keys() - new.keys())

    def _series(self, found: Content) -> str:
        """What the state file names decides; a complete checkpoint that it does not name, or no longer, may lie beside it."""
        name = f"run/{STATE}"
        complete = {**self.old, **self.contents[NEW]}
        if any(complete.get(one) != data for one, data in found.items() if one != name):
            return "an incomplete checkpoint"
        if name not in found:
            return "old" if not self.over_old else "a series without its state file"
        known = from_bytes(found[name])
        named = [one.step for one in known.checkpoints]
        if any(f"run/{one.name}" not in found for one in known.checkpoints) or named not in ([OLD], [NEW]):
            return f"a state file that names {named}"
        return "old" if named == [OLD] else "new"

    def tidied(self) -> bool:
        """Whether the next save leaves its files and nothing else."""
        if not self.writer.replaces:
            for name in sorted(content_of(self.place).keys() - self.old.keys(), reverse=True):
                (self.place / name).rmdir() if name.endswith("/") else (self.place / name).unlink()
            self.writer.save(self.place, NEW)
        elif self.writer.kind == "series" and self.state() == "old":
            self.writer.save(self.place, NEW)
        if self.writer.replaces:
            self.writer.save(self.place, LATER)
        return _settled(content_of(self.place)) == _settled(self.later) and not litter_in(self.place)


def _settled(content: Content) -> Content:
    """`content` without what a series says of checkpoints that it has removed."""
    return {name: to_text(replace(from_bytes(data), retiring=())).encode() if name.endswith(f"/{STATE}") else data for name, data in content.items()}


def _content(path: Path) -> Content:
    return {"": path.read_bytes()} if path.is_file() else content_of(path)


def _content_in(content: Content, name: str) -> Content:
    if name in content:
        return {"": content[name]}
    return {one.removeprefix(f"{name}/"): data for one, data in content.items() if one.startswith(f"{name}/") and one != f"{name}/"}


def trial(bench: Bench, plan: Mapping[int, str | int], tally: Tally, said: str) -> Faulty:
    """Save once with the operations of `plan` going wrong, and judge what is left."""
    fs = Faulty(lacking=bench.lacking, more=plan)
    outcome, error = bench.saved(fs)
    met = [(at, fs.log[at][0]) for at in plan if at < len(fs.log)]
    cleaning = bool({name for _, name in met} & {"rmdir", "unlink", "listdir", "lstat"}) or len(plan) > 1 or fs.gone
    judged(bench, outcome, error, tally, f"{said}, {', '.join(f'{name} (operation {at})' for at, name in met)}", cleaning=cleaning)
    return fs


def judged(bench: Bench, outcome: str, error: BaseException | None, tally: Tally, said: str, *, cleaning: bool, tidy: bool = True) -> None:
    """Count what is left of a save that ended as `outcome`, and with `tidy` what the next one leaves; `cleaning`: it may not have cleaned up."""
    state = bench.state()
    litter = litter_in(bench.place)
    tally.faults += 1
    for name in ("old", "new", "between"):
        setattr(tally, name, getattr(tally, name) + (state == name))
    place = f"{tally.writer}: {said}: {outcome}"
    wrong = _wrong(bench, outcome, state, error, settled=not litter)
    if wrong is not None:
        tally.lost.append(f"{place}, {wrong}")
    if outcome == "failed" and litter and not cleaning:
        tally.leftovers.append(f"{place}, {litter} is left")
    try:
        settled = not tidy or bench.tidied()
    except Exception as failure:  # noqa: BLE001 - said in the report
        tally.lost.append(f"{place}, then the next save: {failure!r}")
    else:
        if not settled:
            tally.leftovers.append(f"{place}, the next save left {sorted(content_of(bench.place))} and {litter_in(bench.place)}")


def _wrong(bench: Bench, outcome: str, state: str, error: BaseException | None, *, settled: bool) -> str | None:
    """What is not as promised."""
    if state not in ("old", "new", "between"):
        return state
    if outcome == "undeclared":
        return f"an undeclared error: {error!r}"
    if outcome == "returned" and state != "new":
        return f"{state} files stand"
    if outcome == "failed":
        text = str(error)
        if bench.writer.target.partition("/")[0] not in text and str(bench.place) not in text:
            return f"an error that names no path: {text}"
        claims = {
            "stands complete": "new", "new content stands": "new", "new files stand": "new", "unchanged": "old", "nothing stands": "old",
            "until the next save": "between", "was interrupted": "between",
        }  # fmt: skip
        claimed = next((one for phrase, one in claims.items() if phrase in text), None)
        if claimed is not None and claimed != state and bench.writer.kind != "series":
            return f"{state} files stand, and the error says: {text}"
        if state == "between" and settled:
            return "readers are told to wait for nothing"
    return None


def exhaust(
    writer: Writer, faults: Sequence[str], *, over_old: bool = True, lacking: str = "nothing", pairs: Sequence[tuple[str, str]] = (), step: int = 1
) -> Tally:
    """The writer's save with each fault at each operation, and with each pair at each two of them; of every `step` operations one."""
    tally = Tally(writer.name)
    with scratch() as folder:
        bench = Bench(writer, folder, over_old=over_old, lacking=lacking)
        probe = Faulty(lacking=bench.lacking)
        outcome, error = bench.saved(probe)
        if outcome != "returned" or bench.state() != "new":
            raise AssertionError(f"{writer.name} without a fault: {outcome}, {error!r}, {bench.state()}")
        tally.operations = count = len(probe.log)
        said = f"{'over old files' if bench.over_old else 'new'}, {lacking} lacking"
        for fault in faults:
            for at in range(0, count, step):
                trial(bench, {at: fault}, tally, f"{said}, {fault}")
        for first, second in pairs:
            for at in range(0, count, step):
                length = len(trial(bench, {at: first}, Tally(writer.name), said).log)
                for later in range(at + 1, length):
                    trial(bench, {at: first, later: second}, tally, f"{said}, {first} and {second}")
    return tally


def outcomes(tallies: Iterable[Tally]) -> Counter[str]:
    """Sums over writers."""
    found: Counter[str] = Counter()
    for one in tallies:
        found.update({"operations": one.operations, "faults": one.faults, "old": one.old, "new": one.new, "between": one.between, "lost": len(one.lost), "leftovers": len(one.leftovers)})
    return found


__all__ = ["AFTER", "BEFORE", "ERRORS", "INTERRUPT", "Bench", "Tally", "exhaust", "outcomes", "scratch", "trial"]
