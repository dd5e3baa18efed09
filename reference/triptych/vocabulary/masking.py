"""Whether an architecture makes masks at all: where nothing does, no rule about them matters."""

from __future__ import annotations

from triptych.model import Architecture


def makes_masks(architecture: Architecture) -> bool:
    """Whether a layer of `architecture`, whose composites are expanded, makes a mask, or a call gives one."""
    graphs = [architecture]
    for _, _, layer in architecture.walk():
        if layer.type == "Masking" or (layer.type == "Embedding" and layer.config.get("mask_zero")):
            return True
        if layer.architecture is not None:
            graphs.append(layer.architecture)
    return any("mask" in call.arguments for graph in graphs for call in graph.calls or ())
