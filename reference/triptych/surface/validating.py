"""Says everything that is wrong with a file, as data."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from triptych.checks import check_panels
from triptych.errors import Findings, InvalidModelError, Problem
from triptych.layouts import own
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.surface.opening import recognise


def validate(path: str | PathLike[str], *, full: bool = False, limits: Limits = DEFAULT_LIMITS) -> tuple[Problem, ...]:
    """Every problem of the model at `path`; empty when it is valid.

    Args:
        path: A package or a file of a foreign layout; nothing is written, fetched or executed.
        full: Also read every tensor and compare its digest; otherwise headers, documents and their digests only.
        limits: What the reader may spend.

    Raises:
        UnsupportedError: The file could not be judged: no known layout, or over a limit. It is not thereby valid.
        OSError: The file cannot be read.
    """
    target = Path(path)
    layout = recognise(target)
    if layout is own.LAYOUT:
        from triptych import package

        return package.validate_package(target, limits=limits, full=full)
    findings = Findings()
    try:
        check_panels(layout.read(target), findings)
    except InvalidModelError as error:
        return error.problems
    return tuple(findings.problems)
