"""Makes a package an archive, or a folder of one, without a change to any member: what was signed in one form stays signed in the other."""

from __future__ import annotations

import os
from dataclasses import dataclass

from triptych.errors import Findings, InvalidModelError
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.package import atomic, names
from triptych.package.containers import Container, open_container
from triptych.package.files import FileSystem
from triptych.package.read import validate_package
from triptych.package.streaming import Output, Progress, Stream
from triptych.package.write import Form, Save


def repack(
    path: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    form: Form,
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress | None = None,
    overwrite: bool = True,
    durable: bool = True,
    fs: FileSystem | None = None,
) -> None:
    """Write the package at `path` to `target` in this form, every member as it is; what stood there is replaced at the end.

    A folder gets no ``mimetype``: it is the archive's own, and writers of folders make none. Everything is verified before anything is written.

    Raises:
        InvalidModelError: The package is not valid, down to its last byte.
        UnsupportedError: It is over a limit, or of a later version.
        UsageError: The target may not be replaced.
        SaveError: The file system refused; what stood at `target` is unchanged.
        OSError: The package cannot be read.
    """
    problems = validate_package(path, limits=limits, full=True)
    if problems:
        raise InvalidModelError(problems)
    container = open_container(os.fspath(path), Findings(), limits)
    Save(_Members(container), atomic.target_of(target), fs or FileSystem(), progress, overwrite=overwrite, durable=durable).write(form)


@dataclass(frozen=True, slots=True)
class _Members:
    """The members of a package that there is."""

    container: Container

    def sizes(self) -> dict[str, int]:
        return {name: size for name, size in self.container.sizes.items() if name != names.MIMETYPE}

    def member(self, name: str, stream: Stream, output: Output) -> int:
        return stream.content(name, self.container.content(name), output)
