"""Whether two trees mean the same value."""
