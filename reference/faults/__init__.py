"""Fails every writer of the project at every operation in turn and counts what is lost: `python -m faults`, with ``reference/`` on the path."""
