"""Expand a Hydra grid into RL runs, train each with verl, measure pass@k, write one row per run."""
