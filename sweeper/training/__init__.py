"""verl as a child process: its settings, checkpoints, curve."""
