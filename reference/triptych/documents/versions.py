"""The version that every document carries, judged before anything else in it (specification chapter 70)."""

from __future__ import annotations

import re

from triptych.errors import Findings, UnsupportedError, shorten
from triptych.model import Json

FORMAT_VERSION = "1.0"
"""What this package writes; the only version there is."""

_GRAMMAR = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})", re.ASCII)


def check_version(data: Json, findings: Findings) -> None:
    """Stop unless `data` is an object of a version that this reader knows.

    Raises:
        InvalidModelError: It is no object, or says no version.
        UnsupportedError: It says a version that this reader does not know.
    """
    if not isinstance(data, dict):
        findings.fatal("DOC-011", "", f"expected a document to be an object, got {shorten(data)}")
    version = data.get("format_version")
    if "format_version" not in data:
        findings.fatal("VER-001", "", "expected the member format_version, got none")
    if not isinstance(version, str) or not _GRAMMAR.fullmatch(version):
        findings.fatal("VER-002", "/format_version", f"expected MAJOR.MINOR as a string, such as '1.0', got {shorten(version)}")
    if version != FORMAT_VERSION:
        findings.fatal(
            "VER-003", "/format_version", f"expected a version up to {FORMAT_VERSION}, got {version}", error=UnsupportedError
        )
