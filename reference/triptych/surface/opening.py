"""Opens a model of any layout, recognised by its content."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Literal

from triptych import layouts
from triptych.errors import Problem, UnsupportedError, UsageError, shorten
from triptych.layouts import Layout, architecture_text
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Panels
from triptych.surface.model import Model


def recognise(path: Path) -> Layout:
    """The layout of what stands at `path`, by its first bytes or its members, never by its name.

    Raises:
        FileNotFoundError: Nothing stands there.
        UnsupportedError: No layout is like this.
    """
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
) -> Model:
    """Open the model at `path`, of any layout; reads headers and documents, and tensors only when they are used.

    Args:
        path: A package (folder or archive) or a file of a foreign layout.
        verify: When the digests of a package are checked: each tensor on first use, all before returning, or never.
        limits: What the reader may spend; see `triptych.limits`.
        allow_code: Whether to carry the bytecode of Keras' lambda layers, as inert data that nothing here runs. Otherwise it is
            left out, and `Model.notes` says where.

    Raises:
        InvalidModelError: The file breaks the specification of its layout; ``.problems`` lists how.
        UnsupportedError: No layout is like this, or a limit is exceeded.
        OSError: The file cannot be read.
    """
    target = Path(path)
    layout = recognise(target)
    options = {"verify": verify, "limits": limits, "allow_code": allow_code}
    return Model(layout.read(target, **{name: value for name, value in options.items() if name in layout.read_options}))


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
