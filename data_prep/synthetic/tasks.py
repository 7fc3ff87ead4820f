"""Endless, deterministic, difficulty-graded tasks in Guru's schema for four domains.

Sized for transformers of 40 thousand to 3 million parameters: with a byte tokenizer that holds `SPECIAL_STRINGS`
as single tokens, prompts take at most 48 tokens and solutions at most 24. Train and held-out problems are disjoint
by construction: a hash of the prompt decides, whatever the seed. The real scorers of `rewards` score them.
"""

import hashlib
import itertools
import random
from collections.abc import Callable, Iterator
from enum import StrEnum
from types import ModuleType

from data_prep.spec import DataError
from data_prep.synthetic import code, logic, math, stem
from data_prep.synthetic.problem import Problem
from rewards import Domain

# Part of every synthetic run's identity: changes whenever any generated row changes.
GENERATOR_VERSION = "2"

DOMAINS: tuple[Domain, ...] = (Domain.MATH, Domain.CODE, Domain.LOGIC, Domain.STEM)

# Frequent strings, most important first. Turned into byte-pair merges in this order (each string built up from
# its left end, one character a merge), every one of them is encoded as a single token.
SPECIAL_STRINGS: tuple[str, ...] = (
    "\n```",
    "```python\n",
    "def f(x):return ",
    "\\boxed{",
    "<answer>",
    "</answer>",
    "Python: ",
    "Sort: ",
    "minus ",
    "times ",
    "add ",
    "mod ",
    "div ",
    ", ",
    ". ",
    "? A)",
    " B)",
    " C)",
    " D)",
    "=?",
    "//",
    "f(",
    ")=",
)

_HELD_OUT_SHARE = 0.2
_GENERATORS: dict[Domain, ModuleType] = {
    Domain.MATH: math,
    Domain.CODE: code,
    Domain.LOGIC: logic,
    Domain.STEM: stem,
}
_ATTEMPTS = 2000


class Split(StrEnum):
    """Which side of the hash a problem falls on."""

    TRAIN = "train"
    HELD_OUT = "held_out"


def split_of(prompt: str) -> Split:
    """The split of a problem, from its text alone; one in five is held out."""
    digest = hashlib.sha256(f"split|{prompt}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return Split.HELD_OUT if share < _HELD_OUT_SHARE else Split.TRAIN


def problems(domain: Domain, split: Split, *, seed: int, may_repeat: bool = False) -> Iterator[Problem]:
    """An endless stream of problems; the same shares of all levels at every length.

    Args:
        domain: One of `DOMAINS`.
        split: Side of the hash.
        seed: A stream is determined by domain, split and seed; shorter and longer draws from it nest.
        may_repeat: Whether a problem may come again; otherwise all are different.

    Raises:
        DataError: The domain has no generator, or a level has run out of new problems.
    """
    generator = _generator(domain)
    seen: set[str] = set()
    for index in itertools.count():
        rng = random.Random(f"{GENERATOR_VERSION}|{domain}|{seed}|{index}")
        level = _level(index, generator.LEVELS, f"{domain}|{seed}")
        problem = _new_problem(generator.generate, level, rng, split, seen)
        if not may_repeat:
            seen.add(problem.prompt)
        yield problem


def _level(index: int, levels: int, salt: str) -> int:
    """Easier levels come more often: in every run of 1 + 2 + ... + L problems, level k comes L + 1 - k times.

    With the mass on easy levels the smallest models have something to learn from; the hard tail keeps the largest
    below 1.
    """
    run = [level for level in range(1, levels + 1) for _ in range(levels + 1 - level)]
    block, place = divmod(index, len(run))
    random.Random(f"{GENERATOR_VERSION}|levels|{salt}|{block}").shuffle(run)
    return run[place]


def _generator(domain: Domain) -> ModuleType:
    if domain not in _GENERATORS:
        raise DataError(
            f"there are no synthetic tasks for domain {domain} (domain_mix). "
            f"Synthetic domains: {', '.join(DOMAINS)}. Set data_root to a folder with {domain} rows."
        )
    return _GENERATORS[domain]


def _new_problem(
    generate: Callable[[int, random.Random], Problem],
    level: int,
    rng: random.Random,
    split: Split,
    seen: set[str],
) -> Problem:
    for _ in range(_ATTEMPTS):
        problem = generate(level, rng)
        if problem.prompt not in seen and split_of(problem.prompt) is split:
            return problem
    raise DataError(
        f"no new {split} problem of level {level} in {_ATTEMPTS} attempts after {len(seen)} problems "
        "(data_scale.n_unique). Ask for fewer, or spread them over more domains."
    )


def problem_id(problem: Problem) -> str:
    """A stable name for the problem: the domain and 16 hex digits of its text's hash."""
    digest = hashlib.sha256(problem.prompt.encode()).hexdigest()
    return f"{problem.domain}-{digest[:16]}"


def warm_start_rows(n: int, *, seed: int, error_rate: float) -> list[dict[str, object]]:
    """Rows for verl's supervised fine-tuning (`MultiTurnSFTDataset`), from train problems only, domains in turn.

    Args:
        n: Rows.
        seed: Decides problems and mistakes.
        error_rate: Share of rows, 0 to 1, whose solution is wrong, exactly (rounded to a row). Pretraining data are
            imperfect too; what a model learns from them is a mixture that reinforcement can sharpen.

    Returns:
        `messages` (the user's prompt, the assistant's solution), `data_source` and `is_correct`.

    Raises:
        ValueError: error_rate outside [0, 1].
    """
    if not 0.0 <= error_rate <= 1.0:
        raise ValueError(f"error_rate={error_rate} must be in [0, 1]")
    streams = [problems(domain, Split.TRAIN, seed=seed, may_repeat=True) for domain in DOMAINS]
    rng = random.Random(f"{GENERATOR_VERSION}|warm start|{seed}")
    wrong = set(rng.sample(range(n), round(n * error_rate)))
    rows: list[dict[str, object]] = []
    for index in range(n):
        problem = next(streams[index % len(streams)])
        is_correct = index not in wrong
        answer = problem.solution if is_correct else rng.choice(problem.mistakes)
        rows.append(
            {
                "messages": [
                    {"role": "user", "content": problem.prompt},
                    {"role": "assistant", "content": answer},
                ],
                "data_source": problem.data_source,
                "is_correct": is_correct,
            }
        )
    return rows
