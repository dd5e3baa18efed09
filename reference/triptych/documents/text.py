"""The bytes of a document as text: size, encoding, and the end of a stage; shared by both spellings."""

from __future__ import annotations

from triptych.errors import PROBLEM_LIMIT, Findings, InvalidModelError, UnsupportedError

_MARKS = {b"\xef\xbb\xbf": "UTF-8", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def too_large(data: bytes, limit: int, findings: Findings) -> None:
    """Refuse `data` of more than `limit` bytes.

    Raises:
        UnsupportedError: It is larger.
    """
    if len(data) > limit:
        findings.fatal(
            "DOC-010", None, f"expected a document of at most {limit} bytes, got {len(data)} bytes", error=UnsupportedError
        )


def decode_text(data: bytes, findings: Findings) -> str:
    """`data` as text.

    Raises:
        InvalidModelError: It is not UTF-8, or begins with a byte order mark.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            findings.fatal("DOC-002", None, f"expected UTF-8 text without a byte order mark, got the mark of {encoding}")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        findings.fatal(
            "DOC-001", None, f"expected UTF-8 text, got byte 0x{data[error.start]:02x} at offset {error.start}: {error.reason}"
        )


def raise_problems(findings: Findings) -> None:
    """End a stage: nothing later can be judged while the reading that `findings` was made for has found problems of its member.

    Raises:
        InvalidModelError: There are some.
    """
    member = findings.member
    if any(
        not member or place == member or place.startswith(f"{member}#")
        for place in (p.place for p in findings.problems[findings.since :])
    ):
        raise InvalidModelError(tuple(findings.problems[:PROBLEM_LIMIT]))
