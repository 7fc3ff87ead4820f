"""Scores mathematical answers: parsed by hand and compared exactly; algebra in a locked process as the last resort."""
