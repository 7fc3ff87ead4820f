"""pass@k: samples, scores, counts."""
