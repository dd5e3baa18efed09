"""Reads `.keras` archives, unzipped ones, and object-path weights files into panels: documents whole, variables in place."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from triptych.errors import shorten
from triptych.layouts import keras_config
from triptych.layouts.hdf5 import Container
from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_config.plain import Unsayable, plain
from triptych.layouts.keras_v3 import optimizer_state
from triptych.layouts.keras_v3.facts import Facts, to_panels
from triptych.layouts.keras_v3.groups import Group, Groups, index_order, variable_name
from triptych.layouts.keras_v3.lookup_assets import with_vocabularies
from triptych.layouts.keras_v3.object_paths import Saved
from triptych.layouts.keras_v3.placing import STATE_ROOTS, Placed, place
from triptych.layouts.keras_v3.shards import shard_files
from triptych.layouts.nesting import above
from triptych.layouts.problems import interrupted, invalid, unsupported
from triptych.layouts.zip_archive import Folder, Members, ZipArchive
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Architecture, Json, Panels, Tensor, Training, Weights
from triptych.package.file_group import read_group

METADATA, CONFIG, WEIGHTS, ASSETS = "metadata.json", "config.json", "model.weights.h5", "assets/"
PICKLED_WEIGHTS = "model.weights.npz"
_PATIENCE_SECONDS = 2.0
"""How long a save that is placing its shards may take."""
STATE = "keras."
"""How the names of state begin that only Keras understands; the variable's path follows."""


def read_archive(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS, allow_code: bool = False) -> Panels:
    """The panels of the `.keras` archive or folder at `path`; variables are read when they are used.

    What Keras says and the neutral terms do not goes into ``extensions.keras``, from where the writer returns it.

    Args:
        path: The archive, or the folder that holds the same members.
        limits: What the reader may spend.
        allow_code: Whether to carry the bytecode of lambda layers, as inert data that nothing here runs.

    Raises:
        InvalidModelError: It breaks the rules of ZIP, HDF5 or Keras, or its variables do not fit its own architecture.
        UnsupportedError: It reaches outside itself, holds pickled arrays, or exceeds a limit.
        OSError: The file cannot be read.
    """
    target = Path(path)
    members: Members = Folder(target, limits) if target.is_dir() else ZipArchive(target, limits)
    if CONFIG not in members.names:
        raise invalid(CONFIG, "expected the model's configuration, found none")
    metadata = _object(members, METADATA, limits) if METADATA in members.names else {}
    config = _object(members, CONFIG, limits)
    version = metadata.get("keras_version")
    known = version if isinstance(version, str) else None
    facts: dict[str, Any] = {"metadata": _plain_members(metadata)}
    compiled = config.pop("compile_config", facts)  # any value that no file holds
    if not compiled:
        facts["compile_config"] = "null" if compiled is None else "empty"
    architecture = keras_config.read_model_config(config, keras_version=known, backend=None, allow_code=allow_code)
    generation = keras_config.source_generation(architecture)
    assert generation is not None
    training = None
    if isinstance(compiled, dict) and compiled and compiled is not facts:
        training = keras_config.read_training_config(compiled, architecture, keras_version=known, allow_code=allow_code)
    weights, assets = None, _assets(members)
    if WEIGHTS in members.names:
        groups = Groups()
        with_container(members.view(WEIGHTS), limits, groups.add)
        placed = place(groups.guarded(members.check(WEIGHTS)), config, architecture, generation)
        architecture, assets = with_vocabularies(placed.architecture, placed.saved, assets)
        weights = Weights(placed.tensors)
        facts |= _group_facts(groups, placed, generation)
        training = _with_state(training, placed, generation, facts)
    elif PICKLED_WEIGHTS in members.names:
        raise unsupported(PICKLED_WEIGHTS, "expected weights in HDF5, got pickled ones, which are programs")
    known_members = {METADATA, CONFIG, WEIGHTS}
    facts["not_read"] = [
        *facts.get("not_read", ()),
        *(name for name in members.names if name not in known_members and not name.startswith(ASSETS)),
    ]
    panels = Panels(architecture=architecture, weights=weights, training=training, name=architecture.name, assets=assets)
    return to_panels(panels, Facts(**facts))


def read_weights(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> Panels:
    """The panels of the object-path weights file at `path`, or of the shards that the index at `path` lists.

    Without an architecture a weight is called by its path in the file, ``layers/dense/vars/0``.

    Raises:
        InvalidModelError: It breaks the rules of HDF5 or of the index.
        UnsupportedError: It reaches outside itself or exceeds a limit.
        OSError: A file cannot be read.
    """
    index = Path(path)
    groups = read_group(
        index,
        lambda: _groups(index, limits),
        _PATIENCE_SECONDS,
        lambda waiting: interrupted(index.name, "weights", waiting),
    )
    weights: dict[str, Tensor] = {}
    state: dict[str, Tensor] = {}
    for found, group in groups.by_path.items():
        outside = found.split("/")[0] in STATE_ROOTS
        for key in sorted(group.tensors, key=index_order):
            name = variable_name(found, key)
            (state if outside else weights)[f"{STATE}{name}" if outside else name] = group.tensors[key]
    names = {found: group.name for found, group in groups.by_path.items() if group.name is not None}
    facts = Facts(
        weights_only=True,
        named=bool(names),
        says_bfloat16=groups.says_bfloat16,
        names=names,
        extra=[found for found, group in groups.by_path.items() if not group.tensors],
        not_read=groups.not_read,
    )
    training = Training(state=Weights(state)) if state else None
    return to_panels(Panels(weights=Weights(weights), training=training), facts)


def _groups(path: Path, limits: Limits) -> Groups:
    """The groups in all files of the weights at `path`."""
    groups = Groups()
    for file in shard_files(path, limits):
        with file.open("rb"):
            pass  # an error of the file system is its own, not one of the content
        with_container(file, limits, groups.add)
    return groups


def with_container(source: Path | memoryview, limits: Limits, take: Callable[[Container], None]) -> None:
    """Call `take` with the open file, which stays open if some tensor of it is read through libhdf5."""
    container = Container(source, limits)
    try:
        take(container)
    except BaseException:
        container.close()
        raise
    if not container.needed:
        container.close()


def _object(members: Members, name: str, limits: Limits) -> dict[str, Json]:
    """The JSON object in a member; Keras writes NaN and Infinity as bare words."""
    try:
        value = json.loads(members.read(name, limits.document_bytes))
    except (ValueError, RecursionError) as error:
        raise invalid(name, f"expected JSON, got {shorten(str(error))}") from error
    return value if isinstance(value, dict) else _refused(name, value)


def _refused(name: str, value: Json) -> dict[str, Json]:
    raise invalid(name, f"expected an object, got {shorten(value)}")


def _plain_members(metadata: Mapping[str, Json]) -> dict[str, Json]:
    """Those of `metadata` that a document can hold: what Keras writes there are words and versions."""
    kept: dict[str, Json] = {}
    for name, value in metadata.items():
        if isinstance(value, str | int | bool):
            with suppress(Unsayable):
                kept.update(plain({name: value}))
    return kept


def _assets(members: Members) -> dict[str, Tensor]:
    from triptych.package.names import member_name_fault

    found = {}
    for name in members.names:
        if not name.startswith(ASSETS):
            continue
        if fault := member_name_fault(name):
            raise unsupported(name, fault)
        found[name] = _asset(members, name)
    return found


def _asset(members: Members, name: str) -> Tensor:
    data, check = members.view(name), members.check(name)

    def read() -> memoryview:
        check()
        return data

    return Tensor("uint8", (len(data),), read)


# --- what lies beside the weights


def _group_facts(groups: Groups, placed: Placed, generation: Generation) -> dict[str, Any]:
    """What distinguishes the groups of the file from those that a writer would make by rule."""
    by_path = groups.by_path
    named = any(group.name is not None for group in by_path.values())
    ruled = {path_of(one, public_names=placed.public_names): one for one in placed.saved}
    owned = {one.path for one in placed.saved if one.owner is not None}
    inside = {path for path in by_path if not owned.isdisjoint(above(path))}
    names = {
        path: group.name
        for path, group in by_path.items()
        if group.name is not None and (path not in ruled or ruled[path].name != group.name)
    }
    return {
        "named": named,
        "says_bfloat16": groups.says_bfloat16 or generation < (3,),
        "public_names": placed.public_names,
        "names": names,
        "extra": [path for path, group in by_path.items() if not group.tensors and (path not in ruled or path in inside)],
        "absent": [path for path in ruled if path not in by_path],
        "not_read": groups.not_read,
    }


def path_of(one: Saved, *, public_names: bool) -> str:
    """Where `one` stands in a file that uses the names of later versions, or does not."""
    return one.other if public_names and one.other is not None else one.path


def _with_state(training: Training | None, placed: Placed, generation: Generation, facts: dict[str, Any]) -> Training | None:
    """`training` with the optimizer's variables, and with whatever else belongs to no layer, as it is."""
    left = dict(placed.left)
    group = left.get(optimizer_state.PATH)
    if group is not None:
        found = None
        if training is not None:
            found = optimizer_state.with_variables(training, group, placed.trained, generation)
        if found is not None:
            training, facts["step_dtype"] = found
            del left[optimizer_state.PATH]
            assert training.optimizer is not None
            if group.name == keras_config.optimizer_name(training.optimizer.type):
                del facts["names"][optimizer_state.PATH]
        else:
            facts["optimizer"] = _why_opaque(training, group)
    if not left:
        return training
    training = training or Training()
    state = dict(training.state.tensors) if training.state is not None else {}
    for path, other in left.items():
        for key in sorted(other.tensors, key=index_order):
            state[f"{STATE}{variable_name(path, key)}"] = other.tensors[key]
    return replace(training, state=Weights(state))


def _why_opaque(training: Training | None, group: Group) -> str:
    count = len(group.tensors)
    if training is None or training.optimizer is None:
        return f"the file holds {count} variables of an optimizer and does not say which optimizer"
    return f"the {count} variables do not fit {training.optimizer.type} and the weights that it trains"


def architecture_config(architecture: Architecture, dialect: str | None = None) -> tuple[dict[str, Json], Generation]:
    """The model object that Keras would make of `architecture`, for walking along it, and whose rules for paths hold."""
    source = keras_config.source_generation(architecture)
    chosen = dialect or (source.dialect if source is not None and source >= (2, 12) else "keras3")
    written = keras_config.written_generation(architecture, chosen, wrapped=True)
    return keras_config.write_model_config(architecture, dialect=chosen, wrapped=True)[0], written.generation


__all__ = ["ASSETS", "CONFIG", "METADATA", "STATE", "WEIGHTS", "architecture_config", "path_of", "read_archive", "read_weights"]
