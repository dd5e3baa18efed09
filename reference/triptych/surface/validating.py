"""Says everything that is wrong with a file, as data."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from os import PathLike
from pathlib import Path

from triptych.checks import check_panels
from triptych.errors import PROBLEM_LIMIT, Findings, InvalidModelError, Problem
from triptych.layouts import own
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Panels
from triptych.surface.opening import recognise


def validate(path: str | PathLike[str], *, full: bool = False, limits: Limits = DEFAULT_LIMITS) -> tuple[Problem, ...]:
    """Every problem of the model at `path`; empty when it is valid.

    Args:
        path: A package or a file of a foreign layout; nothing is written, fetched or executed.
        full: Also read every tensor, and compare its digest or checksum where there is one; otherwise headers, documents and their digests only.
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
        panels = layout.read(target, **({"limits": limits} if "limits" in layout.read_options else {}))
        check_panels(panels, findings)
    except InvalidModelError as error:
        return error.problems
    if full:
        findings.problems.extend(_of_tensors(panels))
    return tuple(findings.problems[:PROBLEM_LIMIT])


def _of_tensors(panels: Panels) -> Iterator[Problem]:
    """What reading every tensor and asset meets."""
    state = None if panels.training is None else panels.training.state
    held = [weights.tensors for weights in (panels.weights, state) if weights is not None]
    for tensor in chain(*(tensors.values() for tensors in held), panels.assets.values()):
        try:
            tensor.read()
        except InvalidModelError as error:
            yield from error.problems
