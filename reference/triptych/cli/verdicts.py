"""What ``triptych summary --for FRAMEWORK`` prints: the verdict on each layer and operation, on the optimizer and on each loss."""

from __future__ import annotations

import json
from collections import Counter

from triptych.errors import UsageError
from triptych.model import Json
from triptych.surface.model import Model
from triptych.vocabulary import verdicts


def _row(name: str, type_: str, rule: verdicts.Rule) -> dict[str, Json]:
    row: dict[str, Json] = {"name": name, "type": type_, "verdict": rule.verdict, "how": rule.how}
    if rule.bound:
        row["bound"] = rule.bound
    if rule.training:
        row["while"] = "training"
    return row


def data(model: Model, framework: str) -> dict[str, Json]:
    """The verdicts as plain data.

    Raises:
        UsageError: There is no architecture to judge.
    """
    if model.architecture is None:
        raise UsageError("expected a model with an architecture, this one has none")
    key = verdicts.NAMES[framework]
    layers = [_row(one.path, one.type, one.rule) for one in verdicts.of_layers(key, model.architecture)]
    whole: dict[str, Json] = {"framework": key, "layers": layers}
    if operations := [_row(one.path, one.type, one.rule) for one in verdicts.of_operations(key, model.architecture)]:
        whole["operations"] = operations
    if model.training is not None and (optimizer := model.training.optimizer) is not None:
        whole["optimizer"] = _row(optimizer.type, optimizer.type, verdicts.of_optimizer(key, optimizer.type, optimizer.config))
    if model.training is not None and model.training.losses:
        whole["losses"] = [
            {**_row(one.type, one.type, verdicts.of_loss(key, one.type, one.config)), **({"output": one.output} if one.output is not None else {})}
            for one in model.training.losses
        ]
    return whole


def as_json(model: Model, framework: str) -> str:
    """The verdicts as JSON."""
    return json.dumps(data(model, framework), indent=2, ensure_ascii=False)


def as_text(model: Model, framework: str) -> str:
    """The verdicts as a table, one line a layer, operation, optimizer or loss, and how many of each there are."""
    found = data(model, framework)
    rows = [*found["layers"], *found.get("operations", []), *([found["optimizer"]] if "optimizer" in found else []), *found.get("losses", [])]
    cells = [("Layer", "Type", f"For {found['framework']}", "How")]
    for row in rows:
        said = row["how"] + (f"; departs by at most {row['bound']}" if "bound" in row else "") + (" (while training)" if "while" in row else "")
        name = row["name"] + (f" of {row['output']}" if "output" in row else "")
        cells.append((_printable(name), _printable(row["type"]), row["verdict"], _printable(said)))
    widths = [max(len(line[column]) for line in cells) for column in range(3)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[3]]).rstrip() for line in cells]
    counts = Counter(row["verdict"] for row in rows)
    total = ", ".join(f"{counts[verdict]} {verdict}" for verdict in verdicts.RANKS if counts[verdict])
    return "\n".join([lines[0], "━" * len(lines[0]), *lines[1:], "", total or "no layers"])


def _printable(name: str) -> str:
    """`name` with what a terminal would obey escaped."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in name)
