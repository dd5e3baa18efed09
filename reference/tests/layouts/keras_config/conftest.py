"""Ways to compare configurations."""

import json
from dataclasses import replace

import pytest

from triptych import documents
from triptych.errors import Findings
from triptych.layouts.keras_config import read_model_config, write_model_config


def through_text(architecture):
    """`architecture` as its own JSON text says it."""
    findings = Findings()
    data = documents.parse_json(documents.dump_json(documents.architecture_to_data(architecture)).encode(), findings)
    result = documents.parse_architecture(data, findings)
    findings.raise_if_any()
    return result


def there_and_back(config, version, **options):
    """The architecture of `config`, after it has shown that it comes back through text."""
    architecture = read_model_config(config, keras_version=version, backend=None, **options)
    returned, notes = write_model_config(through_text(architecture))
    assert notes == ()
    assert json.dumps(returned, sort_keys=True) == json.dumps(config, sort_keys=True)
    return architecture


def bare(architecture):
    """`architecture` without anything that only Keras understands."""
    return replace(
        architecture,
        extensions={},
        extensions_used=(),
        layers=tuple(map(_bare_layer, architecture.layers)),
        inputs=tuple(replace(value, extensions={}) for value in architecture.inputs),
        calls=None if architecture.calls is None else tuple(replace(call, extensions={}) for call in architecture.calls),
    )


def _bare_layer(layer):
    return replace(
        layer,
        extensions={},
        sublayers={role: _bare_layer(sublayer) for role, sublayer in layer.sublayers.items()},
        architecture=None if layer.architecture is None else bare(layer.architecture),
    )


@pytest.fixture
def tools():
    """The functions of this module, for tests."""

    class Tools:
        pass

    tools = Tools()
    tools.through_text, tools.there_and_back, tools.bare = through_text, there_and_back, bare
    return tools
