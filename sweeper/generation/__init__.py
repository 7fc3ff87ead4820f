"""Sampling from a language model in batches: one code for verl's CPU rollout and for the pass@k evaluation."""

from sweeper.generation.sampling import Prompt, Request, Sample, Sampling

__all__ = ["Prompt", "Request", "Sample", "Sampling"]
