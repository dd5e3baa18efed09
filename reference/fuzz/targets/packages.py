"""Whole packages: a folder or an archive through every stage of validation; what has no problem can be read, and what has one cannot."""

from __future__ import annotations

from pathlib import Path

from fuzz.mutators import packages
from fuzz.target import Disagreement, Target
from fuzz.targets.reading import all_of, as_file, as_folder
from triptych.errors import Findings, InvalidModelError, Problem, UnsupportedError
from triptych.package import read_package, validate_package
from triptych.package.verify import verify_package


def _validated(path: Path) -> tuple[Problem, ...]:
    return validate_package(path, full=True)


def _agree(_: bytes, path: Path, problems: tuple[Problem, ...]) -> None:
    """Validation and reading say the same."""
    findings = Findings()
    try:
        all_of(read_package, verify="full", findings=findings)(path)
        found = tuple(findings.problems)
    except (InvalidModelError, UnsupportedError) as error:
        found = error.problems
    if bool(found) != bool(problems):
        raise Disagreement(f"reading finds {[*map(str, found)][:3]}, validation {[*map(str, problems)][:3]}")


def _verified(_: bytes, path: Path, problems: tuple[Problem, ...]) -> None:
    """What is valid has every digest that its manifest says."""
    _agree(_, path, problems)
    if not problems and verify_package(path).problems:
        raise Disagreement(f"verification finds {verify_package(path).problems[:3]} in a valid package")


TARGETS = (
    Target("package", _validated, packages.mutated, as_folder(), declared=(), judge=_agree, judge_long=_verified, short=200, layouts=("triptych",), longest=1 << 14),
    Target("package-archive", _validated, packages.mutated_archive, as_file("m.triptych"), declared=(), judge=_agree, judge_long=_verified, short=200, layouts=("triptych",), longest=1 << 15),
)
