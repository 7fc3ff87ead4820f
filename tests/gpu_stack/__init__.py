"""Checks of the GPU stack that need no GPU: what its pins resolve to, and what vLLM's wheel takes."""
