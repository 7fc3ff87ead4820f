"""Verdicts of runs beside those of a second scorer."""
