"""Every target by its name."""

from __future__ import annotations

from fuzz.target import Target
from fuzz.targets import containers, documents, keras, packages, tensorflow, torch

TARGETS: dict[str, Target] = {one.name: one for room in (documents, containers, packages, keras, tensorflow, torch) for one in room.TARGETS}
