"""`python -m tests.rewards.code_accuracy` prints the accuracy on all labelled answers to code problems."""

import sys
import time

from rewards import BadGroundTruth, compute_score
from tests.rewards.code_cases import CASES, Family
from tests.rewards.code_cheats import CHEATS

_SLOW_S = 5.0


def main() -> None:
    """Prints the accuracy by family and every disagreement."""
    cases = [*CASES, *CHEATS]
    wrong: dict[Family, int] = dict.fromkeys(Family, 0)
    for case in cases:
        start = time.perf_counter()
        try:
            scored = compute_score(case.source, case.response, case.gold, {"prefix": case.prefix})
            passed, outcome = scored["acc"] == 1.0, scored["outcome"]
        except BadGroundTruth as error:
            passed, outcome = not case.right, repr(error)
        seconds = time.perf_counter() - start
        if passed is not case.right or seconds > _SLOW_S:
            wrong[case.family] += passed is not case.right
            sys.stdout.write(f"{case.family} | {case.name}: {outcome} ({seconds:.1f} s), label {case.right}\n")
    for family in Family:
        count = sum(case.family is family for case in cases)
        sys.stdout.write(f"{family}: {count - wrong[family]}/{count}\n")
    sys.stdout.write(f"all: {len(cases) - sum(wrong.values())}/{len(cases)}\n")


if __name__ == "__main__":
    main()
