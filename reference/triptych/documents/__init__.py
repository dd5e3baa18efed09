"""Documents: text to plain data and back, plain data to the data model and back, and the packaged schemas."""

from triptych.documents.architecture import architecture_to_data, parse_architecture
from triptych.documents.json_reader import parse_json
from triptych.documents.json_writer import dump_json
from triptych.documents.training import parse_training, training_to_data
from triptych.documents.versions import FORMAT_VERSION, check_version
from triptych.documents.yaml_reader import parse_yaml
from triptych.documents.yaml_writer import dump_yaml

__all__ = [
    "FORMAT_VERSION",
    "architecture_to_data",
    "check_version",
    "dump_json",
    "dump_yaml",
    "parse_architecture",
    "parse_json",
    "parse_training",
    "parse_yaml",
    "training_to_data",
]
