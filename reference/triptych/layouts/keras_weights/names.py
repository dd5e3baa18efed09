"""What the name under which Keras stored a weight says of its layer and its role.

Every generation names differently: ``dense_1_W:0`` (Keras 1), ``dense_1/kernel:0`` (2), ``bi/forward_gru/gru_cell_1/kernel:0``
(TensorFlow 2), ``model/bi/forward_gru/gru_cell/kernel`` (3). Names are labels: the position decides where they say nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType

from triptych.checks import LOOKUPS
from triptych.model import Json

_COUNTER = re.compile(r":\d+$")
_CELL = re.compile(r"(lstm|gru|simple_rnn)_cell(_\d+)?$")
_KERAS_1 = re.compile(
    r"(?P<layer>.*)_(?P<role>W|b|U|gamma|beta|running_mean|running_std|alphas|depthwise_kernel|pointwise_kernel)$"
)
_KERAS_1_ROLES = {
    "W": "kernel",
    "U": "recurrent_kernel",
    "b": "bias",
    "running_mean": "moving_mean",
    "running_std": "moving_variance",
    "alphas": "alpha",
}
"""Keras 1 roles -> today's. ``running_std`` never was a standard deviation: it is the variance."""
CELLS = {"LSTM": "lstm_cell", "GRU": "gru_cell", "SimpleRNN": "simple_rnn_cell"}
"""Layer types whose weights belong, since TensorFlow 2.4, to a cell inside the layer."""
ROLE_SYNONYMS = {"embeddings": {"kernel"}, "alpha": {"alphas"}, "kernel": {"depthwise_kernel"}}
"""Today's role -> other last words that stood for it."""

_NONE: Mapping[tuple[str, ...], str] = MappingProxyType({})
_PROJECTIONS = {"query": "query", "key": "key", "value": "value", "attention_output": "output"}
"""Scopes inside a layer of several heads -> how its roles begin."""


def parse(name: str) -> tuple[tuple[str, ...], str]:
    """The scopes and the role in a stored weight's name: ``l/lstm_cell/kernel:0`` is (("l", "lstm_cell"), "kernel")."""
    *scopes, last = _COUNTER.sub("", name).split("/")
    if not scopes and (match := _KERAS_1.fullmatch(last)):
        return (match["layer"],), _KERAS_1_ROLES.get(match["role"], match["role"])
    return tuple(scopes), last


def says_role(scopes: Sequence[str], stored: str, role: str) -> bool:
    """Whether the last word `stored` of a name, after `scopes`, stands for `role`."""
    if stored == role or stored in ROLE_SYNONYMS.get(role, ()):
        return True
    return bool(scopes) and f"{_PROJECTIONS.get(scopes[-1])}_{stored}" == role


def default_name(lineage: Sequence[str], layer_type: str, role: str, *, dialect: str, parts: Mapping[tuple[str, ...], str] = _NONE) -> str:
    """The name that Keras gives the weight `role` of the layer at `lineage`, names of layers and sublayer roles outermost first.

    A sublayer role is marked by a leading "@"; of nested layers Keras 2 says only the innermost. `parts` are the names of what has none
    in the document, by its lineage.
    """
    if role == "idf_weights" and dialect != "keras3" and layer_type in LOOKUPS:
        return "Variable:0"  # made without a name, under that of the outermost layer alone
    owner = max((index for index, part in enumerate(lineage) if not part.startswith("@")), default=0)
    scopes = [*(lineage if dialect == "keras3" else lineage[owner:])]
    words = []
    for index, part in enumerate(scopes):
        if not part.startswith("@"):
            words.append(part)
        elif dialect == "keras3" or part.startswith(("@cell", "@forward", "@backward")):
            type_name = layer_type if index == len(scopes) - 1 else "StackedRNNCells" if part == "@cell" else "Layer"
            words.append(parts.get(tuple(lineage[: len(lineage) - len(scopes) + index + 1])) or _part_name(part, type_name))
    if dialect == "keras3" and layer_type.startswith("ConvLSTM"):
        words.append("conv_lstm_cell")
    elif layer_type in CELLS:
        words.append(CELLS[layer_type])
    if layer_type in ("MultiHeadAttention", "GroupQueryAttention"):
        projection, _, role = role.rpartition("_")
        words.append("attention_output" if projection == "output" else projection)
    if layer_type.startswith("Depthwise") and role == "kernel" and dialect != "keras3":
        role = "depthwise_kernel"
    return "/".join([*words, role]) + ("" if dialect == "keras3" else ":0")


def _part_name(part: str, type_name: str) -> str:
    """The name of a part that is the first of its kind: of type `type_name` in the role `part`."""
    return _in_role(part, snake(type_name))


def _in_role(part: str, name: str) -> str:
    return f"{part[1:]}_{name}" if part in ("@forward", "@backward") else name


def part_names(parts: Iterable[tuple[tuple[str, ...], str]]) -> dict[tuple[str, ...], str]:
    """Lineage -> name, of the cells and layers among `parts` (lineage, type) that the document gives none: by class, counted over the model.

    What is backward is called like what is forward, of which Keras makes it.
    """
    used: Counter[str] = Counter()
    names: dict[tuple[str, ...], str] = {}
    stems: dict[tuple[str, ...], str] = {}
    for lineage, type_name in parts:
        part = lineage[-1]
        if not part.startswith("@"):
            continue
        like = tuple("@forward" if one == "@backward" else one for one in lineage)
        if like not in stems:
            stem = snake(type_name)
            stems[like] = f"{stem}_{used[stem]}" if used[stem] else stem
            used[stem] += 1
        names[lineage] = _in_role(part, stems[like])
    return names


def snake(name: str) -> str:
    """A class name as Keras turns it into a default layer name: ``Conv2DTranspose`` is ``conv2d_transpose``."""
    spaced = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", spaced).lower()


def tensor_names(layer: str, stored: Sequence[str]) -> list[str]:
    """Tensor names for weights of which nothing but their names is known: ``<layer>.<path>``, as canonical as the names allow.

    Where the file holds no architecture, these agree with the names that an architecture would give wherever the layer is a plain one.
    """
    parsed = [parse(name) for name in stored]
    both_ways = {d for d in ("forward", "backward") if any(part.startswith(f"{d}_") for scopes, _ in parsed for part in scopes)}
    separable = any(role == "pointwise_kernel" for _, role in parsed)
    names = []
    for scopes, stored_role in parsed:
        role = "kernel" if stored_role == "depthwise_kernel" and not separable else stored_role
        words = list(scopes)
        layer_words = layer.split("/")
        if words[: len(layer_words)] == layer_words:
            words = words[len(layer_words) :]
        words = [word for word in words if not _CELL.fullmatch(word)]
        if len(both_ways) == 2:
            words = [word.split("_")[0] if word.startswith(("forward_", "backward_")) else word for word in words]
        names.append(".".join([layer, *words, role]))
    return names


def unique(names: Iterable[str]) -> list[str]:
    """`names` fit for tensors (NFC, no control characters, at most 1024 bytes) and made distinct by counters."""
    taken: set[str] = set()
    result = []
    for name in names:
        clean = name if name.isascii() and name.isprintable() and 0 < len(name) <= 1000 else _clean(name)
        candidate, counter = clean, 1
        while candidate in taken:
            counter += 1
            candidate = f"{clean}_{counter}"
        taken.add(candidate)
        result.append(candidate)
    return result


def _clean(name: str) -> str:
    plain = "".join("_" if unicodedata.category(c).startswith("C") else c for c in name)
    return unicodedata.normalize("NFC", plain).encode()[:1000].decode(errors="ignore") or "_"


def configured_layers(config: Json) -> list[str]:
    """The layers that Keras stores for a model of this configuration, in its order: all, but for the input of a Sequential."""
    if not isinstance(config, dict):
        return []
    inner = config.get("config")
    entries = inner.get("layers") if isinstance(inner, dict) else inner
    names = []
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or (config.get("class_name") == "Sequential" and entry.get("class_name") == "InputLayer"):
            continue
        if str(entry.get("module")).startswith("keras.src.ops."):
            continue  # an operation of Keras 3 is listed among layers and is none
        said = entry.get("config")
        name = said.get("name") if isinstance(said, dict) else None
        name = entry.get("name") if name is None else name
        if isinstance(name, str):
            names.append(name)
    return names


def tensors_of(layers: Sequence[Sequence[str]]) -> list[tuple[str, list[str]]]:
    """Each layer's name with the names of its tensors, for rows of a layer's name and the stored names of its weights."""
    names = iter(unique(name for layer, *stored in layers for name in tensor_names(layer, stored)))
    return [(layer, list(islice(names, len(stored)))) for layer, *stored in layers]
