"""Runs as SLURM jobs: submitted once, found again after any crash, never in doubt about their state."""
