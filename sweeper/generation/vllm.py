"""Generation with vLLM, for machines with GPUs."""

import hashlib
import math
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from sweeper.generation.sampling import Prompt, Sample, Sampling, Take

AT_ONCE = 1024  # sequences that one engine decodes together, as vLLM has it on GPUs with 70 GiB or more


class VllmEngine:
    """vLLM's offline engine over the GPUs that this process may see."""

    def __init__(self, engine: Any, parameters: Callable[..., Any], *, seed: int) -> None:
        """Args are vLLM's `LLMEngine` and its `SamplingParams`, and the seed of all draws."""
        self._engine, self._parameters, self._seed = engine, parameters, seed

    @classmethod
    def load(cls, path: Path, *, tensor_parallel: int, seed: int, gpu_memory_utilization: float = 0.85) -> Self:
        """Load a folder in Hugging Face's format over `tensor_parallel` GPUs."""
        from vllm import LLM, SamplingParams

        llm = LLM(
            model=str(path),
            tensor_parallel_size=tensor_parallel,
            gpu_memory_utilization=gpu_memory_utilization,
            enable_prefix_caching=True,
        )
        return cls(llm.llm_engine, SamplingParams, seed=seed)

    def answers(self, take: Take, *, n: int, sampling: Sampling) -> Iterator[list[tuple[int, list[Sample]]]]:
        """See `Engine`. New prompts come in whenever fewer than `AT_ONCE` samples are unfinished."""
        found: defaultdict[int, list[Sample]] = defaultdict(list)
        is_more = True
        while True:
            while is_more and (room := AT_ONCE - self._engine.get_num_unfinished_requests()) > 0:
                given = take(math.ceil(room / n))
                is_more = bool(given)
                for number, prompt in given:
                    self._ask(number, prompt, n, sampling)
            if not self._engine.has_unfinished_requests():
                return
            done = []
            for answer in self._engine.step():
                if answer.finished:
                    number = int(answer.request_id.partition("/")[0])
                    (output,) = answer.outputs
                    # Four bytes a token, where Python's numbers take some forty.
                    found[number].append(Sample(array("i", output.token_ids), None, output.finish_reason == "stop"))
                    if len(found[number]) == n:
                        done.append((number, found.pop(number)))
            if done:
                yield done

    def _ask(self, number: int, prompt: Prompt, n: int, sampling: Sampling) -> None:
        """Each sample is a request of its own, as vLLM itself takes `n` apart: so it is known which have ended."""
        seed = _seed(self._seed, prompt.token_ids) + prompt.earlier
        for draw in range(n):
            parameters = self._parameters(
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                top_k=sampling.top_k,
                max_tokens=sampling.max_tokens,
                seed=seed + draw,
                detokenize=False,
            )
            self._engine.add_request(f"{number}/{draw}", {"prompt_token_ids": list(prompt.token_ids)}, parameters)


def _seed(seed: int, prompt: Sequence[int]) -> int:
    """A prompt's own seed: one seed for all would correlate the noise of all problems, and so of pass@k's mean."""
    digest = hashlib.sha256(f"{seed}|{','.join(map(str, prompt))}".encode()).digest()
    return int.from_bytes(digest[:4], "big")
