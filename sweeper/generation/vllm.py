"""Generation with vLLM, for machines with GPUs."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from sweeper.generation.sampling import Sample, Sampling


class VllmEngine:
    """vLLM's offline engine over the GPUs this process may see."""

    samples_at_once = 4096

    def __init__(self, path: Path, *, tensor_parallel: int, gpu_memory_utilization: float = 0.85) -> None:
        from vllm import LLM

        self._llm = LLM(
            model=str(path),
            tensor_parallel_size=tensor_parallel,
            gpu_memory_utilization=gpu_memory_utilization,
            enable_prefix_caching=True,
        )

    def generate(
        self, prompts: Sequence[Sequence[int]], *, n: int, sampling: Sampling, seed: int
    ) -> list[list[Sample]]:
        """`n` completions of each prompt; see `Engine`."""
        from vllm import SamplingParams

        parameters = [
            SamplingParams(
                n=n,
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                top_k=sampling.top_k,
                max_tokens=sampling.max_tokens,
                seed=_seed(seed, prompt),
                detokenize=False,
            )
            for prompt in prompts
        ]
        answers = self._llm.generate([{"prompt_token_ids": list(prompt)} for prompt in prompts], parameters)
        return [
            [Sample(list(output.token_ids), None, output.finish_reason == "stop") for output in answer.outputs]
            for answer in answers
        ]


def _seed(seed: int, prompt: Sequence[int]) -> int:
    """A prompt's own seed: one seed for all would correlate the noise of all problems, and so of pass@k's mean."""
    digest = hashlib.sha256(f"{seed}|{','.join(map(str, prompt))}".encode()).digest()
    return int.from_bytes(digest[:4], "big")
