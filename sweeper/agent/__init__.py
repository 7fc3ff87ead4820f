"""Acting over several turns: the loops that verl's rollout and the evaluation drive, and what they keep."""
