"""Prints tallies: as a table for people, as a table of Markdown, as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from faults.trials import Tally, outcomes

COLUMNS = ("writer", "operations", "faults", "old", "new", "between", "lost", "leftovers")


def rows_of(tallies: Sequence[Tally]) -> list[tuple[str, ...]]:
    """Heading, a row for each writer, and their sum."""
    rows = [tuple("old kept" if name == "old" else "new complete" if name == "new" else "said so" if name == "between" else name for name in COLUMNS)]
    for one in tallies:
        counts = asdict(one) | {"lost": len(one.lost), "leftovers": len(one.leftovers)}
        rows.append(tuple(f"{counts[name]:,}" if name != "writer" else str(counts[name]) for name in COLUMNS))
    sums = outcomes(tallies)
    return [*rows, ("all", *(f"{sums[name]:,}" for name in COLUMNS[1:]))]


def as_text(tallies: Sequence[Tally]) -> str:
    """The table, and every sentence about what was lost or left."""
    rows = rows_of(tallies)
    widths = [max(len(row[at]) for row in rows) for at in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) if at == 0 else cell.rjust(width) for at, (cell, width) in enumerate(zip(row, widths, strict=True))) for row in rows]
    return "\n".join([*lines, *(said for one in tallies for said in (*one.lost, *one.leftovers))])


def as_markdown(tallies: Sequence[Tally]) -> str:
    """The table."""
    rows = [f"| {' | '.join(row)} |" for row in rows_of(tallies)]
    return "\n".join([rows[0], f"|---|{'---:|' * (len(COLUMNS) - 1)}", *rows[1:]])


def as_json(tallies: Sequence[Tally]) -> str:
    """The tallies, as data."""
    return json.dumps([asdict(one) for one in tallies], indent=2)


FORMATS = {"text": as_text, "markdown": as_markdown, "json": as_json}
