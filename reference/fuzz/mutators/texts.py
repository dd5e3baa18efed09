"""Changes of text by lines and tokens: YAML, text format of messages, lists of tokens."""

from __future__ import annotations

from random import Random

from fuzz.mutators import blind

YAML = tuple(
    one.encode()
    for one in (
        "- ", ": ", "? ", "&a ", "*a", "!!", "!!python/object:os.system ", "!!python/tuple", "!!python/unicode ", "<<: *a", "%YAML 1.1\n", "---\n", "...\n", "|\n", ">-\n", "{", "}", "[", "]", ",", "'", '"',
        "\t", "#", "~", "null", "no", "0o17", "0x1F", "1_000", "1:30", ".inf", ".nan", "1e3", "2024-01-01", "\\x41", "\\u263a", "=", "!<tag:yaml.org,2002:str> ", "@", "`", "\u2028", "[" * 140,
    )
)  # fmt: skip


def mutated(data: bytes, rng: Random, words: tuple[bytes, ...] = YAML) -> bytes:
    """A text like `data`."""
    if rng.random() < 0.5:
        return blind.mutated(data, rng, words)
    lines = data.split(b"\n")
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(lines))
        kind = rng.randrange(6)
        if kind == 0:
            lines.insert(at, lines[rng.randrange(len(lines))])
        elif kind == 1 and len(lines) > 1:
            del lines[at]
        elif kind == 2:
            lines[at] = b" " * rng.choice((1, 2, 4)) + lines[at]
        elif kind == 3:
            lines[at] = lines[at].removeprefix(b" " * rng.choice((1, 2, 4)))
        elif kind == 4:
            name, colon, value = lines[at].partition(b": ")
            lines[at] = name + colon + rng.choice((rng.choice(words), value + rng.choice(words), b"", lines[rng.randrange(len(lines))].partition(b": ")[2]))
        else:
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
    return b"\n".join(lines)
