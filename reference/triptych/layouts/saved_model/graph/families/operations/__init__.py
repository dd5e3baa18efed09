"""Emitters of operations, one module for each family of the vocabulary's operations."""
