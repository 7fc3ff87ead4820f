"""Throughput and accuracy of the mathematics scorer beside its peers: `python -m tests.rewards.bench_math`.

All run in this process and this run, on the labelled cases of `math_cases.txt`, so that the ratios hold on a busy
machine. math-verify runs without its time limits (they need signals) and verl's scorers as verl ships them, on the
cases on which none of them hangs.
"""

import argparse
import contextlib
import io
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from rewards.math.answer import score_math
from rewards.problem.verdict import Outcome
from tests.rewards.math_cases import MathCase, math_cases

GROUP = 8  # samples per prompt in GRPO

Scorer = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """Right verdicts on the core cases; `false_positives` are wrong answers that were rewarded."""

    right: int
    cases: int
    false_positives: int
    false_negatives: int


def ours(response: str, gold: str) -> bool:
    """This project's scorer."""
    return score_math(response, gold).outcome is Outcome.CORRECT


def math_verify_scorer(limit_s: int | None = None) -> Scorer:
    """math-verify with the box first, as its documentation recommends for model answers.

    Args:
        limit_s: Its own limit for reading and for comparing, by a signal to the main thread; None: none.
    """
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

    targets = (LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig())

    def score(response: str, gold: str) -> bool:
        expected = parse(f"\\boxed{{{gold}}}", targets, parsing_timeout=limit_s)
        given = parse(response, targets, parsing_timeout=limit_s)
        return bool(verify(expected, given, timeout_seconds=limit_s))

    return score


def peers() -> dict[str, Scorer]:
    """math-verify and verl's own scorers, those that are installed."""
    scorers: dict[str, Scorer] = {}
    with contextlib.suppress(ImportError):
        scorers["math-verify"] = math_verify_scorer()
    with contextlib.suppress(ImportError):
        from verl.utils.reward_score import math_dapo, math_reward, prime_math

        scorers["verl prime_math"] = lambda response, gold: bool(prime_math.compute_score(response, gold)[0])
        scorers["verl math_dapo"] = lambda response, gold: math_dapo.compute_score(response, gold)["score"] > 0
        scorers["verl math_reward"] = lambda response, gold: math_reward.compute_score(response, gold) > 0
    return scorers


def accuracy(score: Scorer, cases: list[MathCase]) -> Accuracy:
    """Verdicts on `cases`; an exception is a wrong answer."""
    wrong: list[MathCase] = []
    for case in cases:
        verdict = False
        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
            verdict = score(case.response, case.gold)
        if verdict is not case.is_equal:
            wrong.append(case)
    false_positives = sum(not case.is_equal for case in wrong)
    return Accuracy(
        right=len(cases) - len(wrong),
        cases=len(cases),
        false_positives=false_positives,
        false_negatives=len(wrong) - false_positives,
    )


def samples_per_second(score: Scorer, cases: list[MathCase], repeats: int) -> float:
    """Scored samples per second of wall time, each case `repeats` times in a row as in a GRPO group."""
    started = time.perf_counter()
    for case in cases:
        for _ in range(repeats):
            with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
                score(case.response, case.gold)
    return len(cases) * repeats / (time.perf_counter() - started)


def with_new_numbers(cases: list[MathCase], offset: int) -> list[MathCase]:
    """The cases with a remark in front of the answer, so that no cache of whole responses helps."""
    return [
        MathCase(
            family=case.family,
            response=f"Attempt {offset}.{index}: {case.response}",
            answer=case.answer,
            gold=case.gold,
            is_equal=case.is_equal,
            is_core=case.is_core,
        )
        for index, case in enumerate(cases)
    ]


def main() -> None:
    """Prints accuracy, and throughput with ratios to this project's."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=200, help="how many cases the throughput is measured on")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    core = [case for case in math_cases() if case.is_core]
    harmless = [case for case in core if case.family != "attack"]
    step = max(1, len(harmless) // options.cases)
    timed = harmless[::step]
    score_math("\\boxed{1}", "2")  # starts the algebra process, which is not what is measured
    time.sleep(3)
    scorers = {"ours": ours, **peers()}
    print(f"accuracy on {len(harmless)} core cases (without attacks, on which some peers never return)")
    for name, score in scorers.items():
        found = accuracy(score, harmless)
        print(
            f"  {name:18} {found.right / found.cases:.3f}   wrong but rewarded {found.false_positives:3}"
            f"   right but not {found.false_negatives:3}"
        )
    for title, repeats in (("distinct answers", 1), (f"groups of {GROUP} equal answers", GROUP)):
        print(f"throughput, {title} ({len(timed) * repeats} samples)")
        base = 0.0
        for name, score in scorers.items():
            _forget()
            rate = samples_per_second(score, with_new_numbers(timed, repeats), repeats)
            base = base or rate
            print(f"  {name:18} {rate:9.0f} samples/s   ours is {base / rate:6.1f} times as fast")


def _forget() -> None:
    """Empties this project's caches, so that every measurement starts cold."""
    from rewards.math import answer as math_answer

    for cached in (math_answer._is_equal, math_answer._normal, math_answer._tree):
        cached.cache_clear()


if __name__ == "__main__":
    main()
