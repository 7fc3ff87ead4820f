"""Scores programs by tests; expected values never enter the sandbox."""
