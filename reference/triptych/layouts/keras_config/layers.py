"""One layer: a Keras layer object as ours, and back."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from triptych.checks import LOOKUPS
from triptych.checks.components import can_be_activation
from triptych.layouts.keras_config import edits, lambdas, lookups, masks, members, objects, table, theano
from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_config.plain import Unsayable, unsayable
from triptych.layouts.keras_config.plain import class_name as plain_class
from triptych.layouts.keras_config.plain import name as plain_name
from triptych.model import Json, Layer
from triptych.vocabulary import LayerType, layer_type
from triptych.vocabulary.kinds import ACTIVATION

if TYPE_CHECKING:
    from collections.abc import Callable

_NOTHING: Mapping[str, Json] = {}
_NOTHING_SAID: tuple[Json, ...] = (None, False, [], {}, "", "default", "auto", "channels_last")
"""Values that a member only Keras knows may have without meaning anything."""
_MODULES = ("module", "registered_name")
MODEL_CLASSES = ("Sequential", "Functional", "Model")
EXTENSION = "keras"


@dataclass(slots=True)
class Writing:
    """What holds for one writing: the generation, whether the edits of the source apply, what was not kept."""

    generation: Generation
    edits_apply: bool
    notes: list[str] = field(default_factory=list)
    path: str = ""
    """Where the architecture stands that is written, as what is said of a call of it begins."""
    modules_stay: bool = False
    """Whether objects say their modules although those of the source did not, so that no edit may take them away."""

    def inside(self, name: str) -> Writing:
        """The same for the architecture that the layer `name` holds."""
        return replace(self, path=f"{self.path}layers/{name}/architecture/")

    def edits_of(self, extensions: Mapping[str, Json]) -> list[Mapping[str, Json]]:
        """The edits that `extensions` hold, without those that would take modules away where they stay."""
        found = edits.stored(extension_of(extensions))
        return [edit for edit in found if not _takes_a_module(edit)] if self.modules_stay else found

    def finish(self, generated: Json, extensions: Mapping[str, Json], what: str, known: Collection[str] = ()) -> Json:
        """`generated` with the edits that `extensions` hold for it, or a note of what they would have said.

        Members of the config that are `known` are said by our terms, so that an edit of them is only another spelling.
        """
        found = self.edits_of(extensions)
        if not found:
            return generated
        if self.edits_apply:
            return edits.apply(generated, found)[0]
        for edit in found:
            keys = [part for part in str(edit["at"]).split("/") if part and not part.isdecimal()]
            if (
                len(keys) > 1
                and keys[0] == "config"
                and edit.get("to") not in _NOTHING_SAID
                and table.HARMLESS.isdisjoint(keys)
                and keys[1] not in known
            ):
                self.notes.append(f"{what}: {'.'.join(keys[1:]) or 'its config'} of Keras' config was not kept")
        return generated


def _takes_a_module(edit: Mapping[str, Json]) -> bool:
    """Whether `edit` leads to an object, or a list of them, that does not say its module."""
    if "to" not in edit:
        return str(edit["at"]).rpartition("/")[2] in _MODULES
    there = edit["to"] if isinstance(edit["to"], list | tuple) else [edit["to"]]
    return any(isinstance(one, Mapping) and {"class_name", "config"} <= one.keys() and "module" not in one for one in there)


def with_edits(extensions: Mapping[str, Json], generated: Json, original: Json) -> Mapping[str, Json]:
    """`extensions` with the edits from `generated` to `original`, if there are any."""
    found = edits.difference(generated, original)
    if not found:
        return extensions
    return {**extensions, EXTENSION: {**extensions.get(EXTENSION, {}), "edits": found}}


def extension_of(thing: Mapping[str, Json]) -> Mapping[str, Json]:
    """What `thing`, the extensions of a layer, call or architecture, keeps for Keras."""
    found = thing.get(EXTENSION)
    return found if isinstance(found, Mapping) else {}


def name_of(layer: Layer) -> str:
    """What Keras calls `layer`: its name, unless another layer of the model had that already."""
    found = edits.stored(extension_of(layer.extensions))
    said = next((edit.get("to") for edit in found if edit["at"] == "/config/name" and edit.get("from") == layer.name), None)
    return said if isinstance(said, str) else layer.name


def free_name(name: str, taken: Collection[str]) -> str:
    """`name`, changed as long as it is one of `taken`."""
    while name in taken:
        name = f"{name}'"
    return name


class Layers:
    """Translates layers both ways; nested models go through the two functions it is given."""

    def __init__(
        self,
        read_model: Callable[[Mapping[str, Json], Generation], Any],
        write_model: Callable[[Any, Mapping[str, Json], str, Writing], Json],
    ) -> None:
        self._read_model = read_model
        self._write_model = write_model

    def read(
        self,
        original: Json,
        generation: Generation,
        *,
        name: str | None = None,
        opaque: bool = False,
        entering: Mapping[str, Json] = _NOTHING,
        taken: Collection[str] = (),
    ) -> Layer:
        """The layer that the Keras object `original` describes, with the edits that lead back to it.

        It is called `name` if that is given: a sublayer is ""; otherwise what the object says, changed as long as it is one of
        `taken`. `opaque` keeps it as an extension type; `entering` is what its config says of the model's input.

        Raises:
            Unsayable: It is no layer object at all.
        """
        if not isinstance(original, dict) or not isinstance(original.get("class_name"), str):
            unsayable("a layer")
        layer = None
        if not opaque:
            try:
                layer = self._read_known(original, generation)
            except Unsayable:
                layer = None
        if layer is None:
            layer = _read_extension(original)
        if name is not None:
            layer = replace(layer, name=name)
        layer = replace(layer, name=free_name(layer.name, taken))
        generated = self._generate(layer, Writing(generation, edits_apply=True), layer.name or _default_name(layer.type), entering)
        return replace(layer, extensions=with_edits(layer.extensions, generated, _without_call(original)))

    def write(
        self, layer: Layer, writing: Writing, *, name: str | None = None, entering: Mapping[str, Json] = _NOTHING
    ) -> dict[str, Json]:
        """The Keras object of `layer`; `name` stands in for a sublayer's, `entering` is what a first layer says of the input."""
        what = f"layer {layer.name or name or layer.type}"
        before = len(writing.notes)
        generated = self._generate(layer, writing, layer.name or name or _default_name(layer.type), entering)
        found = writing.finish(generated, layer.extensions, what, _known_keys(layer.type))
        if writing.edits_apply and isinstance(found, dict) and found.get("class_name") != generated["class_name"]:
            del writing.notes[before:]  # of what is not written
        return dict(found) if isinstance(found, dict) else generated

    def _read_known(self, original: Mapping[str, Json], generation: Generation) -> Layer | None:
        class_name, config = original["class_name"], original.get("config")
        if class_name in MODEL_CLASSES:
            return self._read_nested(original, generation)
        if not isinstance(config, dict):
            return None
        found = layer_type(_type_of(class_name, config))
        if found is None or found.name == "Model" or "keras" not in found.equivalents:
            return None
        own = table.entry(found.name)
        if own.settle is not None:
            config = own.settle(config, generation)
        for extra in own.extras:
            if extra.decisive and extra.key in config and not edits.same(config[extra.key], extra.value_in(generation)):
                return None
        dtype, compute_dtype = ("float32", None) if generation < (2, 3) else objects.read_policy(config.get("dtype"))
        layer = Layer(
            name=_name(config),
            type=found.name,
            config=self._read_config(found, config, generation, own.fixed.get(class_name, _NOTHING)),
            sublayers=self._read_sublayers(found, config, generation),
            trainable=config.get("trainable") is not False,
            dtype=dtype,
            compute_dtype=compute_dtype,
        )
        if found.name in LOOKUPS:
            lookups.expect_vocabulary(layer)
        return layer

    def _read_config(
        self, found: LayerType, config: Mapping[str, Json], generation: Generation, fixed: Mapping[str, Json]
    ) -> dict[str, Json]:
        result = {}
        for member in found.fields:
            key = next(
                (key for key in table.keys_of(found.name, member.name, generation) if all(part in config for part in _parts(key))),
                None,
            )
            if key is not None:
                parts = _parts(key)
                given = config[parts[0]] if len(parts) == 1 else [config[part] for part in parts]
                value = self._read_inner_activation(given, generation) if member.kind is ACTIVATION else None
                if given is None and member.default is False:
                    value = False  # TensorFlow.js says nothing so
                elif value is None:
                    value = members.read(found.name, member, given, generation)
            elif member.name in fixed:
                value = fixed[member.name]
            else:
                value = edits.copy(table.implied(found.name, member, generation))
                if member.required and value is member.default:
                    unsayable("a missing member")
            if not _valid(found.name, member.name, value):
                unsayable("a value outside the schema")
            if member.required or not edits.same(value, edits.copy(member.default)):
                result[member.name] = value
        return theano.with_amounts(found, result) if generation.theano else result

    def _read_inner_activation(self, given: Json, outer: Generation) -> Json:
        """A layer that stands as an activation, as ``{"type", "config"}``; None if `given` is none of the vocabulary."""
        if not isinstance(given, dict) or not isinstance(given.get("class_name"), str) or not isinstance(given.get("config"), dict):
            return None
        named = {**given, "config": {"name": "activation", **given["config"]}}
        layer = self._read_known(named, replace(outer, wrapped=outer.wraps_objects))
        found = layer_type(layer.type) if layer is not None else None
        if layer is None or found is None or layer.sublayers or layer.architecture is not None:
            return None
        if found.weights:
            unsayable("an activation with weights")
        if not can_be_activation(layer.type):
            return None
        return {"type": layer.type, "config": dict(layer.config)} if layer.config else {"type": layer.type}

    def _write_inner_activation(self, value: Mapping[str, Json], writing: Writing) -> Json:
        generation = replace(writing.generation, wrapped=writing.generation.wraps_objects)
        layer = Layer(_default_name(value["type"]), value["type"], value.get("config") or {})
        return self._generate(layer, replace(writing, generation=generation), layer.name, _NOTHING)

    def _read_sublayers(self, found: LayerType, config: Mapping[str, Json], outer: Generation) -> dict[str, Layer]:
        generation = replace(outer, wrapped=outer.wraps_objects)
        if found.name == "TimeDistributed":
            return {"layer": self.read(config.get("layer"), generation, name="")}
        if found.name == "Bidirectional":
            forward = self.read(config.get("layer"), generation, name="")
            given = config.get("backward_layer")
            if given is None and not _has_direction(forward):
                unsayable("a layer that cannot be turned round")
            backward = mirror(forward) if given is None else self.read(given, generation, name="")
            if _ZEROES <= generation.version < (3,):
                forward, backward = _zeroing(forward), _zeroing(backward)
            return {"forward": forward, "backward": backward}
        if found.name == "RNN":
            return {"cell": self.read(config.get("cell"), generation, name="")}
        if found.name == "StackedRNNCells":
            cells = config.get("cells")
            if not isinstance(cells, list) or not cells:
                unsayable("cells")
            return {f"cell_{n}": self.read(cell, generation, name="") for n, cell in enumerate(cells)}
        if found.sublayers:
            unsayable("a wrapper")
        return {}

    def _read_nested(self, original: Mapping[str, Json], generation: Generation) -> Layer:
        architecture = self._read_model(original, generation)
        config = original.get("config")
        name = config.get("name") if isinstance(config, dict) else original.get("name")
        if not isinstance(name, str) or not name:
            name = original["class_name"].lower()
        return Layer(
            name=plain_name(name),
            type="Model",
            architecture=replace(architecture, name=None),
            trainable=not (isinstance(config, dict) and config.get("trainable") is False),
        )

    def _generate(self, layer: Layer, writing: Writing, name: str, entering: Mapping[str, Json]) -> dict[str, Json]:
        generation = writing.generation
        if layer.architecture is not None:
            generated: dict[str, Json] = self._write_model(layer.architecture, {"trainable": layer.trainable}, name, writing.inside(name))
            return generated
        found = layer_type(layer.type)
        if generation >= (3,) and "/" in name:
            writing.notes.append(f"layer {name}: Keras 3 takes no name with a slash")
        config: dict[str, Json] = {"name": name}
        if generation >= (1, 1) or not layer.trainable:
            config["trainable"] = layer.trainable
        if generation >= (2, 3):
            integers = lookups.dtype_of_indices(layer, generation)
            config["dtype"] = integers or objects.write_policy(layer.dtype, layer.compute_dtype, generation)
        if generation >= (3,) and layer.type in table.WITHOUT_TRAINABLE3:
            del config["trainable"]
        config |= entering
        if found is None:
            class_name = layer.type.split(":", 1)[-1]
            if not layer.type.startswith(f"{EXTENSION}:"):
                writing.notes.append(f"layer {name}: Keras knows no layer {layer.type}")
            own_config = lambdas.spelled(layer.config, generation) if class_name == "Lambda" else layer.config
            return wrap_layer(class_name, {**config, **own_config}, generation, known=class_name == "Lambda")
        if "keras" not in found.equivalents:
            writing.notes.append(f"layer {name}: Keras knows no layer {layer.type}")
        own = table.entry(found.name)
        class_name = own.keras1 if own.keras1 and generation < (2,) else found.name
        for extra in own.extras:
            if extra.since <= generation.version < extra.until:
                config[extra.key] = extra.value_in(generation)
        if class_name == "Merge":
            config["mode"] = own.merges
        resolved = found.resolve(layer.config)
        for member in found.fields:
            value = resolved[member.name]
            default = edits.same(edits.copy(value), edits.copy(table.implied(found.name, member, generation)))
            if not table.knows(found.name, member.name, generation):
                if member.name == "output_dtype":
                    if other := lookups.yielded_instead(layer, generation):
                        writing.notes.append(f"layer {name}: Keras {generation.text} yields {other}")
                elif not default and not _is_component(member.name) and member.name != masks.MEMBER:
                    writing.notes.append(f"layer {name}: Keras {generation.text} has no {member.name}")
                continue
            if default and not table.writes_default(found.name, member.name, generation):
                continue
            self._check_exact(layer, member.name, value, writing, name)
            if isinstance(value, Mapping) and member.kind is ACTIVATION and layer_type(str(value.get("type"))) is not None:
                written = self._write_inner_activation(value, writing)
            elif value == "hard_sigmoid_keras2" and generation >= (3,):
                written = objects.clipped_line(layer.compute_dtype or layer.dtype)
            else:
                written = members.write(found.name, member, value, generation)
            if member.name == "strides" and written is None:
                written = edits.copy(resolved["pool_size"])
            _put(config, table.key_of(found.name, member.name, generation), written)
        self._write_sublayers(layer, config, writing)
        return wrap_layer(class_name, config, generation, known=True)

    def _check_exact(self, layer: Layer, member: str, value: Json, writing: Writing, name: str) -> None:
        if member.endswith("activation") and isinstance(value, str) and objects.inexact_activation(value, writing.generation):
            writing.notes.append(f"layer {name}: Keras {writing.generation.text} has no activation {value}")
        if member == "padding" and (value == "same_lower" or (isinstance(value, list) and "Padding" not in layer.type)):
            writing.notes.append(f"layer {name}: Keras has no padding {value}")

    def _write_sublayers(self, layer: Layer, config: dict[str, Json], writing: Writing) -> None:
        inner = writing.generation
        nested = replace(writing, generation=replace(inner, wrapped=inner.wraps_objects))
        if layer.type in ("TimeDistributed", "SpectralNormalization"):
            config.pop("units", None)  # which Keras takes from the layer inside
            config["layer"] = self.write(layer.sublayers["layer"], nested)
        elif layer.type == "Bidirectional":
            forward, backward = layer.sublayers["forward"], layer.sublayers["backward"]
            if _ZEROES <= inner.version < (3,):
                forward, backward = _not_zeroing(forward), _not_zeroing(backward)
            stem = _default_name(forward.type)
            config["layer"] = self.write(forward, nested, name=f"forward_{stem}" if inner >= (3,) else stem)
            if inner >= (3,) or not same_layer(backward, mirror(forward)):
                config["backward_layer"] = self.write(backward, nested, name=f"backward_{stem}")
        elif layer.type == "RNN":
            config["cell"] = self.write(layer.sublayers["cell"], nested)
        elif layer.type == "StackedRNNCells":
            config["cells"] = [self.write(layer.sublayers[f"cell_{n}"], nested) for n in range(len(layer.sublayers))]


def wrap_layer(
    class_name: str, config: Json, generation: Generation, *, known: bool, module: str = "keras.layers"
) -> dict[str, Json]:
    """The Keras object of a layer."""
    if not generation.wrapped:
        return {"class_name": class_name, "config": config}
    return {"module": module, "class_name": class_name, "config": config, "registered_name": None if known else class_name}


def _has_direction(layer: Layer) -> bool:
    """Whether a layer of this type may say ``go_backwards``."""
    found = layer_type(layer.type)
    return found is None or any(member.name == "go_backwards" for member in found.fields)


def mirror(forward: Layer) -> Layer:
    """The backward layer that Keras makes of a `forward` one."""
    config = {key: value for key, value in forward.config.items() if key != "go_backwards"}
    if not forward.config.get("go_backwards", False):
        config["go_backwards"] = True
    return replace(forward, config=config, extensions={}, weights={})


_ZEROES = (2, 3, 50)
"""From here on Bidirectional makes its layers yield zeros for masked steps if they yield all steps, whatever their config says."""
_MASKED = "zero_output_for_mask"


def _zeroing(layer: Layer) -> Layer:
    """`layer` with what Bidirectional sets in it said."""
    if not layer.config.get("return_sequences") or ":" in layer.type or layer.architecture is not None:
        return layer
    return replace(layer, config={**layer.config, _MASKED: True})


def _not_zeroing(layer: Layer) -> Layer:
    """`layer` without what Bidirectional sets in it."""
    if not layer.config.get("return_sequences") or ":" in layer.type:
        return layer
    return replace(layer, config={key: value for key, value in layer.config.items() if key != _MASKED})


def same_layer(one: Layer, other: Layer) -> bool:
    """Whether two layers are configured alike."""
    return (
        one.type == other.type
        and edits.same(edits.copy(one.config), edits.copy(other.config))
        and (one.dtype, one.trainable) == (other.dtype, other.trainable)
    )


def _read_extension(original: Mapping[str, Json]) -> Layer:
    class_name, config = plain_class(original["class_name"]), original.get("config")
    if not isinstance(config, dict):
        config = {}
    try:
        dtype, compute_dtype = objects.read_policy(config.get("dtype"))
    except Unsayable:
        dtype, compute_dtype = "float32", None
    own = {key: value for key, value in config.items() if key not in ("name", "trainable", "dtype")}
    return Layer(
        name=_name(config) if config.get("name") else plain_name(original.get("name") or _default_name(class_name)),
        type=f"{EXTENSION}:{class_name}",
        config=own,
        trainable=config.get("trainable") is not False,
        dtype=dtype,
        compute_dtype=compute_dtype,
    )


def _name(config: Mapping[str, Json]) -> str:
    return plain_name(config.get("name"))


def _type_of(class_name: str, config: Mapping[str, Json]) -> str:
    if class_name == "Merge":
        plain = (
            config.get("mode_type", "raw") == "raw" and "layers" not in config and config.get("output_shape_type", "raw") == "raw"
        )
        mode = config.get("mode")
        return table.MERGES.get(mode, "") if plain and isinstance(mode, str) else ""
    return table.CLASSES.get(class_name, class_name)


def _parts(key: str) -> list[str]:
    return key.removeprefix("=").split("+")


def _put(config: dict[str, Json], key: str, value: Json) -> None:
    parts = _parts(key)
    if len(parts) > 1 or key.startswith("="):
        config.update(zip(parts, value, strict=False))
    else:
        config[key] = value


def _is_component(member: str) -> bool:
    return member.endswith(tuple(members.COMPONENTS))


def _default_name(class_name: str) -> str:
    stem = class_name.split(":", 1)[-1].rsplit(">", maxsplit=1)[-1]
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", stem)).lower()


def _without_call(original: Mapping[str, Json]) -> dict[str, Json]:
    """The object without what its place in a graph adds."""
    place = {"inbound_nodes"} | ({"name"} if "inbound_nodes" in original else set())
    return {key: value for key, value in original.items() if key not in place}


@cache
def _known_keys(type_name: str) -> frozenset[str]:
    """Every key under which some Keras says a member of the type."""
    found = layer_type(type_name)
    generations = (Generation((version, 0, 0)) for version in (1, 2, 3))
    members_of = found.fields if found is not None else ()
    return frozenset(
        part
        for one in generations
        for member in members_of
        for key in table.keys_of(type_name, member.name, one)
        for part in _parts(key)
    )


@cache
def _validator(type_name: str, member: str) -> Callable[[Json], bool]:
    import jsonschema_rs

    found = layer_type(type_name)
    assert found is not None
    schema = next(one.kind.schema for one in found.fields if one.name == member)
    accepts: Callable[[Json], bool] = jsonschema_rs.validator_for(dict(schema)).is_valid
    return accepts


def _valid(type_name: str, member: str, value: Json) -> bool:
    return _validator(type_name, member)(value)
