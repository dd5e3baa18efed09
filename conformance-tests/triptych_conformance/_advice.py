"""Names the mistakes that everybody makes with a first adapter, from the line that it wrote."""

from __future__ import annotations

import json

EMPTY = "the line is empty; one answer is one line, with nothing between answers"
MARKED = "the line begins with a byte order mark; write UTF-8 without one"
UTF16 = "this is UTF-16; write UTF-8"
LATIN = "this is not UTF-8; write UTF-8, or escape what is not ASCII"
SPREAD = "the JSON goes on in the next line; write each answer on one line, without indentation"
BANNER = "standard output is for answers alone; write banners, logs and warnings to standard error"
QUOTED = "JSON has double quotes; write the object with a JSON library instead of printing it"
TWICE = "more than one JSON value is on the line; end each answer with a line break"
CONSTANT = "NaN and Infinity are not JSON; elements are spelled as bits in hexadecimal"


def advice(line: bytes) -> str:
    """What is wrong with `line`, which is not JSON; an empty text if it is none of the usual mistakes."""
    if not line.strip():
        return EMPTY
    if line.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in line[:4]:
        return UTF16
    if line.startswith(b"\xef\xbb\xbf"):
        return MARKED
    try:
        text = line.decode().strip()
    except UnicodeDecodeError:
        return LATIN
    if not text.startswith("{"):
        return SPREAD if text.startswith(("[", '"', "}")) else BANNER
    if text[1:].lstrip().startswith("'"):
        return QUOTED
    try:
        _, end = json.JSONDecoder(parse_constant=_refuse).raw_decode(text)
    except json.JSONDecodeError as error:
        return SPREAD if error.pos >= len(text) - 1 else ""
    except ValueError:
        return CONSTANT
    return TWICE if end < len(text) else ""


def _refuse(name: str) -> object:
    raise ValueError(name)
