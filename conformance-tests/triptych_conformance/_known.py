"""Known failures: the implementer's file of cases that fail, each with a reason (``case-id = "reason"``, TOML)."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from triptych_conformance import _files, _report
from triptych_conformance._cases import Suite

Json = Any
HEAD = "# Cases that fail, and why. Written by `triptych-conformance run --write-known-failures`; replace each reason by yours."


class KnownFailuresError(Exception):
    """The file cannot be used as it is."""


def read_known(path: Path | None, suite: Suite) -> dict[str, str]:
    """Case -> reason.

    Raises:
        KnownFailuresError: `path` cannot be read, lacks a reason, or names what is no case of `suite`.
    """
    if path is None:
        return {}
    try:
        known = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise KnownFailuresError(f"{path}: {error}") from error
    if wrong := [name for name, reason in known.items() if not isinstance(reason, str) or not reason]:
        raise KnownFailuresError(f"{path}: a reason is needed for {', '.join(wrong)}")
    if withdrawn := sorted(known.keys() & suite.withdrawn.keys()):
        raise KnownFailuresError(f"{path}: withdrawn: {', '.join(f'{name} ({suite.withdrawn[name]})' for name in withdrawn)}")
    if unknown := sorted(known.keys() - {case.id for case in suite.cases}):
        raise KnownFailuresError(f"{path}: no such case: {', '.join(unknown)}")
    return known


def write_known(path: Path, report: Json, failed: set[str]) -> None:
    """Writes to `path` the cases of `report` that `failed`, with the reasons that were known before or what happened now."""
    lines = [HEAD]
    for one in report["results"]:
        if one["case"] in failed:
            reason = one.get("known") or f"{_report.outcome(one, report)}: {one.get('detail', '')}".strip()
            lines.append(f"{one['case']} = {json.dumps(' '.join(reason.split())[:200])}")
    _files.replace(path, "\n".join(lines) + "\n")
