"""Which paths lie beneath which: JSON Pointers, names of files, paths of groups, all with a slash between their parts."""

from __future__ import annotations

from collections.abc import Iterable


def above(path: str) -> set[str]:
    """The paths that `path` lies beneath, the empty one among them."""
    return {path[:at] for at, character in enumerate(path) if character == "/"} | ({""} if path else set())


def leading_to(paths: Iterable[str]) -> set[str]:
    """`paths`, and those that one of them lies beneath: looked up instead of compared with each, which takes hours where there are many of both."""
    return {one for path in paths for one in (path, *above(path))}
