"""The grammar of member names and of tensor names: which strings are names at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator

MANIFEST = "manifest.json"
MIMETYPE = "mimetype"
MIMETYPE_CONTENT = b"application/vnd.triptych+zip"
NAME_BYTES = 1024
"""The longest name of a member or a tensor, in UTF-8: grammar, not a limit."""
SEGMENT_BYTES = 255
"""The longest name of one file that common file systems take."""
SEGMENTS = 16
_FORBIDDEN = frozenset('\\:*?"<>|')
_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in "123456789¹²³")})


def unprintable(text: str) -> bool:
    """Whether `text` holds a control, format, surrogate or private character, or a line or paragraph separator."""
    if text.isascii():
        return not text.isprintable()
    return any(unicodedata.category(character) in _CATEGORIES for character in text)


def member_name_fault(name: str) -> str | None:
    """Why `name` is not the name of a member, as "expected …"; None when it is one."""
    if unprintable(name):
        return "expected a member name of printable characters"
    if not unicodedata.is_normalized("NFC", name):
        return "expected a member name in Unicode normalisation form C"
    if len(name.encode()) > NAME_BYTES:
        return f"expected a member name of at most {NAME_BYTES} bytes, this one has {len(name.encode())}"
    segments = name.split("/")
    if len(segments) > SEGMENTS:
        return f"expected at most {SEGMENTS} segments, this name has {len(segments)}"
    for segment in segments:
        fault = _segment_fault(segment)
        if fault is not None:
            return fault
    return None


def _segment_fault(segment: str) -> str | None:
    if not segment:
        return "expected segments of at least one character between the slashes"
    if segment[0] in ". " or segment[-1] in ". ":
        return "expected segments that neither begin nor end with a dot or a space"
    if not _FORBIDDEN.isdisjoint(segment):
        return r'expected segments without \ : * ? " < > |'
    if len(segment.encode()) > SEGMENT_BYTES:
        return f"expected segments of at most {SEGMENT_BYTES} bytes"
    if segment.partition(".")[0].rstrip(" ").casefold() in _DEVICES:
        return "expected segments that are no device names of Windows"
    return None


def can_be_file(path: str) -> bool:
    """Whether a file can be at `path`, relative, with "/": a foreign file that names it may have said anything."""
    try:
        parts = [part.encode() for part in path.split("/")]
    except UnicodeEncodeError:
        return False
    return "\0" not in path and max(map(len, parts)) <= SEGMENT_BYTES and sum(map(len, parts)) + len(parts) <= NAME_BYTES


def clashes(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of names that one file system or another cannot hold side by side: (later, earlier).

    Two names clash when they or folders of theirs are equal only without regard to case and compatibility forms, and when one
    is a folder of the other.
    """
    seen: dict[str, tuple[str, bool, str]] = {}
    for name in names:
        segments = name.split("/")
        for count in range(1, len(segments) + 1):
            path, is_file = "/".join(segments[:count]), count == len(segments)
            earlier = seen.setdefault(_folded(path), (path, is_file, name))
            if earlier[2] != name and (is_file or earlier[1] or earlier[0] != path):
                yield name, earlier[2]
                break


_IGNORABLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""What Unicode calls default-ignorable, but for characters of the category Cf, which no name of a member has."""


def _folded(name: str) -> str:
    """toNFKC_Casefold of `name`."""
    if name.isascii():
        return name.casefold()
    return unicodedata.normalize("NFKC", _IGNORABLE.sub("", unicodedata.normalize("NFKC", name)).casefold())


def is_undecodable(name: str) -> bool:
    """Whether `name` stands for bytes that are not UTF-8."""
    return any("\ud800" <= character <= "\udfff" for character in name)


def spelled(name: str) -> str:
    """`name` as places spell the name of a member: a backslash, `#`, and what is not printable ASCII, escaped."""
    return "'".join(ascii(part)[1:-1] for part in name.split("'")).replace("#", r"\x23")


def unspelled(place: str) -> str:
    """The name of a member that `spelled` escaped; what is no such text, as it is."""
    try:
        return place.encode("ascii").decode("unicode_escape")
    except UnicodeError:
        return place


def are_plain(texts: Collection[str]) -> bool:
    """Whether all of `texts` are, for certain, names of tensors: ASCII, printable, of 1 to `NAME_BYTES` characters; one pass, whatever their number."""
    joined = "".join(texts)
    return joined.isascii() and joined.isprintable() and min(map(len, texts), default=1) > 0 and max(map(len, texts), default=1) <= NAME_BYTES


def tensor_name_fault(name: str) -> str | None:
    """Why `name` is not the name of a tensor, as "expected …"; None when it is one."""
    if not name:
        return "expected a tensor name of at least one character"
    if unprintable(name):
        return "expected a tensor name of printable characters"
    if not unicodedata.is_normalized("NFC", name):
        return "expected a tensor name in Unicode normalisation form C"
    size = len(name.encode())
    if size > NAME_BYTES:
        return f"expected a tensor name of at most {NAME_BYTES} bytes, this one has {size}"
    return None
