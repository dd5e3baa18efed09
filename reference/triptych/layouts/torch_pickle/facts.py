"""What a PyTorch file says beyond the panels, kept in ``extensions.torch`` so that writing returns an equal value.

* of the package: ``weights``, the state dictionary's own arrangement; ``object``, what it lies in, where there is no training; ``classes``,
  path of a module → its class, of files that held whole modules; ``left_out``, sentences about what was not kept;
* of the training: ``object``, what the state dictionaries lie in, and ``optimizer``, the optimizer's own arrangement.

Arrangements are spelled as `plain` says. In an ``object``, ``panel`` stands for one of the two others, ``progress`` for a count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from triptych.model import Json, Panels, Training

EXTENSION = "torch"


@dataclass(frozen=True, slots=True)
class Facts:
    """The members of the extension; each is left out when it has its default."""

    weights: Json = None
    object: Json = None
    optimizer: Json = None
    classes: Mapping[str, str] = field(default_factory=dict)
    left_out: Sequence[str] = ()

    def on_panels(self, panels: Panels) -> Panels:
        """`panels` with these facts."""
        data = self._data()
        if not data:
            return panels
        return replace(panels, extensions={**panels.extensions, EXTENSION: data}, extensions_used=_used(panels.extensions_used))

    def on_training(self, training: Training) -> Training:
        """`training` with these facts."""
        data = self._data()
        if not data:
            return training
        return replace(training, extensions={**training.extensions, EXTENSION: data}, extensions_used=_used(training.extensions_used))

    def _data(self) -> dict[str, Json]:
        said: dict[str, Json] = {"weights": self.weights, "object": self.object, "optimizer": self.optimizer}
        data = {name: value for name, value in said.items() if value is not None}
        if self.classes:
            data["classes"] = dict(self.classes)
        return data | ({"left_out": list(self.left_out)} if self.left_out else {})


def facts_of(extensions: Mapping[str, Json]) -> Facts:
    """What `extensions` keeps; nothing where somebody made it something else."""
    data = extensions.get(EXTENSION)
    if not isinstance(data, dict):
        return Facts()
    classes, left_out = data.get("classes"), data.get("left_out")
    return Facts(
        data.get("weights"), data.get("object"), data.get("optimizer"),
        classes if isinstance(classes, dict) else {},
        [note for note in left_out if isinstance(note, str)] if isinstance(left_out, list | tuple) else (),
    )  # fmt: skip


def renamed(panels: Panels, names: Mapping[str, str]) -> Panels:
    """`panels`, whose tensors were renamed as `names` says, with arrangements that say the new names.

    That of the weights goes: the keys of the file are what the names were made of.
    """
    facts, training = panels.extensions.get(EXTENSION), panels.training
    if isinstance(facts, dict) and "weights" in facts and not names.keys().isdisjoint(_tensors_of(facts["weights"])):
        kept = {name: value for name, value in facts.items() if name != "weights"}
        panels = replace(panels, extensions={**panels.extensions, EXTENSION: kept})
    if training is not None and EXTENSION in training.extensions:
        said = _under(training.extensions[EXTENSION], names)
        panels = replace(panels, training=replace(training, extensions={**training.extensions, EXTENSION: said}))
    return panels


def _tensors_of(data: Json) -> Iterator[str]:
    """The names of the tensors that an arrangement says."""
    pending = [data]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            if isinstance(name := one.get("tensor"), str):
                yield name
            pending += one.values()
        elif isinstance(one, list):
            pending += one


def _under(data: Json, names: Mapping[str, str]) -> Json:
    if isinstance(data, dict):
        return {
            key: names.get(value, value) if key in ("tensor", "same") and isinstance(value, str) else _under(value, names) for key, value in data.items()
        }
    return [_under(item, names) for item in data] if isinstance(data, list) else data


def left_out(panels: Panels) -> tuple[str, ...]:
    """A sentence for each thing of the PyTorch file that was read that `panels` do not hold."""
    return tuple(facts_of(panels.extensions).left_out)


def _used(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*names, EXTENSION}))
