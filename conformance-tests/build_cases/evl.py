"""Cases of chapter 28: what layers yield. The numbers were computed by the frameworks themselves, see ``freeze/``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import kit
from kit import Case

DATA = Path(__file__).resolve().parents[1] / "freeze" / "data"


def stored(tensors: kit.Json) -> dict[str, kit.TensorSpec]:
    """Tensors from their spelling in bits."""
    return {name: (one["dtype"], one["shape"], b"".join(bytes.fromhex(word)[::-1] for word in one["bits"])) for name, one in tensors.items()}


def evaluation(row: kit.Json) -> Case:
    """One frozen row as a case: a package, inputs, and what the framework made of them."""
    model = kit.package(row["architecture"], stored(row["tensors"]) if row["tensors"] else None)
    files = {f"model/{name}": data for name, data in model.items()} | {"inputs.safetensors": kit.safetensors(stored(row["inputs"]))}
    return Case(f"{row['requirements'][0].lower()}-{row['slug']}", row["title"], row["requirements"], files, op="evaluate", role="evaluator", profile="evaluate",
                accepted={"outputs": row["outputs"]}, tolerance=row["tolerance"])


def cases() -> Iterable[Case]:
    for path in sorted(DATA.glob("*.json")):
        frozen = json.loads(path.read_bytes())
        yield from map(evaluation, frozen["rows"])
