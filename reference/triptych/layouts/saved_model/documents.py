"""The documents that we lay beside a graph: its architecture, which the graph itself does not tell any more, and whose each variable is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from triptych.errors import shorten
from triptych.layouts.problems import invalid
from triptych.layouts.saved_model.folder import Folder
from triptych.layouts.saved_model.variables import Variables
from triptych.limits import Limits
from triptych.model import Architecture, Json, Panels, Tensor, Weights

if TYPE_CHECKING:
    from triptych.layouts.saved_model.graph import Variable

ARCHITECTURE = "assets.extra/triptych/architecture.json"
VARIABLES = "assets.extra/triptych/variables.json"
FILES = frozenset({ARCHITECTURE, VARIABLES})


def documents_of(architecture: Architecture, variables: Iterable[Variable]) -> dict[str, bytes]:
    """The files that say what the graph of `architecture` was made of."""
    from triptych.documents import architecture_to_data, dump_json

    said = {one.name: {"tensor": one.tensor, **({} if one.axes is None else {"axes": list(one.axes)})} for one in variables}
    files = {ARCHITECTURE: architecture_to_data(architecture), VARIABLES: said}
    return {name: dump_json(data).encode() for name, data in files.items()}


def read_documents(folder: Folder, variables: Variables, limits: Limits) -> Panels | None:
    """The architecture and the weights of a SavedModel of ours; None if `folder` holds none of our documents.

    Raises:
        InvalidModelError: The documents break the specification, or do not fit the checkpoint.
        UnsupportedError: They exceed a limit.
    """
    if not set(folder.files) >= FILES:
        return None
    from triptych.layouts.architecture_text import architecture_from_text

    architecture = architecture_from_text(folder.small(ARCHITECTURE, limits.document_bytes), "json", ARCHITECTURE)
    said = _mapping(folder.small(VARIABLES, limits.document_bytes))
    tensors = {}
    for key, one in said.items():
        if not isinstance(one, Mapping) or not isinstance(one.get("tensor"), str) or key not in variables.keys:
            raise invalid(VARIABLES, f"expected variables of the checkpoint with the tensors that they hold, got {shorten(one)} for {shorten(key)}")
        tensors[one["tensor"]] = _as_stored(variables.take(key), one.get("axes"))
    return Panels(architecture=architecture, weights=Weights(tensors) if tensors else None, name=architecture.name)


def _mapping(data: bytes) -> Mapping[str, Json]:
    from triptych.documents import parse_json
    from triptych.errors import Findings

    findings = Findings(member=VARIABLES)
    value = parse_json(data, findings)
    findings.raise_if_any()
    if not isinstance(value, Mapping):
        raise invalid(VARIABLES, f"expected an object, got {shorten(value)}")
    return value


def _as_stored(tensor: Tensor, axes: Json) -> Tensor:
    """`tensor` with its axes where they were: axis i of it was axis ``axes[i]``."""
    if axes is None:
        return tensor
    if not isinstance(axes, list) or sorted(map(str, axes)) != sorted(map(str, range(len(tensor.shape)))):
        raise invalid(VARIABLES, f"expected each axis of a tensor of shape {tensor.shape} once, got {shorten(axes)}")
    order = [axes.index(axis) for axis in range(len(axes))]

    def read() -> memoryview:
        return Tensor.from_array(tensor.array().transpose(order)).read()

    return Tensor(tensor.dtype, tuple(tensor.shape[axis] for axis in order), read)
