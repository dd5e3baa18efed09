"""The conformance suite of Triptych: runs any implementation against the cases; knows none, the reference included."""
