"""Which rows a run gets, and in which order."""
