"""Readers and scorers of answers that are neither mathematics nor programs."""
