"""Endless, deterministic, difficulty-graded tasks in Guru's schema: four domains to answer, three to act in.

Sized for transformers of 40 thousand to 3 million parameters: with a byte tokenizer that holds `SPECIAL_STRINGS`
as single tokens, prompts take at most 48 tokens and solutions at most 24. Train and held-out problems are disjoint
by construction: a hash of the prompt decides, or the region of a country, whatever the seed. The real scorers of
`rewards` score them.
"""

import hashlib
import itertools
import random
from collections.abc import Callable, Iterator
from enum import StrEnum
from types import ModuleType

from data_prep.spec import DataError, Tasks
from data_prep.synthetic import chain, code, higher_lower, logic, lookup, math, stem
from data_prep.synthetic.problem import Problem
from data_prep.synthetic.tool_call import TOOL_STRINGS
from rewards import Domain

# Part of every synthetic run's identity: changes whenever any generated row changes.
GENERATOR_VERSION = "2"
_AGENT_VERSION = "agent 2"
VERSIONS = {Tasks.answers: GENERATOR_VERSION, Tasks.agent: _AGENT_VERSION}

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
_AGENT_STRINGS = (*TOOL_STRINGS, "\\boxed{", "=?", *(f"{relation} of " for relation in lookup.RELATIONS))
STRINGS = {Tasks.answers: SPECIAL_STRINGS, Tasks.agent: _AGENT_STRINGS}

_HELD_OUT_SHARE = 0.2
_GENERATORS: dict[Tasks, dict[Domain, ModuleType]] = {
    Tasks.answers: {Domain.MATH: math, Domain.CODE: code, Domain.LOGIC: logic, Domain.STEM: stem},
    Tasks.agent: {Domain.MATH: chain, Domain.LOGIC: higher_lower, Domain.STEM: lookup},
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


def side_of(problem: Problem) -> Split:
    """The split of a problem: as it says itself, else as its text does."""
    if problem.held_out is None:
        return split_of(problem.prompt)
    return Split.HELD_OUT if problem.held_out else Split.TRAIN


def task_domains(tasks: Tasks) -> tuple[Domain, ...]:
    """The domains that have tasks of a kind."""
    return tuple(_GENERATORS[tasks])


def problems(
    domain: Domain, split: Split, *, seed: int, tasks: Tasks = Tasks.answers, may_repeat: bool = False
) -> Iterator[Problem]:
    """An endless stream of problems; the same shares of all levels at every length.

    Args:
        domain: One of `task_domains(tasks)`.
        split: Side of the hash.
        tasks: Which tasks.
        seed: A stream is determined by domain, split and seed; shorter and longer draws from it nest.
        may_repeat: Whether a problem may come again; otherwise all are different.

    Raises:
        DataError: The domain has no generator, or a level has run out of new problems.
    """
    generator, version = _generator(domain, tasks), VERSIONS[tasks]
    seen: set[str] = set()
    for index in itertools.count():
        rng = random.Random(f"{version}|{domain}|{seed}|{index}")
        level = level_of(index, generator.LEVELS, f"{version}|levels|{domain}|{seed}")
        problem = _new_problem(generator.generate, level, rng, split, seen)
        if not may_repeat:
            seen.add(problem.prompt)
        yield problem


def level_of(index: int, levels: int, salt: str) -> int:
    """Easier levels come more often: in every run of 1 + 2 + ... + L problems, level k comes L + 1 - k times.

    With the mass on easy levels the smallest models have something to learn from; the hard tail keeps the largest
    below 1.
    """
    run = [level for level in range(1, levels + 1) for _ in range(levels + 1 - level)]
    block, place = divmod(index, len(run))
    random.Random(f"{salt}|{block}").shuffle(run)
    return run[place]


def _generator(domain: Domain, tasks: Tasks) -> ModuleType:
    known = _GENERATORS[tasks]
    if domain not in known:
        kind = "" if tasks is Tasks.answers else f" with data.tasks={tasks}"
        raise DataError(
            f"there are no synthetic tasks for domain {domain} (domain_mix){kind}. "
            f"Synthetic domains: {', '.join(known)}. Set data_root to a folder with {domain} rows."
        )
    return known[domain]


def _new_problem(
    generate: Callable[[int, random.Random], Problem],
    level: int,
    rng: random.Random,
    split: Split,
    seen: set[str],
) -> Problem:
    for _ in range(_ATTEMPTS):
        problem = generate(level, rng)
        if problem.prompt not in seen and side_of(problem) is split:
            return problem
    raise DataError(
        f"no new {split} problem of level {level} in {_ATTEMPTS} attempts after {len(seen)} problems "
        "(data_scale.n_unique). Ask for fewer, or spread them over more domains."
    )


def problem_id(problem: Problem) -> str:
    """A stable name for the problem: the domain and 16 hex digits of its text's hash."""
    digest = hashlib.sha256(problem.prompt.encode()).hexdigest()
    return f"{problem.domain}-{digest[:16]}"
