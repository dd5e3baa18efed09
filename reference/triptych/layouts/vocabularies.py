"""Vocabularies of lookups for layouts that keep no assets: each goes from its asset into the config of its layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from triptych.checks import LOOKUPS
from triptych.errors import InvalidModelError, problem
from triptych.model import Architecture, Composite, Layer, Panels, Tensor
from triptych.vocabulary.lookup_tokens import VocabularyError, asset_named, tokens_of


def inlined(panels: Panels) -> Panels:
    """`panels` with every vocabulary in the config of its lookup, and without the assets that held them.

    Raises:
        InvalidModelError: An asset is no list of tokens.
    """
    if panels.architecture is None or not panels.assets:
        return panels
    taken: set[str] = set()
    architecture = _graph(panels.architecture, panels.assets, taken)
    if not taken:
        return panels
    return replace(panels, architecture=architecture, assets={name: one for name, one in panels.assets.items() if name not in taken})


def _graph(graph: Architecture, assets: Mapping[str, Tensor], taken: set[str]) -> Architecture:
    return replace(
        graph,
        layers=tuple(_layer(layer, assets, taken) for layer in graph.layers),
        composites={name: Composite(_graph(one.architecture, assets, taken), one.parameters) for name, one in graph.composites.items()},
    )


def _layer(layer: Layer, assets: Mapping[str, Tensor], taken: set[str]) -> Layer:
    config, name = layer.config, asset_named(layer.config.get("vocabulary")) if layer.type in LOOKUPS else None
    if name is not None and name in assets:
        try:
            config = {**config, "vocabulary": tokens_of(config, assets, integers=layer.type == "IntegerLookup")}
        except VocabularyError as error:
            raise InvalidModelError((problem(error.requirement, name, str(error)),)) from error
        taken.add(name)
    return replace(
        layer,
        config=config,
        sublayers={role: _layer(one, assets, taken) for role, one in layer.sublayers.items()},
        architecture=None if layer.architecture is None else _graph(layer.architecture, assets, taken),
    )
