"""Texts taken apart into tokens: standardised, split, joined to n-grams."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from triptych.model import Json

PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""What `strip_punctuation` takes away."""
_LOWER = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_NOTHING = dict.fromkeys(map(ord, PUNCTUATION), "")
_WORD = re.compile(r"[^ \t\n\v\f\r]+")


def standardized(text: str, how: str | None) -> str:
    """`text` as the member `standardize` says; only letters of ASCII have a lower case here."""
    changes = {"lower": _LOWER, "strip_punctuation": _NOTHING, "lower_and_strip_punctuation": _LOWER | _NOTHING}
    return text if how is None else text.translate(changes[how])


def split(text: str, how: str) -> list[str]:
    """The words or the characters of `text`."""
    if how == "whitespace":
        return _WORD.findall(text)
    return list(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def n_grams(tokens: Sequence[str], widths: Iterable[int]) -> list[str]:
    """For each of `widths`, every so many neighbouring tokens, joined with a space."""
    return [" ".join(tokens[start : start + width]) for width in widths for start in range(len(tokens) - width + 1)]


def tokenized(rows: Sequence[str] | Sequence[Sequence[str]], config: Mapping[str, Json]) -> list[list[str]]:
    """The tokens of each row, which is one text, or, where nothing is split, the tokens before they are standardised."""
    how, widths = config["standardize"], config["ngrams"]
    if config["split"] is None:
        found = [[standardized(token, how) for token in row] for row in rows]
    else:
        found = [split(standardized(str(row), how), config["split"]) for row in rows]
    return found if widths is None else [n_grams(tokens, widths) for tokens in found]
