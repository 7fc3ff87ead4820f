"""Starting runs: as processes here, as SLURM's jobs."""
