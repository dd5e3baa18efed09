"""What relates composites to each other, to their parameters and to the layers that use them (chapter 20)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from triptych.checks.components import check_parts
from triptych.checks.registry import Found, check
from triptych.errors import Findings, pointer_token, shorten
from triptych.model import Architecture, Json, Layer
from triptych.model.composites import DEEPEST, MOST, expand, is_use, parameters_in, within_bounds


@check("LYR-033", "composites")
def names_are_free(architecture: Architecture) -> Found:
    """A composite is not named like a type of the vocabulary."""
    from triptych.vocabulary import layer_type

    for name in architecture.composites:
        if layer_type(name) is not None:
            yield f"/composites/{name}", f"expected a name that no type of the vocabulary has, got {shorten(name)}"


@check("ARC-033", "composites")
def composites_do_not_hold_themselves(architecture: Architecture) -> Found:
    """No composite uses itself, directly or through others."""
    composites = architecture.composites
    uses = {name: {layer.type for _, _, layer in one.architecture.walk()} & set(composites) for name, one in composites.items()}
    # What is left when all that leads nowhere, and then all that nothing leads to, has gone.
    for name in _without_ends(_turned(_without_ends(uses))):
        yield f"/composites/{name}", f"expected {shorten(name)} not to be part of itself, got a use of it inside"


def _without_ends(uses: dict[str, set[str]]) -> dict[str, set[str]]:
    """`uses` without names from which every way ends."""
    users = _turned(uses)
    open_ways = {name: len(used) for name, used in uses.items()}
    ends = [name for name, count in open_ways.items() if not count]
    for name in ends:
        for user in users[name]:
            open_ways[user] -= 1
            if not open_ways[user]:
                ends.append(user)
    gone = set(ends)
    return {name: used - gone for name, used in uses.items() if name not in gone}


def _turned(uses: dict[str, set[str]]) -> dict[str, set[str]]:
    """Who uses each name, for who is used by each."""
    turned: dict[str, set[str]] = {name: set() for name in uses}
    for name, used in uses.items():
        for one in used:
            turned[one].add(name)
    return turned


@check("ARC-034", "composites")
def what_is_made_is_bounded(architecture: Architecture) -> Found:
    """A short text does not stand for an endless graph."""
    if not any(composites_do_not_hold_themselves(architecture)) and not within_bounds(architecture):
        yield (
            "/composites",
            f"expected uses of composites that make at most {MOST} layers and calls, with at most {DEEPEST} layers around each, got more",
        )


@check("ARC-032", "composites")
def parameters_are_defined(architecture: Architecture) -> Found:
    """A parameter that a config names is one of its composite's."""
    for name, composite in architecture.composites.items():
        for place, parameter in _named(composite.architecture, f"/composites/{name}"):
            if parameter not in composite.parameters:
                yield place, f"expected a parameter of {shorten(name)}, got {shorten(parameter)}"


@check("LYR-034", "composites")
def uses_say_the_parameters(architecture: Architecture) -> Found:
    """The config of a use holds the parameters that have no default, and nothing but parameters."""
    graphs = [("", architecture), *((f"/composites/{name}", one.architecture) for name, one in architecture.composites.items())]
    for at, graph in graphs:
        for _, pointer, layer in graph.walk("", at):
            composite = architecture.composites.get(layer.type)
            if composite is not None:
                yield from _misfits(layer, pointer, {name: one.required for name, one in composite.parameters.items()})


def _misfits(layer: Layer, pointer: str, parameters: dict[str, bool]) -> Found:
    for name, required in parameters.items():
        if required and name not in layer.config:
            yield f"{pointer}/config", f"expected a config with the parameter {name} of {shorten(layer.type)}, got none"
    for name in layer.config:
        if name not in parameters:
            known = ", ".join(sorted(parameters)) or "none"
            place = f"{pointer}/config/{pointer_token(name)}"
            yield place, f"expected only parameters of {shorten(layer.type)} ({known}), got {shorten(name)}"


def is_open(config: Mapping[str, Json]) -> bool:
    """Whether `config` leaves something to a parameter."""
    return next(parameters_in(config), None) is not None


def _named(graph: Architecture, pointer: str) -> Iterator[tuple[str, str]]:
    """Each parameter that a config inside `graph` names, as (JSON Pointer, name)."""
    for _, place, config in _configs(graph, pointer):
        yield from parameters_in(config, f"{place}/config")


def _configs(graph: Architecture, pointer: str) -> Iterator[tuple[str, str, Mapping[str, Json]]]:
    """Every config inside `graph`, as (schema, JSON Pointer of the layer or call, config)."""
    graphs = [(pointer, graph)]
    for _, place, layer in graph.walk("", pointer):
        yield f"layers/{layer.type}", place, layer.config
        if layer.architecture is not None:
            graphs.append((f"{place}/architecture", layer.architecture))
    for place, one in graphs:
        for index, call in enumerate(one.calls or ()):
            if call.op is not None:
                yield f"operations/{call.op}", f"{place}/calls/{index}", call.config


def check_uses(architecture: Architecture, findings: Findings) -> None:
    """Check the configs that uses of composites have filled in; a problem stands at the use, once."""
    from triptych.documents import schemas
    from triptych.documents.scalars import spell

    for pointer, use in _uses(expand(architecture)):
        assert use.architecture is not None
        inside = Findings(findings.disabled)
        for schema, place, config in _configs(use.architecture, ""):
            if schemas.exists(schema):
                schemas.check(schema, spell(config), inside, f"{place}/config")
                check_parts(config, inside, f"{place}/config")
        for one in inside.problems[:1]:
            findings.add(one.requirement, pointer, f"in {shorten(use.type)} at {one.place}: {one.message}")


def _uses(graph: Architecture) -> Iterator[tuple[str, Layer]]:
    """The outermost uses of composites in an expanded graph, as (JSON Pointer, layer)."""
    waiting = [(f"/layers/{index}", layer) for index, layer in enumerate(graph.layers)]
    for place, layer in waiting:
        waiting += [(f"{place}/sublayers/{pointer_token(role)}", one) for role, one in layer.sublayers.items()]
        if is_use(layer):
            yield place, layer
        elif layer.architecture is not None:
            waiting += [(f"{place}/architecture/layers/{index}", one) for index, one in enumerate(layer.architecture.layers)]
