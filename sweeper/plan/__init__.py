"""Which points run, what they cost, which cannot run and why."""
