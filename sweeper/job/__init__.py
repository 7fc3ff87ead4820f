"""What a compute node does: one run, from its frozen spec to its row."""
