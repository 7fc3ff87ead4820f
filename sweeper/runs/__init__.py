"""The folder of a run, its state, and what is tried after a failure."""
