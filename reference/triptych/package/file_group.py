"""Several files of one folder that belong together, replaced together: the save protocol where no single name stands for all of them.

One of them, the anchor, is what readers begin with. The new files are made inside a private folder, complete and durable, before any
old one is touched. Then the old ones get second names in there (or, on a file system without them, move there), and the new
ones take their names one by one, the anchor last. When something fails on the way, the old ones are put back.

No file system renames several files in one step, so a process that is killed, or a power cut, between the first and the last of these
renames leaves new files beside the old anchor. Nothing is lost then: the private folder still has what was not yet placed. The next
save of the group finishes the interrupted one before it begins; until then `unfinished` says that it was interrupted.
"""

# ruff: noqa: PTH116, PTH118, PTH119, PTH120 - plain strings, each handed to the system as it is

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from typing import TypeVar

from triptych.errors import SaveError, TriptychError, UsageError
from triptych.package import atomic
from triptych.package.files import FileSystem

T = TypeVar("T")

NEW = "files"
"""Inside the private folder: the new files, until they are placed."""
BEFORE = "before"
"""Inside the private folder: the old files, from the moment that the new ones are complete."""
_PAUSE_SECONDS = 0.02
_NO_LINKS = frozenset({errno.EPERM, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EXDEV})


@contextmanager
def replacing_group(
    anchor: str | os.PathLike[str],
    belongs: Callable[[str], bool],
    fs: FileSystem,
    *,
    size: int = 0,
    overwrite: bool = True,
    durable: bool = True,
) -> Iterator[str]:
    """Yield a folder in which to make the new files, synchronised, the anchor among them; afterwards they replace the old ones.

    `belongs` tells from its name whether an old file beside the anchor is of the group: it goes, even if no new one has its name.
    `size` is the number of bytes that the new ones are going to take, if that is known.

    Raises:
        SaveError: The file system refused; the old files still stand.
        UsageError: Something else stands where a file would go, or `overwrite` is false and anything does.
    """
    target = _target_of(anchor)
    before: list[tuple[int, int] | None] = []
    try:
        before.append(_identity(target, fs))
        with _alone(os.path.dirname(target), fs):
            atomic.sweep(target, fs, settle)
            _check_old(target, belongs, fs, overwrite=overwrite)
        atomic.check_space(target, size, fs)
        with atomic.private_folder(target, fs, settle) as private:
            new = os.path.join(private, NEW)
            fs.mkdir(new)
            yield new
            with _alone(os.path.dirname(target), fs):
                _commit(target, private, belongs, fs, overwrite=overwrite, durable=durable)
                with suppress(OSError):  # what could not be removed now is once more when the private folder goes
                    _remove_old(target, private, fs)
    except OSError as error:
        if isinstance(error, TriptychError):
            raise
        reason = error.strerror or str(error)
        raise SaveError(error.errno, f"expected to write {target!r} and its files, got: {reason}; {_aftermath(target, *before)}") from error


def _aftermath(target: str, *known: tuple[int, int] | None) -> str:
    """What stands at `target` after a save that failed, as it is now; of the anchor that stood there before the one thing is `known` or nothing."""
    if not known:
        return "what stood there is unchanged"
    if waiting := unfinished(target):
        return f"the save was interrupted: the next one finishes it with the files in {waiting!r}"
    try:
        there = _identity(target, FileSystem())
    except OSError:
        return "what stands there cannot be told"
    return "what stood there is unchanged" if there == known[0] else "the new files stand there"


def _identity(path: str, fs: FileSystem) -> tuple[int, int] | None:
    """What tells the file at `path` from every other; None where there is none."""
    try:
        there = fs.lstat(path)
    except FileNotFoundError:
        return None
    return there.st_ino, there.st_dev


def _target_of(anchor: str | os.PathLike[str]) -> str:
    """The place of the anchor: links of folders are followed, a link in the place of a file is not."""
    path = os.path.abspath(os.fspath(anchor))  # noqa: PTH100
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def _old_of(target: str, belongs: Callable[[str], bool], fs: FileSystem) -> list[str]:
    """Names of the old files, the anchor last."""
    name = os.path.basename(target)
    return _in_order((one for one in fs.listdir(os.path.dirname(target)) if one == name or belongs(one)), name)


def _in_order(names: Iterator[str] | list[str], anchor: str) -> list[str]:
    return sorted(names, key=lambda one: (one == anchor, one))


def _check_old(target: str, belongs: Callable[[str], bool], fs: FileSystem, *, overwrite: bool) -> None:
    import stat

    folder = os.path.dirname(target)
    for name in _old_of(target, belongs, fs):
        path = os.path.join(folder, name)
        if not overwrite:
            raise UsageError(f"expected nothing at {path!r}, something is there; pass overwrite=True to replace it")
        if not stat.S_ISREG(fs.lstat(path).st_mode):
            raise UsageError(f"expected a file or nothing at {path!r}, got something else; it is not replaced")


# --- the commit

@contextmanager
def _alone(folder: str, fs: FileSystem) -> Iterator[None]:
    """Keep other saves from placing files in `folder` meanwhile: what two of them place in turn would be of both."""
    descriptor = fs.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # a file system without locks: its saves take care themselves
            fs.lock(descriptor, wait=True)
        yield
    finally:
        with suppress(OSError):
            fs.close(descriptor)


def _commit(target: str, private: str, belongs: Callable[[str], bool], fs: FileSystem, *, overwrite: bool, durable: bool) -> None:
    """Give the new files their names, and make that durable."""
    folder, anchor = os.path.split(target)
    new, before = os.path.join(private, NEW), os.path.join(private, BEFORE)
    names = _in_order(fs.listdir(new), anchor)
    if durable:
        atomic.sync_folder(new, fs)
    _check_old(target, belongs, fs, overwrite=overwrite)
    kept: list[str] = []
    placed: list[str] = []
    try:
        fs.mkdir(before)
        if durable:
            atomic.sync_folder(private, fs)
        for name in _old_of(target, belongs, fs):
            kept.append(name)
            _keep(os.path.join(folder, name), os.path.join(before, name), fs)
        if durable:
            atomic.sync_folder(before, fs)
            atomic.sync_folder(folder, fs)  # the private folder, without which the old files would be gone, is found from here on
        for name in names:
            if durable and name == anchor:  # after a power cut no new anchor may be found beside files that were not yet placed for certain
                atomic.sync_folder(folder, fs)
            placed.append(name)
            fs.rename(os.path.join(new, name), os.path.join(folder, name))
        if durable:
            atomic.sync_folder(folder, fs)
    except BaseException:
        with suppress(OSError):  # what cannot be put back is finished when the private folder goes, or by the next save
            _put_back(folder, private, kept, placed, fs)
        raise


def _keep(path: str, name: str, fs: FileSystem) -> None:
    try:
        fs.link(path, name)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        fs.rename(path, name)


def _put_back(folder: str, private: str, kept: list[str], placed: list[str], fs: FileSystem) -> None:
    """Undo the placing. Until the old anchor is back, in the last step, no new file is lost: `settle` can still place them all."""
    new, before = os.path.join(private, NEW), os.path.join(private, BEFORE)
    for name in reversed(placed):
        if atomic.mode_of(os.path.join(new, name), fs) is None:
            fs.rename(os.path.join(folder, name), os.path.join(new, name))
    for name in kept:
        # Where the old file never lost its name, both are names of one file, and the system leaves them as they are.
        with suppress(FileNotFoundError):
            fs.rename(os.path.join(before, name), os.path.join(folder, name))
    fs.remove_tree(before)


# --- what an interrupted save leaves

class _State(Enum):
    """How far the save of a private folder had come."""

    MAKING = auto()
    """The old files stand; there is nothing to finish."""
    KEEPING = auto()
    """The old files were getting second names; where the file system has none, some may stand in the private folder alone."""
    PLACING = auto()
    """The old files were being replaced."""
    PLACED = auto()
    """All new files stand."""
    OVERTAKEN = auto()
    """Somebody else has written the anchor since."""


def _state(target: str, private: str, fs: FileSystem) -> _State:
    anchor = os.path.basename(target)
    before = os.path.join(private, BEFORE)
    if atomic.mode_of(before, fs) is None:
        return _State.MAKING
    if atomic.mode_of(os.path.join(private, NEW, anchor), fs) is None:
        return _State.PLACED
    if atomic.mode_of(target, fs) is None:
        return _State.PLACING
    if atomic.mode_of(os.path.join(before, anchor), fs) is None:
        return _State.KEEPING
    old = _same(target, os.path.join(before, anchor), fs) and fs.lstat(target).st_mtime_ns <= fs.lstat(before).st_mtime_ns
    return _State.PLACING if old else _State.OVERTAKEN


def settle(target: str, private: str, fs: FileSystem) -> bool:
    """Finish the save whose private folder this is, if it had begun to place its files; True: the folder is no longer needed."""
    folder, anchor = os.path.split(target)
    new, before = os.path.join(private, NEW), os.path.join(private, BEFORE)
    state = _state(target, private, fs)
    if state is _State.KEEPING:
        for name in _displaced(folder, before, fs):
            fs.rename(os.path.join(before, name), os.path.join(folder, name))
    if state is _State.PLACING:
        for name in _in_order(fs.listdir(new), anchor):
            if name == anchor:
                atomic.sync_folder(folder, fs)
            fs.rename(os.path.join(new, name), os.path.join(folder, name))
        atomic.sync_folder(folder, fs)
    if state in (_State.PLACING, _State.PLACED):
        _remove_old(target, private, fs)
    return True


def _remove_old(target: str, private: str, fs: FileSystem) -> None:
    """Remove the old files that still stand: those without a successor, once all new files do."""
    folder, before = os.path.dirname(target), os.path.join(private, BEFORE)
    for name in fs.listdir(before):
        path = os.path.join(folder, name)
        if _same(path, os.path.join(before, name), fs):
            fs.unlink(path)


def unfinished(anchor: str | os.PathLike[str]) -> str | None:
    """The folder with files that a save has yet to move beside the anchor: it is at it, or was interrupted; None where there is none."""
    target, fs = _target_of(anchor), FileSystem()
    for private in atomic.private_folders(target):
        with suppress(OSError):
            state = _state(target, private, fs)
            if state is _State.PLACING:
                return os.path.join(private, NEW)
            before = os.path.join(private, BEFORE)
            if state is _State.KEEPING and _displaced(os.path.dirname(target), before, fs):
                return before
    return None


def read_group(anchor: str | os.PathLike[str], read: Callable[[], T], patience_seconds: float, interrupted: Callable[[str], Exception]) -> T:
    """What `read` returns, of files of one save: it is called again while a save is placing its files.

    Args:
        anchor: The file that readers begin with.
        read: Opens the files; a `TriptychError` or a missing file is its own only where no save was at them.
        patience_seconds: How long a save may take to place its files.
        interrupted: Called with the folder of a save that takes longer: what to raise.
    """
    end = time.monotonic() + patience_seconds
    while True:
        before = _version(anchor)
        failure: Exception | None = None
        try:
            found = read()
        except (TriptychError, FileNotFoundError) as error:
            failure = error
        # Files that were opened while others took their names may belong to different saves.
        waiting = unfinished(anchor)
        if waiting is None and _version(anchor) == before:
            if failure is not None:
                raise failure
            return found
        if waiting is not None and time.monotonic() > end:
            raise interrupted(waiting)
        time.sleep(_PAUSE_SECONDS)


def _version(path: str | os.PathLike[str]) -> tuple[int, int, int] | None:
    """What tells the file at `path` from one that takes its name; None where there is none."""
    try:
        facts = os.stat(path)
    except FileNotFoundError:
        return None
    return facts.st_dev, facts.st_ino, facts.st_mtime_ns


def _displaced(folder: str, before: str, fs: FileSystem) -> list[str]:
    """Names of old files that stand in the private folder alone."""
    return [name for name in fs.listdir(before) if atomic.mode_of(os.path.join(folder, name), fs) is None]


def _same(path: str, other: str, fs: FileSystem) -> bool:
    """Whether two names are those of one file."""
    mine = _identity(path, fs)
    return mine is not None and mine == _identity(other, fs)
