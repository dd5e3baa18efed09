"""What ``triptych convert --dry-run`` prints: which tensor goes where and how it changes, and what is not kept."""

from __future__ import annotations

import json
from collections import Counter

from triptych.layouts import Layout
from triptych.model import Json
from triptych.surface.preview import Preview, Row, Source


def as_json(preview: Preview, source: tuple[str, Layout], target: tuple[str, Layout]) -> str:
    """The preview as JSON, whose members ``triptych convert --help`` explains."""
    sources = _sources(preview)
    ends = [
        {"path": path, "layout": layout.name, "tensors": count, "bytes": size}
        for (path, layout), count, size in (
            (source, len(sources), sum(one.tensor.nbytes for one in sources)),
            (target, len(preview.rows), sum(row.stored.tensor.nbytes for row in preview.rows)),
        )
    ]
    data: dict[str, Json] = {
        "report": 1,
        "source": ends[0],
        "target": ends[1],
        "tensors": [_row(row) for row in preview.rows],
        "left": [_source(one) for one in preview.left],
        "not_kept": list(preview.notes),
    }
    return json.dumps(data, indent=2, ensure_ascii=False)


def _row(row: Row) -> dict[str, Json]:
    stored = row.stored
    return {
        "target": stored.name,
        "member": stored.member,
        "dtype": stored.tensor.dtype,
        "shape": list(stored.tensor.shape),
        "sources": [_source(one) for one in row.sources],
        "changes": list(row.changes),
    }


def _source(source: Source) -> dict[str, Json]:
    return {"name": source.name, "panel": source.panel, "dtype": source.tensor.dtype, "shape": list(source.tensor.shape)}


def as_text(preview: Preview, source: tuple[str, Layout], target: tuple[str, Layout]) -> str:
    """The preview as a table, one line a tensor, for people."""
    cells: list[tuple[str, ...]] = [("source", "dtype", "shape", "", "target", "dtype", "shape", "change")]
    member = ""
    lines: list[int] = []
    for row in preview.rows:
        if row.stored.member != member:
            member = row.stored.member
            lines.append(len(cells))
            cells.append((f"in {_printable(member)}:", *[""] * 7))
        before = [_described(one) for one in row.sources] or [("—", "", "")]
        stored = row.stored.tensor
        said = ", ".join(change for change in row.changes if change != "renamed")
        cells.append((*before[0], "→", _printable(row.stored.name), stored.dtype, _shape(stored.shape), said))
        cells += [(*one, "↗", "", "", "", "") for one in before[1:]]
    cells += [(*_described(one), "✗", "", "", "", "left") for one in preview.left]
    widths = [max((len(line[column]) for at, line in enumerate(cells) if at not in lines), default=0) for column in range(8)]
    table = [line[0] if at in lines else "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for at, line in enumerate(cells)]
    sources = _sources(preview)
    ends = (
        f"{source[1].title}, {_amount(len(sources), sum(one.tensor.nbytes for one in sources))} → "
        f"{target[1].title}, {_amount(len(preview.rows), sum(row.stored.tensor.nbytes for row in preview.rows))}"
    )
    counts = Counter(change for row in preview.rows for change in row.changes) + Counter({"left": len(preview.left)})
    said = ", ".join(f"{count} {change}" for change, count in counts.items())
    found = [*table, ""] if len(cells) > 1 else []
    return "\n".join([*found, f"{_printable(source[0])} → {_printable(target[0])}: {ends}", *([said] if said else []), "nothing was written"])


def _sources(preview: Preview) -> list[Source]:
    found = {id(one): one for row in preview.rows for one in row.sources} | {id(one): one for one in preview.left}
    return list(found.values())


def _described(source: Source) -> tuple[str, str, str]:
    return _printable(source.name), source.tensor.dtype, _shape(source.tensor.shape)


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "scalar"


def _amount(count: int, size: int) -> str:
    return f"{count:,} tensor{'s' * (count != 1)}, {size:,} bytes"


def _printable(name: str) -> str:
    """`name` with what a terminal would obey escaped."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in name)
