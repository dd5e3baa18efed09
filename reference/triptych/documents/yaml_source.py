"""Notices in YAML text what the parser admits and the specification does not (DOC-018 of chapter 10)."""

from __future__ import annotations

import re
from typing import Any

_ESCAPED_SLASH = re.compile(r"(?<!\\)(?:\\\\)*\\/")
_TOUCHED = re.compile(r"\S#")
_FIRST_HASH_TOUCHED = re.compile(r"^[^#\n]*[^\s#]#", re.MULTILINE)


class YamlSource:
    """A text beside the events that its parser yields in order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.split("\n")
        self._of_quoted: set[int] = set()
        """Numbers of the lines on which a quoted scalar goes on."""
        self._position = 0
        """Where the last scalar ended."""
        self._between: list[str] | None = [] if _TOUCHED.search(text) else None
        """The text without its scalars; None where no comment can touch what stands before it."""

    def character_fault(self) -> str | None:
        """Where a character stands that no text may hold."""
        at = self._text.find("\ufeff")
        return None if at < 0 else f"expected U+FEFF to be escaped in double quotes, got it as it is in line {self._text.count(chr(10), 0, at) + 1}"

    def scalar_fault(self, event: Any, around: int | None) -> str | None:
        """What is wrong with the text of a scalar; `around` is the column of the block collection that it stands in, if it stands in one."""
        begin, end = event.start_mark, event.end_mark
        quoted = event.style in ("'", '"')
        if quoted and begin.line != end.line:
            self._of_quoted.update(range(begin.line + 1, end.line + 1))
        if self._between is not None:
            head, line_feed, _ = self._text[begin.index : end.index].partition("\n") if event.style in ("|", ">") else ("s", "", "")
            self._between += (self._text[self._position : begin.index], "\n" * (end.line - begin.line - len(line_feed)), head, line_feed)
            self._position = end.index
        if event.style == '"' and _ESCAPED_SLASH.search(self._text, begin.index, end.index):
            return f"expected a slash without a backslash, as not every version of YAML knows the escape, got it in line {begin.line + 1}"
        return None if event.style in ("|", ">") else self._indentation_fault(begin.line, end.line, around)

    def flow_fault(self, first: int, last: int, around: int | None) -> str | None:
        """What is wrong with the lines from `first` to `last` of a flow collection."""
        return self._indentation_fault(first, last, around, comments=True)

    def comment_fault(self) -> str | None:
        """Where a comment touches what stands before it; to be asked at the end."""
        if self._between is None:
            return None
        between = "".join((*self._between, self._text[self._position :]))
        found = _FIRST_HASH_TOUCHED.search(between)
        return None if found is None else f"expected a space before a comment, got none in line {between.count(chr(10), 0, found.end()) + 1}"

    def _indentation_fault(self, first: int, last: int, around: int | None, *, comments: bool = False) -> str | None:
        """Further lines stand right of the block collection around; with `comments`, those of nothing but a comment need not."""
        if first == last or around is None:
            return None
        for number in range(first + 1, last + 1):
            line = self._lines[number].rstrip("\r") if number < len(self._lines) else ""
            content = line.lstrip(" ")
            if not content or (comments and content[0] == "#" and number not in self._of_quoted):
                continue
            if len(line) - len(content) <= around:
                return f"expected more than {around} spaces before what goes on in line {number + 1}, got fewer"
        return None
