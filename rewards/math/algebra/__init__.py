"""Equality by computer algebra, in worker processes."""
