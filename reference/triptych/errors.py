"""Errors.

* TriptychError
  * InvalidModelError        the bytes break the specification      .problems
    * TruncatedError         the file ends early
  * UnsupportedError         the bytes may be fine; this reader is not able, or may not     .problems
  * ConversionError          a layout cannot hold what the model says      .problems
  * WeightsMismatchError     (also a ValueError) weights do not fit the model      .problems
  * SaveError                (also an OSError) the target could not be written; the old one is intact
  * UsageError               (also a ValueError) the caller passed something impossible

Every problem has a code listed in ``spec/errors.toml``; callers branch on classes and codes, never on text.
"""

from __future__ import annotations

import errno
import os
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import NoReturn

from triptych import resources

MESSAGE_LIMIT = 4096
"""Longest text of one problem, in characters (SECURITY: error-message hygiene)."""
PROBLEM_LIMIT = 100
"""Problems listed of one input; what comes after is cut."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken requirement at one place."""

    code: str
    """Stable error code, listed in ``spec/errors.toml``."""
    requirement: str
    """Identifier of the broken requirement, such as ``WGT-004``; empty outside the specification's reach."""
    place: str
    """``<member>#<JSON Pointer>``; only the pointer for a text that is no member of a package; only the member for bytes."""
    message: str
    """One sentence: what was expected and what was found; cut at `MESSAGE_LIMIT`, whatever names a file may hold."""

    def __post_init__(self) -> None:
        if len(self.message) > MESSAGE_LIMIT:
            object.__setattr__(self, "message", self.message[:MESSAGE_LIMIT])

    def __str__(self) -> str:
        where = f" at {self.place}" if self.place else ""
        tail = f" [{self.requirement}]" if self.requirement else ""
        return f"{self.code}{where}: {self.message}{tail}"


class TriptychError(Exception):
    """Base class of every error this package raises on purpose."""


class _ProblemsError(TriptychError):
    def __init__(self, problems: tuple[Problem, ...]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{first}{more}")
        self.problems = problems


class InvalidModelError(_ProblemsError):
    """The input breaks the specification."""


class TruncatedError(InvalidModelError):
    """The file ends before its content does."""


class UnsupportedError(_ProblemsError):
    """The input uses what this reader does not support, or exceeds a limit."""


class ConversionError(_ProblemsError):
    """The target layout or framework cannot hold what the model says."""


class WeightsMismatchError(_ProblemsError, ValueError):
    """Weights do not fit the model they were meant for."""


class SaveError(TriptychError, OSError):
    """The target could not be written; whatever stood there before is intact."""


class UsageError(TriptychError, ValueError):
    """The caller passed something impossible."""


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Errors of the system inside name `path`: where it reads, closes and walks, the system names nothing, or a descriptor."""
    try:
        yield
    except TriptychError:
        raise
    except OSError as error:
        if isinstance(error.filename, str):
            raise
        if error.errno is None:  # said by Python, of a file on which nobody can seek
            raise OSError(errno.EIO, str(error), os.fspath(path)) from error
        error.filename = os.fspath(path)
        raise


@cache
def registry() -> dict[str, dict[str, object]]:
    """Error code -> its entry in ``spec/errors.toml``; read when the first problem is made, never on the good path."""
    return tomllib.loads(resources.read_text("spec/errors.toml"))


@cache
def _code_of() -> dict[str, str]:
    codes: dict[str, str] = {}
    for code, entry in registry().items():
        requirements = entry["requirements"]
        assert isinstance(requirements, list)
        codes.update(dict.fromkeys(requirements, code))
    return codes


def shorten(value: object, limit: int = 128) -> str:
    """`value` as a printable literal of at most `limit` characters; control characters come escaped."""
    text = ascii(value) if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def pointer_token(name: str) -> str:
    """`name` escaped as one reference token of a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


_STAGES = ("bytes", "json", "schema", "semantic", "resource")


def first_stage(problems: Sequence[Problem], member: str) -> tuple[Problem, ...]:
    """`problems` without those of the document `member` that come after its first stage with any; those of resources and of the package (digests) stay."""
    of_it = (one.place.partition("#")[0] == member and not one.requirement.startswith("PKG-") for one in problems)
    stages = [str(registry()[one.code]["stage"]) if inside else "" for one, inside in zip(problems, of_it, strict=True)]
    first = min(filter(None, stages), key=_STAGES.index, default="")
    return tuple(one for one, stage in zip(problems, stages, strict=True) if stage in ("", first, "resource"))


def problem(requirement: str, place: str, message: str) -> Problem:
    """The problem of breaking `requirement` at `place`; its code comes from the registry."""
    return Problem(_code_of()[requirement], requirement, place, message)


class CheckDisabled(Exception):  # noqa: N818 - no error of the input: a switched-off check could not be passed over
    """A disabled check met input that cannot be read without it; for the suite's mutation test only."""


class Findings:
    """Collects the problems of one reading, so that a whole stage is reported at once.

    Requirements in `disabled` are not enforced: the switch behind the suite's own mutation test, no public API.
    """

    def __init__(self, disabled: frozenset[str] = frozenset(), member: str = "") -> None:
        self.disabled = disabled
        self.member = member
        self.problems: list[Problem] = []
        self.since = 0
        """Problems that were there before this view was made."""

    def at(self, member: str) -> Findings:
        """A view that reports into the same list, for places inside `member`."""
        other = Findings(self.disabled, member)
        other.problems = self.problems
        other.since = len(self.problems)
        return other

    def place(self, pointer: str | None) -> str:
        """`pointer` inside the current member; None is the member's bytes as a whole."""
        if pointer is None:
            return self.member
        return f"{self.member}#{pointer}" if self.member else pointer

    def enforces(self, requirement: str) -> bool:
        """Whether `requirement` is to be checked."""
        return requirement not in self.disabled

    def add(self, requirement: str, pointer: str | None, message: str) -> None:
        """Note that `requirement` is broken at `pointer` and go on reading."""
        if requirement not in self.disabled:
            self.problems.append(problem(requirement, self.place(pointer), message))

    def fatal(
        self, requirement: str, pointer: str | None, message: str, *, error: type[InvalidModelError | UnsupportedError] = InvalidModelError
    ) -> NoReturn:
        """Note that `requirement` is broken and stop: nothing after it can be read."""
        if requirement in self.disabled:
            raise CheckDisabled(requirement)
        self.add(requirement, pointer, message)
        raise error(tuple(self.problems[:PROBLEM_LIMIT]))

    def raise_if_any(self) -> None:
        """Raise all problems noted so far, if there are any."""
        if self.problems:
            raise InvalidModelError(tuple(self.problems[:PROBLEM_LIMIT]))
