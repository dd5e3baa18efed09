"""The save protocol: what stands at a path is the complete old thing or the complete new one, whatever happens.

The new thing is made inside a private folder beside the target, ``.NAME.HEX.tmp``, made durable there, and takes the target's
name in one step; then the old one, which has taken its place in the private folder, is removed with it. The folder is locked
while its owner lives, so that a later save can tell litter from work in progress.
"""

# ruff: noqa: PTH118, PTH119, PTH120, PTH123, PTH208 - plain strings, each handed to the system as it is

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache

from triptych.errors import SaveError, TriptychError, UsageError
from triptych.package.files import FileSystem

NEW = "new"
"""Name of the new thing inside the private folder; after the exchange the old one has it."""
OLD = "old"
"""Name of the displaced thing inside the private folder, where names cannot be exchanged in one step."""
LITTER_SECONDS = 24 * 3600
"""Age from which a private folder of another boot or host is litter."""
NAME_MAX = 255
_UNSUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP})
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


@contextmanager
def replace_file(
    path: str | os.PathLike[str], fs: FileSystem | None = None, *, size: int = 0, overwrite: bool = True, durable: bool = True
) -> Iterator[str]:
    """Yield the path of a file to be written by other means; when the block ends without an exception, it replaces `path`.

    `size` is the number of bytes it is going to take, as far as that is known.

    Raises:
        SaveError: The file system refused; what stood at `path` still does.
        UsageError: A folder stands there, or `overwrite` is false and anything does.
    """
    fs = fs or FileSystem()
    with replacing(path, fs, folder=False, size=size, overwrite=overwrite, durable=durable) as staged:
        yield staged
        old = mode_of(target_of(path), fs)
        descriptor = fs.open(staged, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            if old is not None:
                fs.chmod(descriptor, old)
            if durable:
                fs.fsync(descriptor)
        finally:
            fs.close(descriptor)


def write_file(path: str | os.PathLike[str], content: bytes, fs: FileSystem | None = None, *, overwrite: bool = True) -> None:
    """Have `content` replace what stands at `path`, whole or not at all; raises what `replace_file` raises."""
    fs = fs or FileSystem()
    with replace_file(path, fs, size=len(content), overwrite=overwrite) as staged:
        fill_file(staged, content, fs)


def fill_file(path: str, content: bytes, fs: FileSystem) -> None:
    """Make the new file `path` of `content`; it is for the caller to make it durable."""
    descriptor = fs.open(path, _NEW_FILE)
    try:
        fs.write_all(descriptor, [memoryview(content)])
    finally:
        fs.close(descriptor)


def sync_file(path: str, fs: FileSystem) -> None:
    """Make the content of a file durable that was closed."""
    descriptor = fs.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fs.fsync(descriptor)
    finally:
        fs.close(descriptor)


def make_folders(path: str | os.PathLike[str], fs: FileSystem) -> None:
    """Make the folder `path` and those above it that are not there; they are durable when this returns.

    Raises:
        SaveError: The file system refused.
    """
    target = target_of(path)
    missing = [target]
    try:
        while mode_of(os.path.dirname(missing[-1]), fs) is None:
            missing.append(os.path.dirname(missing[-1]))
        for folder in reversed(missing):
            with suppress(FileExistsError):
                fs.mkdir(folder)
            sync_folder(os.path.dirname(folder), fs)
    except OSError as error:
        raise SaveError(error.errno, f"expected to make the folder {target!r}, got: {error.strerror or error}") from error


@contextmanager
def replacing(
    path: str | os.PathLike[str], fs: FileSystem, *, folder: bool, size: int = 0, overwrite: bool = True, durable: bool = True
) -> Iterator[str]:
    """Yield the path at which to make a new file or folder, complete and synchronised; afterwards it replaces `path`.

    `size` is the number of bytes it is going to take. Raises what `replace_file` raises.
    """
    target = target_of(path)
    before: list[tuple[int, int] | None] = []
    try:
        before.append(_check_target(target, fs, folder=folder, overwrite=overwrite))
        sweep(target, fs)
        check_space(target, size, fs)
        with private_folder(target, fs) as private:
            yield os.path.join(private, NEW)
            _commit(target, private, fs, folder=folder, overwrite=overwrite, durable=durable)
    except OSError as error:
        if isinstance(error, TriptychError):
            raise
        reason = error.strerror or str(error)
        failure = SaveError(error.errno, f"expected to write {target!r}, got: {reason}; {_aftermath(target, *before)}")
        raise failure from error


def _aftermath(target: str, *known: tuple[int, int] | None) -> str:
    """What stands at `target` after a save that failed, as it is now; of what stood there before the one thing is `known` or nothing."""
    if not known:
        return "what stood there is unchanged"
    before = known[0]
    try:
        there = os.lstat(target)
    except FileNotFoundError:
        kept = displaced(target)
        return "nothing stands there" if before is None else f"what stood there is {kept!r} until the next save" if kept else "nothing stands there"
    except OSError:
        return "what stands there cannot be told"
    return "what stood there is unchanged" if (there.st_ino, there.st_dev) == before else "the new content stands there"


def target_of(path: str | os.PathLike[str]) -> str:
    """The place that `path` names, through symbolic links: these are resolved once, and the thing they lead to is replaced."""
    return os.path.realpath(os.fspath(path))


def mode_of(path: str, fs: FileSystem) -> int | None:
    """The permission bits of what stands at `path`; None where nothing does."""
    try:
        return stat.S_IMODE(fs.lstat(path).st_mode)
    except FileNotFoundError:
        return None


def _check_target(target: str, fs: FileSystem, *, folder: bool, overwrite: bool) -> tuple[int, int] | None:
    """What tells the thing that stands at `target` from every other; None where nothing does."""
    try:
        there = fs.lstat(target)
    except FileNotFoundError:
        return None
    if not overwrite:
        raise UsageError(f"expected nothing at {target!r}, something is there; pass overwrite=True to replace it")
    if not (stat.S_ISDIR(there.st_mode) if folder else stat.S_ISREG(there.st_mode)):
        raise UsageError(f"expected {'a folder' if folder else 'a file'} or nothing at {target!r}, got something else; it is not replaced")
    return there.st_ino, there.st_dev


def check_space(target: str, size: int, fs: FileSystem) -> None:
    """Refuse what cannot fit: `size` bytes beside `target`.

    Raises:
        SaveError: The file system has not that many.
    """
    if size:
        available = fs.free_bytes(os.path.dirname(target))
        required = size + size // 100
        if available < required:
            raise SaveError(errno.ENOSPC, f"expected {required} free bytes for {target!r}, got {available}; what stood there is unchanged")


# --- the private folder

@cache
def _boot() -> str:
    """Eight hexadecimal digits that say which boot of which host this is; zeros where the system does not tell."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read(8)
    except OSError:
        return "0" * 8


def _stem(target: str) -> str:
    """The start of the names of `target`'s private folders."""
    name = os.path.basename(target)
    cut = os.fsencode(name)[: NAME_MAX - len("..") - 32 - len(".tmp")]
    return f".{cut.decode(errors='ignore')}."


def restored(target: str, private: str, fs: FileSystem) -> bool:
    """Whether nothing in `private` is needed: a displaced thing whose name is free is given it back first."""
    displaced = os.path.join(private, OLD)
    if mode_of(displaced, fs) is not None and mode_of(target, fs) is None:
        fs.rename(displaced, target)
    return True


Settle = Callable[[str, str, FileSystem], bool]
"""Called with a target, a private folder of it that nobody uses any more, and the file operations: whether that may be removed."""


@contextmanager
def private_folder(target: str, fs: FileSystem, settle: Settle = restored) -> Iterator[str]:
    """A new, locked folder beside `target`, removed with all it holds when the block ends in whatever way, unless `settle` objects."""
    path, descriptor = "", -1
    try:
        while descriptor < 0:
            path = os.path.join(os.path.dirname(target), f"{_stem(target)}{_boot()}{secrets.token_hex(12)}.tmp")
            fs.mkdir(path, 0o700)
            descriptor = _locked(path, fs)
        yield path
    finally:
        with suppress(OSError):
            if path and settle(target, path, fs):
                fs.remove_tree(path)
        with suppress(OSError):
            if descriptor >= 0:
                fs.close(descriptor)


def _locked(path: str, fs: FileSystem) -> int:
    """A descriptor that holds the lock of the folder `path`; -1 where a sweeper was quicker and removed the folder."""
    try:
        descriptor = fs.open(path, _FOLDER_FLAGS)
    except FileNotFoundError:
        return -1
    try:
        with suppress(OSError):  # a file system without locks: the folder's age decides
            fs.lock(descriptor, wait=True)
        mine, there = fs.fstat(descriptor), fs.lstat(path)
        if (mine.st_ino, mine.st_dev) == (there.st_ino, there.st_dev):
            return descriptor
    except FileNotFoundError:
        pass
    except BaseException:
        with suppress(OSError):
            fs.close(descriptor)
        raise
    fs.close(descriptor)
    return -1


def sweep(target: str, fs: FileSystem, settle: Settle = restored) -> None:
    """Remove what saves to `target` left behind that died; what cannot be removed is left for the next time.

    A folder goes when nobody holds its lock, and it is of this boot (then its owner is dead for certain) or a day old.
    """
    pattern = re.compile(rf"{re.escape(_stem(target))}([0-9a-f]{{32}})\.tmp")
    parent = os.path.dirname(target)
    with suppress(OSError):
        for name in fs.listdir(parent):
            match = pattern.fullmatch(name)
            if match:
                with suppress(OSError):
                    _sweep_one(target, os.path.join(parent, name), match[1], fs, settle)


def _sweep_one(target: str, path: str, token: str, fs: FileSystem, settle: Settle) -> None:
    descriptor = fs.open(path, _FOLDER_FLAGS)
    try:
        certain = token.startswith(_boot()) and _boot() != "0" * 8
        try:
            if not fs.lock(descriptor, wait=False):
                return
        except OSError:
            certain = False
        age = time.time() - fs.fstat(descriptor).st_mtime
        if (certain or age > LITTER_SECONDS) and settle(target, path, fs):
            fs.remove_tree(path)
    finally:
        fs.close(descriptor)


def displaced(path: str | os.PathLike[str]) -> str | None:
    """Where the old thing of `path` is while nothing has that name: between two renames of a save that could not exchange names."""
    target = target_of(path)
    for private in private_folders(target):
        old = os.path.join(private, OLD)
        if os.path.lexists(old) and not os.path.lexists(target):
            return old
    return None


def private_folders(target: str) -> Iterator[str]:
    """The private folders of `target` that there are, in use or left behind."""
    parent = os.path.dirname(target)
    pattern = re.compile(rf"{re.escape(_stem(target))}[0-9a-f]{{32}}\.tmp")
    with suppress(OSError):
        for name in sorted(os.listdir(parent)):
            if pattern.fullmatch(name):
                yield os.path.join(parent, name)


# --- the commit

def _commit(target: str, private: str, fs: FileSystem, *, folder: bool, overwrite: bool, durable: bool) -> None:
    """Give the new thing the target's name, and make that durable before anything old is removed."""
    new = os.path.join(private, NEW)
    exchanged = _take_name(target, private, fs, folder=folder, overwrite=overwrite)
    if not durable:
        return
    try:
        sync_folder(os.path.dirname(target), fs)
    except OSError:
        if exchanged:
            fs.exchange(new, target)
        raise


def sync_folder(path: str, fs: FileSystem) -> None:
    """Make the entries of a folder durable; a file system that has no such notion is taken at its word."""
    descriptor = fs.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fs.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    finally:
        fs.close(descriptor)


def _take_name(target: str, private: str, fs: FileSystem, *, folder: bool, overwrite: bool) -> bool:
    """Whether the old thing now stands at the new one's place."""
    new = os.path.join(private, NEW)
    for _ in range(8):  # another save may come or go between two steps
        try:
            fs.rename_new(new, target)
        except FileExistsError:
            if not overwrite:
                raise UsageError(f"expected nothing at {target!r}, something has appeared there; it is not replaced") from None
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            if mode_of(target, fs) is None:
                fs.rename(new, target)
                return False
            if not overwrite:
                raise UsageError(f"expected nothing at {target!r}, something has appeared there; it is not replaced") from None
        else:
            return False
        try:
            fs.exchange(new, target)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            if folder:
                fs.rename(target, os.path.join(private, OLD))
            fs.rename(new, target)
            return False
        return True
    raise OSError(errno.EBUSY, "other saves kept replacing the target")
