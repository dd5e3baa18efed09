"""The conformance suite of Triptych: runs any implementation against the cases; knows none, the reference included."""

from triptych_conformance._cases import Case, Suite, suite

__all__ = ["Case", "Suite", "suite"]
