"""Cases of chapter 90: what a reader, a validator and a writer owe whoever runs them."""

from __future__ import annotations

from collections.abc import Iterable

import kit
from kit import Case

ARCHITECTURE = {
    "format_version": "1.0",
    "inputs": [{"name": "x", "shape": [None, 2]}],
    "layers": [{"name": "dense", "type": "Dense", "config": {"units": 2}}],
}
TENSORS = {"dense.kernel": kit.f32([2, 2], 1.0, -2.0, 0.5, 0.0), "dense.bias": kit.f32([2], 0.25, -0.0)}
SEEN = kit.observe(ARCHITECTURE, TENSORS)


def cases() -> Iterable[Case]:
    yield Case("cnf-001-one-layer", "A package of one layer and its weights", ["CNF-001", "CNF-002"],
               kit.package(ARCHITECTURE, TENSORS), accepted=SEEN)
    yield Case("cnf-001-one-layer-archive", "The same package as an archive", ["CNF-001"],
               {kit.ARCHIVE: kit.archive(kit.package(ARCHITECTURE, TENSORS))}, accepted=SEEN, profile="archive")
