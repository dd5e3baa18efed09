"""Checks: what no schema can say, one function per requirement, registered under its identifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from triptych.checks import architecture, components, composites, extensions, training
from triptych.checks.registry import CHECKS, Check, check, run
from triptych.errors import PROBLEM_LIMIT, Findings, pointer_token
from triptych.model import Architecture, Layer, Panels, Tensor

if TYPE_CHECKING:
    from triptych.vocabulary import WeightSlot

__all__ = ["CHECKS", "MODULES", "Check", "check", "check_architecture", "check_panels"]

MODULES = (architecture, components, composites, extensions, training)
"""The modules whose checks need no vocabulary; the others are imported when it is loaded."""
LOOKUPS = frozenset({"StringLookup", "IntegerLookup", "TextVectorization"})
"""Types that have a vocabulary."""


def check_architecture(architecture: Architecture, findings: Findings) -> None:
    """Add every problem of `architecture`: names, calls, values, extensions, configs, shapes, tensor names.

    Shapes are looked at only when everything before is in order.

    Raises:
        UnsupportedError: It requires an extension that this reader does not know.
    """
    _check_architecture(architecture, findings)


def _check_architecture(
    architecture: Architecture, findings: Findings, assets: Mapping[str, Tensor] | None = None
) -> tuple[WeightSlot, ...]:
    """As `check_architecture`, with the assets of its package; the weights that a sound architecture needs, none for another."""
    from triptych.checks import tensors, types  # noqa: F401 - register themselves; the vocabulary is loaded when it is needed
    from triptych.vocabulary import infer, weight_slots

    before = len(findings.problems)
    run("document", findings, architecture)
    _check_graph(architecture, "", findings, assets)
    for name, composite in architecture.composites.items():
        _check_graph(composite.architecture, f"/composites/{pointer_token(name)}", findings, assets, inside=True)
    if architecture.composites:
        run("composites", findings, architecture)
        if len(findings.problems) == before:
            composites.check_uses(architecture, findings)
    run("types", findings, architecture)
    if len(findings.problems) > before:
        return ()
    inference = infer(architecture)
    for misfit in inference.problems:
        if misfit.requirement not in types.STATIC:
            findings.add(misfit.requirement, misfit.pointer, misfit.message)
    slots = weight_slots(architecture, inference)
    run("tensors", findings, slots)
    return slots


def _check_graph(graph: Architecture, pointer: str, findings: Findings, assets: Mapping[str, Tensor] | None, *, inside: bool = False) -> None:
    """Check one graph; `inside` a composite, a config may leave something to a parameter."""
    from triptych.documents import schemas
    from triptych.documents.scalars import spell

    run("graph", findings, graph, pointer)
    for index, call in enumerate(graph.calls or ()):
        if call.op is not None and schemas.exists(schema := f"operations/{call.op}") and not (inside and composites.is_open(call.config)):
            schemas.check(schema, spell(call.config), findings, f"{pointer}/calls/{index}/config")
    for index, layer in enumerate(graph.layers):
        if len(findings.problems) > PROBLEM_LIMIT:
            return
        _check_layer(layer, f"{pointer}/layers/{index}", findings, assets, inside=inside)


def _check_layer(layer: Layer, pointer: str, findings: Findings, assets: Mapping[str, Tensor] | None, *, inside: bool) -> None:
    from triptych.documents import schemas
    from triptych.documents.scalars import spell

    run("layer", findings, layer, pointer)
    if schemas.exists(schema := f"layers/{layer.type}") and not (inside and composites.is_open(layer.config)):
        before = len(findings.problems)
        schemas.check(schema, spell(layer.config), findings, f"{pointer}/config")
        components.check_parts(layer.config, findings, f"{pointer}/config")
        if layer.type in LOOKUPS and len(findings.problems) == before:
            from triptych.checks.vocabularies import check_vocabulary

            check_vocabulary(layer, pointer, assets, findings)
    for role, sublayer in layer.sublayers.items():
        _check_layer(sublayer, f"{pointer}/sublayers/{pointer_token(role)}", findings, assets, inside=inside)
    if layer.architecture is not None:
        _check_graph(layer.architecture, f"{pointer}/architecture", findings, assets, inside=inside)


def check_panels(panels: Panels, findings: Findings, members: Mapping[str, str] | None = None) -> None:
    """Add every problem of each panel and of what relates them.

    Args:
        panels: The panels, of a package or of a foreign layout.
        findings: Receives the problems.
        members: Section -> member, for the places of problems; None for what is no package.

    Raises:
        UnsupportedError: A panel requires an extension that this reader does not know.
    """
    members = members or {}
    before = len(findings.problems)
    slots: tuple[WeightSlot, ...] = ()
    run("document", findings.at("manifest.json") if members else findings, panels)
    if panels.architecture is not None:
        slots = _check_architecture(panels.architecture, findings.at(members.get("architecture", "")), panels.assets)
    if panels.training is not None:
        inside = findings.at(members.get("training", ""))
        run("document", inside, panels.training)
        run("training", inside, panels)
        components.check_training_configs(panels.training, inside)
        member = members.get("training_state", "")
        run("state", findings.at(member), panels, prefix=_prefix(member))
    if panels.architecture is not None and panels.weights is not None and len(findings.problems) == before:
        from triptych.checks import weights  # noqa: F401 - registers itself

        # Only an architecture that is right says what its weights are.
        member = members.get("weights", "")
        run("fit", findings.at(member), slots, panels.weights.tensors, prefix=_prefix(member))


def _prefix(member: str) -> str:
    """Where the member of a section of tensors names them: at the top of a safetensors header, or in an index's map."""
    return "/weight_map" if member.endswith(".json") else ""
