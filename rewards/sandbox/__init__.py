"""Runs candidate programs in isolation; `runs` is what the scorers call."""
