"""Generation with vLLM, for machines with GPUs.

An engine has a seed, a request has none: for seeded ones vLLM 0.24 draws row by row, a kernel launch each per token
(`v1/sample/ops/topk_topp_sampler.py`; Qwen2 is not among the architectures for its newer model runner, which is
spared that). Without, the rows of a batch are parts of one stream (or have seeds drawn from one, in the newer
runner), so samples are independent. Which part a sample gets hangs on what is beside it: nothing is drawn twice.
"""

import hashlib
import math
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Self

from sweeper.generation.sampling import Request, Sample, Sampling, Take

AT_ONCE = 1024  # sequences that one engine decodes together, as vLLM has it on GPUs with 70 GiB or more


class VllmEngine:
    """vLLM's offline engine over the GPUs that this process may see."""

    def __init__(self, engine: Any, parameters: Callable[..., Any]) -> None:
        """Args are vLLM's `LLMEngine` and its `SamplingParams`."""
        self._engine, self._parameters = engine, parameters
        self._rounds = count()

    @classmethod
    def load(cls, path: Path, *, tensor_parallel: int, longest: int, seed: int) -> Self:
        """Load a folder in Hugging Face's format; see `engine_arguments`."""
        from vllm import LLM, SamplingParams
        from vllm.sampling_params import RequestOutputKind

        llm = LLM(**engine_arguments(path, tensor_parallel=tensor_parallel, longest=longest, seed=seed))
        # Else vLLM tells every step of every request.
        return cls(llm.llm_engine, partial(SamplingParams, output_kind=RequestOutputKind.FINAL_ONLY))

    def answers(self, take: Take, *, n: int, sampling: Sampling) -> Iterator[list[tuple[int, list[Sample]]]]:
        """See `Engine`. New prompts come in whenever fewer than `AT_ONCE` samples are unfinished.

        Each sample is a request of its own, as vLLM itself takes `n` apart: so it is known which have ended.
        """
        parameters = self._parameters(**sampling_arguments(sampling))
        found: defaultdict[int, list[Sample]] = defaultdict(list)
        is_more = True
        while True:
            while is_more and (room := AT_ONCE - self._engine.get_num_unfinished_requests()) > 0:
                given = take(math.ceil(room / n))
                is_more = bool(given)
                for number, prompt in given:
                    asked = _asked(prompt.token_ids)
                    for draw in range(n):
                        self._engine.add_request(f"{number}/{draw}", asked, parameters)
            if not self._engine.has_unfinished_requests():
                return
            done = []
            for answer in self._engine.step():
                if answer.finished:
                    number = int(answer.request_id.partition("/")[0])
                    found[number].append(_sample(answer))
                    if len(found[number]) == n:
                        done.append((number, found.pop(number)))
            if done:
                yield done

    def round(self, requests: Sequence[Request], *, sampling: Sampling) -> list[Sample]:
        """See `Engine`; of what came before a turn vLLM's prefix cache keeps the keys and values as long as they fit.

        Draws are parts of the engine's stream, as all are: `Request.draw` is not looked at.
        """
        name, arguments = f"round-{next(self._rounds)}", sampling_arguments(sampling)
        for number, request in enumerate(requests):
            parameters = self._parameters(**arguments | {"max_tokens": request.limit})
            self._engine.add_request(f"{number}/{name}", _asked(request.token_ids), parameters)
        found = dict[int, Sample]()
        while self._engine.has_unfinished_requests():
            for answer in self._engine.step():
                if answer.finished:
                    found[int(answer.request_id.partition("/")[0])] = _sample(answer)
        return [found[number] for number in range(len(requests))]


def _asked(token_ids: Sequence[int]) -> dict[str, Any]:
    """A prompt as vLLM's own renderer makes it."""
    return {"type": "token", "prompt_token_ids": list(token_ids)}


def _sample(answer: Any) -> Sample:
    """Of vLLM's answer to a request; four bytes a token, where Python's numbers take some forty."""
    (output,) = answer.outputs
    return Sample(array("i", output.token_ids), None, output.finish_reason == "stop")


def engine_arguments(path: Path, *, tensor_parallel: int, longest: int, seed: int) -> dict[str, Any]:
    """What vLLM's `LLM` is given.

    Args:
        path: Folder in Hugging Face's format.
        tensor_parallel: GPUs that the model spans.
        longest: Tokens of the longest prompt and response together. A model's own limit may be 131,072, for one
            sequence of which vLLM would want room, and refuse a GPU that has none.
        seed: Of the engine's stream; `seed_of` makes one.
    """
    return {
        "model": str(path),
        "tensor_parallel_size": tensor_parallel,
        "gpu_memory_utilization": 0.85,
        "enable_prefix_caching": True,  # the samples of a prompt share its keys and values
        "max_model_len": longest,
        "max_num_seqs": AT_ONCE,
        # Without it vLLM captures graphs for at most 512 sequences, and launches kernel by kernel above.
        "compilation_config": {"max_cudagraph_capture_size": AT_ONCE},
        "seed": seed,
    }


def sampling_arguments(sampling: Sampling) -> dict[str, Any]:
    """What vLLM's `SamplingParams` is given; no seed."""
    stops = {"stop_token_ids": list(sampling.stops)} if sampling.stops else {}
    return stops | {
        "n": 1,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "max_tokens": sampling.max_tokens,
        "detokenize": False,
    }


def seed_of(*parts: object) -> int:
    """A seed below 2^31 that hangs on all parts: engines of one seed would draw the same noise for other prompts."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
