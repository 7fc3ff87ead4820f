"""One process of an evaluation: a copy of the model, which answers the problems that it is dealt."""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sweeper.evaluation.acting import Acting
from sweeper.evaluation.dealing import Deal
from sweeper.evaluation.kept_blocks import shard_path
from sweeper.evaluation.problems import Problem, prompts_of, read_problems
from sweeper.evaluation.scoring import Answered, Scoring
from sweeper.generation import Prompt, Sample, Sampling
from sweeper.generation.sampling import Engine
from sweeper.generation.vllm import VllmEngine, seed_of

if TYPE_CHECKING:
    from sweeper.evaluation.trajectories import Player


def work(options: argparse.Namespace, deal: Deal, name: str) -> None:
    """Take problems, answer and score them until all are dealt.

    Args:
        options: `evaluate.parse`'s; says which model, how to sample and how to score.
        deal: What is left.
        name: This process's among those that take, and of the file of what it measures.

    Raises:
        RunFailedError: the process that scores has ended.
    """
    begun = time.monotonic()
    with Scoring(shard_path(options.out, options.start, name), deal, options.reward, options.limit) as scoring:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(options.model)
        acting = Acting.read(options.agent) if options.agent is not None else None
        problems = read_problems(options.data, tokenizer, acting.schemas if acting else ())
        prompts = prompts_of(problems, options.n)
        engine = _engine(options, tokenizer, _longest(options, problems, acting), engine_seed(options, deal, name))
        sampling = Sampling(temperature=options.temperature, top_p=options.top_p, max_tokens=options.max_tokens)

        def take(most: int) -> list[tuple[int, Prompt]]:
            return [(place, prompts[place]) for place in deal.take(most)]

        loaded = time.monotonic()
        if acting is None:
            for answers in engine.answers(take, n=options.n, sampling=sampling):
                scoring.add([_answered(tokenizer, problems[place], samples) for place, samples in answers])
        else:
            for played in _player(options, acting, tokenizer, sampling).answers(engine, take, problems, options.n):
                scoring.add(played)
        generated = time.monotonic()
        scoring.finish()
        load_s, generate_s, rest_s = loaded - begun, generated - loaded, time.monotonic() - generated
        print(
            f"load {load_s:.1f} s, generate {generate_s:.1f} s, score {scoring.seconds:.1f} s beside it, "
            f"{rest_s:.1f} s of them after it",
            file=sys.stderr,
        )


def _longest(options: argparse.Namespace, problems: Sequence[Problem], acting: Acting | None) -> int:
    """Most tokens of a prompt and what comes behind it."""
    prompt = max(len(problem.prompt_ids) for problem in problems)
    response: int = options.max_tokens
    return prompt + response if acting is None else acting.longest(prompt, response)


def _player(options: argparse.Namespace, acting: Acting, tokenizer: Any, sampling: Sampling) -> "Player":
    from transformers import AutoConfig

    from sweeper.evaluation.trajectories import Player

    return Player(acting, tokenizer, AutoConfig.from_pretrained(options.model).model_type, sampling)


def _answered(tokenizer: Any, problem: Problem, samples: Sequence[Sample]) -> Answered:
    return Answered(
        problem=problem,
        texts=tokenizer.batch_decode([list(one.token_ids) for one in samples], skip_special_tokens=True),
        finished=[one.finished for one in samples],
        tokens=[len(one.token_ids) for one in samples],
    )


def engine_seed(options: argparse.Namespace, deal: Deal, name: str) -> int:
    """Of a vLLM engine: other than those of all engines whose samples are counted with its own.

    They are of other processes, or of a start before more was measured; and a model's are not those of another.
    """
    return seed_of(options.seed, options.model, name, deal.total - len(deal.left))


def _engine(options: argparse.Namespace, tokenizer: Any, longest: int, seed: int) -> Engine:
    if options.engine == "vllm":
        return VllmEngine.load(options.model, tensor_parallel=options.tensor_parallel, longest=longest, seed=seed)
    from sweeper.generation.cpu import CpuEngine

    return CpuEngine.load(options.model, pad_id=tokenizer.pad_token_id or 0, seed=options.seed)
