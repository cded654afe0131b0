"""Compositions of ops, recorded like user code."""
