"""Stands in for the checks until they are written."""

from __future__ import annotations

from typing import Any

try:
    from triptych.checks import check_architecture, check_panels  # type: ignore[attr-defined]
except ImportError:

    def check_architecture(*_: Any) -> None:
        """Nothing."""

    def check_panels(*_: Any) -> None:
        """Nothing."""
