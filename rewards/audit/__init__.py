"""What a scorer, ours or the user's own, pays for answers that are none."""
