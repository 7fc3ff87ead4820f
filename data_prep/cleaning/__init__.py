"""What is dropped before rows are chosen: duplicates, contamination, lengths, wrong golds."""
