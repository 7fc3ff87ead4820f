"""Reward functions of the user's own: a file, the sources it covers, and the processes it runs in."""
