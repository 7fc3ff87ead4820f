"""What a run gave: its row, its counts, and views of them."""
