"""Writes a model in the layout that the target's name or the caller asks for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from triptych.errors import SaveError, UsageError
from triptych.layouts import LAYOUTS, Layout, recognise
from triptych.layouts.layout import Outline
from triptych.model import Panels
from triptych.surface.releasing import releasing

if TYPE_CHECKING:
    from triptych.surface.model import Model

Progress = Callable[[int, int, str], None]
"""Called with bytes done, bytes in all, and what is being written."""


def target_layout(path: Path, name: str | None) -> Layout:
    """The layout to write to `path`: the one called `name`, or else the one its suffix stands for.

    Raises:
        UsageError: No layout has this name, or none this suffix.
    """
    if name is not None:
        for layout in LAYOUTS:
            if layout.name == name:
                return layout
        raise UsageError(f"expected a layout of {', '.join(x.name for x in LAYOUTS)}; got {name!r}")
    fitting = [
        (len(suffix), layout) for layout in LAYOUTS for suffix in layout.suffixes if (path.name.endswith(suffix) if suffix else not path.suffix)
    ]
    if fitting:
        return max(fitting, key=lambda pair: pair[0])[1]
    known = ", ".join(s or "none (a folder)" for x in LAYOUTS for s in x.suffixes)
    raise UsageError(f"expected a suffix of {known}; got {path.name!r} (or say which layout)")


def save(
    model: Model,
    path: str | PathLike[str],
    *,
    layout: str | None = None,
    overwrite: bool = True,
    only: Literal["architecture", "weights", "training"] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> tuple[str, ...]:
    """Write `model` to `path`, whole or not at all: until the new file is complete and durable, the old one stands.

    Args:
        model: What to write.
        path: ``name.triptych`` for an archive, ``name`` without a suffix for a folder, ``name.h5`` for Keras HDF5, ``name.keras`` for an archive of Keras 3 …
        layout: The layout's name, where the suffix does not say it.
        overwrite: Whether what stands at `path` may be replaced; if not, a person at a terminal is asked, and a script gets an
            error. A folder that is no package never is.
        only: Write this panel alone.
        progress: Called as bytes are written.
        **options: The layout's own, such as ``max_shard_bytes``, ``spelling="yaml"``, ``dialect="keras3"``.

    Returns:
        Sentences that name what the layout could not keep; empty when all was kept.

    Raises:
        UsageError: The layout is unknown, or the target exists and may not be replaced.
        ConversionError: The layout cannot hold this model.
        SaveError: The file system refused; the old file is intact.
    """
    target = Path(path)
    chosen = target_layout(target, layout)
    try:
        return _saved(model, target, chosen, overwrite=overwrite, only=only, progress=progress, **options)
    except SaveError:
        raise
    except OSError as error:  # of looking at what stands there: who writes makes a SaveError of its own, that says what has become of it
        raise SaveError(error.errno, f"expected to write {str(target)!r}, got: {error.strerror or error}; nothing was written") from error


def _saved(
    model: Model, target: Path, chosen: Layout, *, overwrite: bool, only: Literal["architecture", "weights", "training"] | None, **options: Any
) -> tuple[str, ...]:
    if not overwrite and chosen.stands_at(target):
        if sys.stdin is None or not sys.stdin.isatty():
            raise UsageError(f"expected no file at {str(target)!r}, one is there; pass overwrite=True to replace it")
        if not _agreed(target):
            return (f"everything: {str(target)!r} was kept as it was, as you chose",)
        overwrite = True
    panels = releasing(restrict(model.panels, only, chosen))
    return chosen.write(panels, target, overwrite=overwrite, **_with_restriction(options, only, chosen))


def outline(panels: Panels, path: Path, *, layout: str | None = None, only: Literal["architecture", "weights", "training"] | None = None, **options: Any) -> Outline:
    """What `save` would store of `panels` at `path`, tensor by tensor, and what it would say was not kept; nothing is written.

    Raises:
        UsageError: The layout is unknown, or files stand at `path` that would not be replaced.
        ConversionError: The layout cannot hold this model.
    """
    chosen = target_layout(path, layout)
    if chosen.outline is None:
        raise UsageError(f"expected a layout that tells beforehand what it stores, got {chosen.title}")
    if not chosen.is_prefix and path.is_dir() and any(path.iterdir()) and recognise(path) is not chosen:
        raise UsageError(f"expected nothing, an empty folder or a {chosen.title} at {str(path)!r}, other files are in it; it is not replaced")
    return chosen.outline(restrict(panels, only, chosen), path, **_with_restriction(options, only, chosen))


def _with_restriction(options: dict[str, Any], only: str | None, layout: Layout) -> dict[str, Any]:
    """`options`, saying also that other panels stay behind on purpose, where the layout still sees them."""
    return {**options, "weights_only": True} if only == "weights" and layout.needs_architecture else options


def _agreed(target: Path) -> bool:
    """Whether the person at the terminal wants `target` replaced; asked until the answer is one."""
    while (answer := input(f"{str(target)!r} exists. Replace it? [y/n] ").strip().lower()) not in ("y", "yes", "n", "no"):
        pass
    return answer.startswith("y")


def restrict(panels: Panels, only: str | None, layout: Layout) -> Panels:
    """`panels` with the panel `only` alone; a layout that orders weights by the architecture still gets to see it."""
    if only is None:
        return panels
    if getattr(panels, only) is None:
        raise UsageError(f"expected a model with {only}, this one has none")
    kept = {"architecture", only} if only == "weights" and layout.needs_architecture else {only}
    return replace(
        panels,
        architecture=panels.architecture if "architecture" in kept else None,
        weights=panels.weights if "weights" in kept else None,
        training=panels.training if "training" in kept else None,
    )
