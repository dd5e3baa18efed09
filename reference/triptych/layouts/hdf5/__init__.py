"""HDF5 itself, read as a file that nobody vouches for; what the layouts that lie in HDF5 share."""

from triptych.layouts.hdf5.container import Container, hdf5_errors

__all__ = ["Container", "hdf5_errors"]
