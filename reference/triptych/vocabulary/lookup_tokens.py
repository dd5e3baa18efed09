"""The tokens of a lookup's vocabulary: they stand in its config, or one a line in an asset of the package."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from triptych.errors import shorten
from triptych.model import Json, Tensor

Tokens = list[str | int]
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)


class VocabularyError(Exception):
    """A vocabulary is not what chapter 25 says; the text says what was expected and what was found."""

    def __init__(self, requirement: str, pointer: str | None, message: str) -> None:
        super().__init__(message)
        self.requirement = requirement
        self.pointer = pointer
        """Into the layer's config; None: the asset as a whole."""


def asset_named(vocabulary: Json) -> str | None:
    """The name of the asset that a config's `vocabulary` stands in; None where it stands in the config, or nowhere."""
    return vocabulary.get("asset", "") if isinstance(vocabulary, Mapping) else None


def tokens_of(config: Mapping[str, Json], assets: Mapping[str, Tensor], *, integers: bool = False) -> Tokens | None:
    """The tokens of a lookup in the order of their indices, without those of masked and unknown ones; None where none are said.

    Args:
        config: Of the lookup.
        assets: Name -> content, as `triptych.model.Panels` has them.
        integers: Whether tokens are integers instead of strings.

    Raises:
        VocabularyError: The asset is missing or no list of tokens, or a token stands twice or is that of masked elements.
    """
    vocabulary = config.get("vocabulary")
    name = asset_named(vocabulary)
    if vocabulary is None:
        return None
    if name is not None and name not in assets:
        raise VocabularyError("LYR-036", "/vocabulary/asset", f"expected the name of an asset of the package, got {shorten(name)}")
    tokens: Tokens = list(vocabulary) if name is None else read_tokens(assets[name].read(), integers=integers)
    reserved = config.get("mask_token")
    first: dict[str | int, int] = {} if reserved is None else {reserved: -1}
    for index, token in enumerate(tokens):
        before = first.setdefault(token, index)
        if before != index:
            what = "as the mask_token" if before < 0 else f"as token {before}"
            message = f"expected tokens that differ from each other and from the mask_token, got {shorten(token)} as token {index} and {what}"
            raise VocabularyError("LYR-038", None if name is not None else f"/vocabulary/{index}", message)
    return tokens


def read_tokens(content: bytes | memoryview, *, integers: bool = False) -> Tokens:
    """The tokens that an asset's `content` lists.

    Raises:
        VocabularyError: It is no list of tokens.
    """
    data = bytes(content)
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise VocabularyError(
            "LYR-037", None, f"expected a vocabulary in UTF-8, got a byte that is not at {error.start}"
        ) from error
    if lines.pop() != "" or not lines:
        message = "expected at least one token, and a line feed after each, got a text that is empty or ends within a line"
        raise VocabularyError("LYR-037", None, message)
    if not integers:
        return [*lines]
    for number, line in enumerate(lines, 1):
        if not _INTEGER.fullmatch(line) or not -(2**63) <= int(line) < 2**63:
            message = f"expected an integer of 64 bits in decimal digits on each line, got {shorten(line)} on line {number}"
            raise VocabularyError("LYR-037", None, message)
    return [int(line) for line in lines]


def asset_of(tokens: Sequence[str | int]) -> Tensor:
    """The asset that lists `tokens`, which `read_tokens` reads back.

    Raises:
        ValueError: A token holds a line feed, so that it can only stand in a config; or there is none.
    """
    lines = [str(token) for token in tokens]
    if not lines:
        raise ValueError("expected at least one token, got none")
    broken = next((line for line in lines if "\n" in line), None)
    if broken is not None:
        raise ValueError(f"expected tokens without line feeds, got {shorten(broken)}")
    data = "".join(f"{line}\n" for line in lines).encode()
    return Tensor("uint8", (len(data),), lambda: memoryview(data))
