"""Generation with vLLM, for machines with GPUs."""

from collections.abc import Sequence
from pathlib import Path

from sweeper.generation.sampling import Sample, Sampling


class VllmEngine:
    """vLLM's offline engine over the GPUs this process may see."""

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

        parameters = SamplingParams(
            n=n,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            max_tokens=sampling.max_tokens,
            seed=seed,
            logprobs=0,
            detokenize=False,
        )
        answers = self._llm.generate([{"prompt_token_ids": list(prompt)} for prompt in prompts], parameters)
        return [
            [
                Sample(
                    list(output.token_ids),
                    [
                        entry[token].logprob
                        for token, entry in zip(output.token_ids, output.logprobs or (), strict=False)
                    ],
                    output.finish_reason == "stop",
                )
                for output in answer.outputs
            ]
            for answer in answers
        ]
