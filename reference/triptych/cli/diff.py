"""``triptych diff``: where two models differ, and whether they do."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych.errors import InvalidModelError, UsageError, WeightsMismatchError, shorten
from triptych.model import Json, Tensor

if TYPE_CHECKING:
    from triptych.surface.difference import Change, Difference, TensorChange, TensorsDifference
    from triptych.surface.distance import Distance
    from triptych.surface.model import Panel

DESCRIPTION = """\
Compare two models of any layouts, A before and B after: the architecture by names of layers and values, the weights tensor by tensor, the
training with its state. Tensors are the same when they are equal bit by bit; with --atol or --rtol, as numpy.allclose says:
|a - b| <= atol + rtol * |b|, the one left out 0, a NaN equal to a NaN. One tensor of each is in memory at a time.

examples:
  triptych diff old.h5 new.triptych                        what changed, panel by panel
  triptych diff a.pt b.safetensors --only weights --tolerance 1e-6
  triptych diff a.keras b.h5 --ignore extensions.keras     what Keras alone knows of a model is no difference
  triptych diff epoch_1 epoch_2 --format json              for programs; triptych schema reports/diff says its form

exit status: 0 the same, 1 different, 2 wrong usage, 3 could not compare (unreadable, invalid or unknown file)
"""

EPILOG = """\
--format json prints an object: "same"; "compared", the panels; "ignored", the members left out; "missing", each with "panel" and "side" (first, second); "architecture" with
"changes" and "assets"; "weights"; "training" with "changes" and "state".
  changes             a list, each with "kind" (added, removed, changed), "subject", "before_pointer", "after_pointer", "before", "after"
  assets, weights,    "compared", "bit_identical", "within_tolerance" (counts) and "changes", each with "kind", "name",
  state               "before" and "after" (null or "dtype", "shape"), "distance": null or "elements", "differing", "max_abs", "max_rel",
                      "rel_norm" (‖a - b‖ / ‖b‖), "max_ulp" (floats from one to the other at most), "nan" (NaN on one side only),
                      "bit_identical", "close"; what is infinite is the string "Infinity"
"""
ROWS = 100
"""Lines of a table that are printed unless more are asked for."""
WIDEST = 60
"""Columns of a table beyond which a cell pushes what follows it."""
FEW_ULP = 1000
"""Steps between floats that say something to people."""
SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def add(commands: Any) -> None:
    """Add this command's grammar."""
    parser = commands.add_parser(
        "diff",
        help="say where two models differ, and how far their weights are apart",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("first", metavar="A", type=Path)
    parser.add_argument("second", metavar="B", type=Path)
    parser.add_argument("--only", choices=["architecture", "weights", "training"], help="compare this panel alone")
    parser.add_argument("--atol", type=float, help="absolute tolerance of tensors")
    parser.add_argument("--rtol", type=float, help="tolerance of tensors relative to B")
    parser.add_argument("--tolerance", metavar="T", type=float, help="short for --atol T --rtol T")
    parser.add_argument(
        "--ignore",
        metavar="MEMBER",
        action="append",
        default=[],
        help="leave a member of the documents out wherever it stands: metadata, extensions, extensions.keras; may be repeated",
    )
    parser.add_argument("--limit", metavar="N", type=int, default=ROWS, help="lines of each table of the text; 0: all (default: %(default)s)")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="(default: %(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare and say what differs; what is no model can be neither the same nor different."""
    from triptych.cli import complain
    from triptych.surface.difference import diff

    atol, rtol = arguments.atol, arguments.rtol
    if arguments.tolerance is not None:
        if atol is not None or rtol is not None:
            raise UsageError("expected --tolerance, or --atol and --rtol, got both")
        atol = rtol = arguments.tolerance
    if arguments.limit < 0:
        raise UsageError(f"expected --limit from 0 on, got {arguments.limit}")
    try:
        found = diff(arguments.first, arguments.second, only=arguments.only, atol=atol, rtol=rtol, ignore=arguments.ignore)
    except (InvalidModelError, WeightsMismatchError) as error:
        for problem in error.problems:
            complain(str(problem))
        return 3
    print(as_json(found) if arguments.format == "json" else as_text(found, limit=arguments.limit))
    return 0 if found.is_same else 1


def as_json(found: Difference) -> str:
    """The difference as JSON, whose members ``triptych diff --help`` explains; ``schemas/reports/diff.schema.json`` is their form."""
    data = {
        "report": 1,
        "same": found.is_same,
        "compared": list(found.compared),
        "ignored": list(found.ignored),
        "missing": [{"panel": panel, "side": side} for panel, side in found.missing],
        "architecture": {"changes": [_change(one) for one in found.architecture], "assets": _tensors(found.assets)},
        "weights": _tensors(found.weights),
        "training": {"changes": [_change(one) for one in found.training], "state": _tensors(found.state)},
    }
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)


def _change(one: Change) -> dict[str, Json]:
    before, after = one.pointers
    return {
        "kind": one.kind,
        "subject": one.subject,
        "before_pointer": before,
        "after_pointer": after,
        "before": one.before,
        "after": one.after,
    }


def _tensors(found: TensorsDifference) -> dict[str, Json]:
    return {
        "compared": found.compared,
        "bit_identical": found.bit_identical,
        "within_tolerance": found.within_tolerance,
        "changes": [
            {"kind": one.kind, "name": one.name, "before": _tensor(one.before), "after": _tensor(one.after), "distance": _distance(one.distance)}
            for one in found.changes
        ],
    }


def _tensor(one: Tensor | None) -> Json:
    return None if one is None else {"dtype": one.dtype, "shape": list(one.shape)}


def _distance(one: Distance | None) -> Json:
    if one is None:
        return None
    numbers = {"max_abs": one.max_abs, "max_rel": one.max_rel, "rel_norm": one.rel_norm}
    far = {name: "Infinity" if value == inf else value for name, value in numbers.items()}
    counts = {"elements": one.elements, "differing": one.differing}
    return {**counts, **far, "max_ulp": one.max_ulp, "nan": one.nan, "bit_identical": one.is_bit_identical, "close": one.is_close}


def as_text(found: Difference, *, limit: int = ROWS) -> str:
    """The difference for people: a line if there is none, else a table for each panel that differs, cut after `limit` lines if that is not 0."""
    missing = dict(found.missing)
    lines: list[str] = []
    for panel in found.compared:
        if panel in missing:
            lines.append(f"{panel}: {'B' if missing[panel] == 'second' else 'A'} has none")
        elif found.differs(panel):
            lines.append(f"{panel}:")
            changes, tensors = found.of(panel)
            lines += _table([_change_cells(one) for one in changes[: limit or None]], _rest(changes, limit))
            lines += _table([_tensor_cells(one) for one in tensors.changes[: limit or None]], _rest(tensors.changes, limit))
            if tensors.compared or tensors.changes:
                lines.append(f"  {_tally(tensors)}")
        else:
            lines.append(f"{panel}: same{_said(found, panel)}")
    if found.ignored:
        lines.append(f"not compared: {', '.join(map(_printable, found.ignored))}")
    if found.is_same:
        return "\n".join([*lines, "same"]) if lines else "same: neither has an architecture, weights or training"
    return "\n".join([*lines, "different"])


def _rest(changes: Sequence[Change | TensorChange], limit: int) -> str:
    """What is said of the lines that are cut; nothing if none is."""
    cut = changes[limit:] if limit else ()
    counts: Counter[str] = Counter(one.kind for one in cut)
    kinds = ", ".join(f"{counts[kind]:,} {kind}" for kind in SIGNS if counts[kind])
    return f"… and {len(cut):,} more ({kinds}); --limit 0 lists them" if cut else ""


def _said(found: Difference, panel: Panel) -> str:
    _, tensors = found.of(panel)
    return f" ({_tally(tensors)})" if tensors.compared else ""


def _tally(tensors: TensorsDifference) -> str:
    close = f", {tensors.within_tolerance:,} within tolerance" if tensors.within_tolerance else ""
    differ = f", {len(tensors.changes):,} not the same" if tensors.changes else ""
    far = [one for one in tensors.changes if one.distance is not None and one.distance.rel_norm is not None]
    farthest = max(far, key=lambda one: one.distance.rel_norm if one.distance is not None and one.distance.rel_norm is not None else 0.0, default=None)
    most = f"; farthest is {_printable(farthest.name)}" if farthest is not None and len(far) > 1 else ""
    return f"{tensors.compared:,} tensor{'s' * (tensors.compared != 1)} compared, {tensors.bit_identical:,} bit-identical{close}{differ}{most}"


def _change_cells(one: Change) -> tuple[str, ...]:
    pointer = one.pointers[0] if one.pointers[0] is not None else one.pointers[1]
    if one.kind == "changed":
        said = f"{_value(one.before)} → {_value(one.after)}"
    else:
        said = _value(one.before if one.kind == "removed" else one.after)
    return SIGNS[one.kind], _printable(one.subject), _printable(pointer or ""), said


def _value(value: Json) -> str:
    """A value, shortened; of a layer its type."""
    if isinstance(value, dict) and isinstance(value.get("type"), str):
        return _printable(value["type"])
    return _printable(shorten(json.dumps(value, ensure_ascii=False), 62).strip("'")) if isinstance(value, dict | list) else shorten(value, 62)


def _tensor_cells(one: TensorChange) -> tuple[str, ...]:
    dtypes = _arrow(*[None if side is None else side.dtype for side in (one.before, one.after)])
    shapes = _arrow(*[None if side is None else "×".join(map(str, side.shape)) or "scalar" for side in (one.before, one.after)])
    return SIGNS[one.kind], _printable(one.name), dtypes, shapes, _far(one.distance)


def _arrow(before: str | None, after: str | None) -> str:
    return str(before) if before == after or after is None else str(after) if before is None else f"{before} → {after}"


def _far(one: Distance | None) -> str:
    if one is None:
        return ""
    if one.differing is None:
        return "other bytes"
    if not one.differing:
        return "equal values, other bits"
    nan = f", {one.nan:,} NaN on one side" if one.nan else ""
    norm = f", norm {one.rel_norm:.3g}" if one.rel_norm is not None else ""
    ulp = f", {one.max_ulp:,} ulp" if one.max_ulp is not None and one.max_ulp < FEW_ULP else ""
    return f"{one.differing:,} of {one.elements:,} differ, max abs {one.max_abs:.3g}, rel {one.max_rel:.3g}{norm}{ulp}{nan}"


def _table(rows: Sequence[tuple[str, ...]], rest: str) -> list[str]:
    # The last column needs no room, and one wide cell is not to push the others off the screen.
    widths = [min(max(map(len, column)), WIDEST) for column in list(zip(*rows, strict=True))[:-1]]
    lines = ["  " + "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in rows]
    return [*lines, f"  {rest}"] if rest else lines


def _printable(name: str) -> str:
    """`name` with what a terminal would obey escaped."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in name)
