"""The environments that a policy may act in, by name."""
