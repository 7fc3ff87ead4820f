"""A second scorer beside that of a run: math-verify for mathematics, the same tests in another isolation for programs.

Where the two differ more and more along training, a policy may have found what one of them gets wrong.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from rewards.math.algebra.judge import NotJudged, judge_response
from rewards.problem.domains import Domain, UnknownDataSource, domain_of
from rewards.problem.question import gold_text
from rewards.problem.verdict import Outcome
from rewards.program import UserError
from rewards.route.router import ScoreItem
from rewards.sandbox.walls.isolation import LEVEL_VARIABLE, LOCAL, URL_VARIABLE, Level, attempt
from rewards.sandbox.worker import pool_size

MATH_VERIFY = "math-verify"


def second_scorer(data_source: str) -> str | None:
    """What judges answers of a source a second time, in words; None: nothing does.

    Whether programs can be run in two isolations is found by starting a process in each of them, once.
    """
    try:
        domain = domain_of(data_source)
    except UnknownDataSource:
        return None
    if domain is Domain.MATH:
        return MATH_VERIFY
    other = other_isolation() if domain is Domain.CODE else None
    return None if other is None else f"unit tests in isolation {other}"


@lru_cache(maxsize=1)
def other_isolation() -> Level | None:
    """The strongest isolation of programs that holds here beside the one in use; None: there is one at most."""
    holding = [level for level in LOCAL if attempt(level).holds]
    holding += [Level.REMOTE] if os.environ.get(URL_VARIABLE) else []
    in_use = os.environ.get(LEVEL_VARIABLE) or next(iter(holding), None)
    return next((level for level in holding if level != in_use), None)


def second_verdicts(items: Sequence[ScoreItem], limits: Sequence[str] = ()) -> list[bool | None]:
    """Whether the second scorer takes each answer for right; None: it was late, or failed.

    Args:
        items: Of sources that have a second scorer, many at once.
        limits: Of programs, as `rewards.compute_score` takes them.

    Raises:
        MathVerifyMissing: math-verify is not installed; says how to install it.
        UserError: Programs could not be scored in the other isolation; says why.
    """
    programs = [place for place, item in enumerate(items) if domain_of(item.data_source) is Domain.CODE]
    found: dict[int, bool | None] = dict(
        zip(programs, _elsewhere([items[place] for place in programs], limits), strict=True)
    )
    rest = [place for place in range(len(items)) if place not in found]
    with ThreadPoolExecutor(max_workers=pool_size(), thread_name_prefix="second") as executor:
        found |= dict(zip(rest, executor.map(_by_math_verify, (items[place] for place in rest)), strict=True))
    return [found[place] for place in range(len(items))]


def _by_math_verify(item: ScoreItem) -> bool | None:
    return _found_equal(item.solution_str, gold_text(item.ground_truth).rpartition("####")[2].strip())


@lru_cache(maxsize=65_536)
def _found_equal(response: str, gold: str) -> bool | None:
    try:
        return judge_response(response, gold)
    except NotJudged:
        return None


def _elsewhere(items: Sequence[ScoreItem], limits: Sequence[str]) -> list[bool | None]:
    """In a process of its own: this one has taken, or will take, the isolation in use."""
    if not items:
        return []
    lines = [
        {
            "data_source": item.data_source,
            "solution_str": item.solution_str,
            "ground_truth": gold_text(item.ground_truth),
            "extra_info": item.extra_info,
        }
        for item in items
    ]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "rewards.audit.elsewhere", *limits],
        input="".join(json.dumps(line, default=str) + "\n" for line in lines),
        env=os.environ | {LEVEL_VARIABLE: str(other_isolation())},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    outcomes = done.stdout.split()
    if done.returncode or len(outcomes) != len(items):
        raise UserError(f"programs could not be scored in isolation {other_isolation()}: see the lines above")
    late = (Outcome.TIMEOUT, Outcome.ERROR)
    return [None if outcome in late else outcome == Outcome.CORRECT for outcome in outcomes]
