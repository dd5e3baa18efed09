"""Cases of chapter 80: limits, each at its value and one beyond; foreign files that reach for more than data."""

from __future__ import annotations

from collections.abc import Iterable

import cnv
import kit
from kit import Case

MOST = 2**53 - 1


def entry(*shape: int) -> dict:
    size = 0 if 0 in shape else 4
    return {"dtype": "F32", "shape": list(shape), "data_offsets": [0, size]}


def package(header: dict, payload: bytes) -> dict[str, bytes]:
    return kit.package(None, kit.safetensors_raw(header, payload))


def cases() -> Iterable[Case]:
    yield from (case for case in cnv.every() if case.id.startswith("sec-"))
    one = kit.f32([1], 1.0)[2]
    for name, title, good, bad, place in (
        ("axes", "A tensor has {} axes", (1,) * 32, (1,) * 33, "#/a/shape"),
        ("extent", "An extent is {}", (0, MOST), (0, MOST + 1), "#/a/shape"),
        ("elements", "A tensor without elements has axes of {} in all", (MOST, 128, 0), (MOST, 129, 0), "#/a/shape"),
    ):
        words = {"axes": (32, 33), "extent": ("2^53-1", "2^53"), "elements": ("2^60-2^7", "more than 2^60")}[name]
        payload = b"" if 0 in good else one
        yield Case(f"sec-016-{name}-at-limit", title.format(words[0]), ["SEC-016"], package({"a": entry(*good)}, payload),
                   accepted=kit.observe(None, {"a": ("float32", good, payload)}))
        yield Case(f"sec-016-{name}-beyond-limit", title.format(words[1]), ["SEC-016"], package({"a": entry(*bad)}, payload),
                   rejected=("resource", "LIMIT_EXCEEDED", f"model.safetensors{place}"), twin=f"sec-016-{name}-at-limit")
    for count, name in ((1024, "at-limit"), (1025, "beyond-limit")):
        header = {"__metadata__": {f"{number}": "" for number in range(count)}, "a": entry(1)}
        outcome = {"accepted": kit.observe(None, {"a": kit.f32([1], 1.0)})} if name == "at-limit" else {
            "rejected": ("resource", "LIMIT_EXCEEDED", "model.safetensors#/__metadata__"), "twin": "sec-016-metadata-at-limit"}
        yield Case(f"sec-016-metadata-{name}", f"A header has {count} entries of metadata", ["SEC-016"], package(header, one), **outcome)
