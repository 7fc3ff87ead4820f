"""The tools that a policy may call, by name; each keeps its own limits."""
