"""Whether gold answers pass their own scorers, and what this machine can isolate."""
