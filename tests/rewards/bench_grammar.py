"""Answers of the grammar judged by this project and by math-verify: `python -m tests.rewards.bench_grammar`.

Prints, by group or kind of answer, the share of wrong answers that are paid and of right ones that are not.
"""

import argparse
import contextlib
import io
import logging
from collections.abc import Callable

from rewards import compute_score
from tests.rewards.bench_math import Scorer, math_verify_scorer
from tests.rewards.grammar.pair import GROUP_OF, Pair, pairs
from tests.rewards.grammar.rates import Rates, rates

_LIMIT_S = 3  # of math-verify, for reading and for comparing
_NOT_MEASURED = "not measured"


def ours(pair: Pair) -> bool:
    """This project's verdict."""
    return compute_score(pair.source, pair.response, pair.gold)["acc"] == 1.0


def of_math_verify() -> Callable[[Pair], bool] | None:
    """math-verify's, an exception being a wrong answer; None where it is not installed."""
    try:
        score: Scorer = math_verify_scorer(_LIMIT_S)
    except ImportError:
        return None

    def verdict(pair: Pair) -> bool:
        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
            return score(pair.response, pair.gold)
        return False

    return verdict


def share(count: int, of: int) -> str:
    """`0`, or a percentage with one decimal."""
    return f"{100 * count / of:.1f} %" if count else "0"


def row(name: str, kinds: list[str], found: list[Rates | None]) -> str:
    """A line of the table: pairs, then the shares paid and lost of each scorer."""
    sums = [
        {part: sum(getattr(one, part)[kind] for kind in kinds) for part in ("right", "wrong", "paid", "lost")}
        if one is not None
        else None
        for one in found
    ]
    first = sums[0] or {}
    cells = [f"{first['right'] + first['wrong']:,}"]
    for counts in sums:
        cells += (
            [_NOT_MEASURED] * 2
            if counts is None
            else [share(counts["paid"], counts["wrong"]), share(counts["lost"], counts["right"])]
        )
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", action="store_true", help="a line for each kind, not for each group")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    drawn = list(pairs(options.pairs, options.seed))
    peer = of_math_verify()
    found: list[Rates | None] = [rates(drawn, ours), rates(drawn, peer) if peer is not None else None]
    print("| answers | pairs | ours: wrong paid | right lost | math-verify: wrong paid | right lost |")
    print("|---|---|---|---|---|---|")
    lines: dict[str, list[str]] = {}
    for kind, group in GROUP_OF.items():
        lines.setdefault(kind if options.kinds else group, []).append(kind)
    for name, kinds in lines.items():
        print(row(name, kinds, found))
    print(row("all", list(GROUP_OF), found))


if __name__ == "__main__":
    main()
