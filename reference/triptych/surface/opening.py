"""Opens a model of any layout, recognised by its content."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Literal

from triptych import layouts
from triptych.errors import Problem, UnsupportedError, UsageError, naming, shorten
from triptych.layouts import Layout, architecture_text
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Panels
from triptych.surface.joining import joined
from triptych.surface.model import Model
from triptych.surface.renaming import Rules, renamed


def recognise(path: Path) -> Layout:
    """The layout of what stands at `path`, by its first bytes or its members, never by its name.

    Raises:
        FileNotFoundError: Nothing stands there.
        UnsupportedError: No layout is like this.
    """
    with naming(path):
        layout = layouts.recognise(path)
    if layout is not None:
        return layout
    known = ", ".join(layout.title for layout in layouts.LAYOUTS)
    found = "a folder without manifest.json" if path.is_dir() else "a file that starts otherwise" if path.stat().st_size else "an empty file"
    raise UnsupportedError((Problem("LAYOUT_UNKNOWN", "", "", f"expected one of {known}; got {found}"),))


def load(
    path: str | PathLike[str],
    *,
    verify: Literal["lazy", "full", "off"] = "lazy",
    limits: Limits = DEFAULT_LIMITS,
    allow_code: bool = False,
    rename: Rules | None = None,
    architecture: str | PathLike[str] | Model | None = None,
) -> Model:
    """Open the model at `path`, of any layout; reads headers and documents, and tensors only when they are used.

    Args:
        path: A package (folder or archive) or a file of a foreign layout.
        verify: When the digests of a package are checked: each tensor on first use, all before returning, or never.
        limits: What the reader may spend; see `triptych.limits`.
        allow_code: Whether to carry the bytecode of Keras' lambda layers, as inert data that nothing here runs. Otherwise it is
            left out, and `Model.notes` says where.
        rename: New names for weights, old → new, or the path of a file that says so; an old name may be a pattern such as ``block.*.weight``,
            the new one then ``block_$1.kernel``. The optimizer's slots and the architecture follow.
        architecture: A model, or a file with an architecture, that weights without one belong to; they are checked name by name and shape
            by shape. What it says of training is taken where the weights come with a training that does not say it.

    Raises:
        InvalidModelError: The file breaks the specification of its layout; ``.problems`` lists how.
        WeightsMismatchError: The weights do not fit the architecture, or the rules not the weights; every difference is listed.
        UnsupportedError: No layout is like this, or a limit is exceeded.
        OSError: The file cannot be read.
    """
    panels = read(Path(path), verify=verify, limits=limits, allow_code=allow_code)
    return Model(fitted(panels, rename=rename, architecture=architecture, limits=limits, allow_code=allow_code))


def read(path: Path, *, verify: Literal["lazy", "full", "off"] = "lazy", limits: Limits = DEFAULT_LIMITS, allow_code: bool = False) -> Panels:
    """The panels of the model at `path`, as it says them; see `load`."""
    layout = recognise(path)
    options = {"verify": verify, "limits": limits, "allow_code": allow_code}
    with naming(path):
        return layout.read(path, **{name: value for name, value in options.items() if name in layout.read_options})


def fitted(
    panels: Panels,
    *,
    rename: Rules | None = None,
    architecture: str | PathLike[str] | Model | None = None,
    limits: Limits = DEFAULT_LIMITS,
    allow_code: bool = False,
) -> Panels:
    """`panels` with their weights renamed, then joined to an architecture; see `load`."""
    if rename is not None:
        panels = renamed(panels, rename)
    if architecture is None:
        return panels
    base = architecture.panels if isinstance(architecture, Model) else read(Path(architecture), limits=limits, allow_code=allow_code)
    return joined(panels, base)


def model_from_json(text: str | bytes, *, allow_code: bool = False) -> Model:
    """The model that architecture text in JSON says: this format's, or Keras' ``to_json`` of any generation.

    Of Keras' text, the bare configuration of a model is understood too, as are text that was encoded twice, NaN and Infinity.
    `allow_code` is as in `load`.

    Raises:
        InvalidModelError: The text breaks the specification; each problem carries a JSON Pointer.
        UnsupportedError: A limit is exceeded.
    """
    return _from_text(text, "json", allow_code=allow_code)


def model_from_yaml(text: str | bytes, *, allow_code: bool = False) -> Model:
    """The model that architecture text in YAML says: this format's, or what Keras 1 and 2 wrote, Python's tuples and all.

    No tag is obeyed: those that stand for data are read as data, others are refused. `allow_code` is as in `load`.

    Raises:
        InvalidModelError: The text breaks the specification, or says something that only one YAML version would read so.
        UnsupportedError: A tag of Keras' text would import or run something; a limit is exceeded.
    """
    return _from_text(text, "yaml", allow_code=allow_code)


def _from_text(text: str | bytes, spelling: Literal["json", "yaml"], *, allow_code: bool) -> Model:
    if not isinstance(text, str | bytes):
        raise UsageError(f"expected architecture text, got {shorten(text)}")
    return Model(Panels(architecture=architecture_text.architecture_from_text(text, spelling, allow_code=allow_code)))
