"""Answers of the grammar judged by this project and by math-verify: `python -m tests.rewards.bench_grammar`.

Prints, by group or kind of answer, the share of wrong answers that are paid and of right ones that are not.
"""

import argparse
import contextlib
import io
import logging
import signal
import time
from collections.abc import Callable, Iterator
from itertools import takewhile
from types import FrameType
from typing import Never

from rewards import compute_score
from tests.rewards.bench_math import math_verify_scorer
from tests.rewards.grammar.pair import GROUP_OF, Pair, pairs
from tests.rewards.grammar.rates import Rates, rates

_LIMIT_S = 3.0  # of math-verify, for reading and comparing, in CPU time: a busy machine makes nothing late
_NOT_MEASURED = "not measured"


class _Late(BaseException):
    """Past what math-verify catches."""


def ours(pair: Pair) -> bool:
    """This project's verdict."""
    return compute_score(pair.source, pair.response, pair.gold)["acc"] == 1.0


def of_math_verify() -> Callable[[Pair], bool] | None:
    """math-verify's, an exception and a limit being a wrong answer; None where it is not installed."""
    try:
        score = math_verify_scorer()
    except ImportError:
        return None

    def verdict(pair: Pair) -> bool:
        with contextlib.suppress(Exception, _Late), _limited(), contextlib.redirect_stdout(io.StringIO()):
            return score(pair.response, pair.gold)
        return False

    return verdict


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> Never:
        raise _Late

    signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, _LIMIT_S, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def share(count: int, of: int) -> str:
    """`0`, or a percentage; `-` of none."""
    return "-" if not of else f"{100 * count / of:.3g} %" if count else "0"


def row(name: str, kinds: list[str], found: list[Rates | None]) -> str:
    """A line of the table: of each scorer pairs, and the shares paid and lost."""
    cells = []
    for one in found:
        if one is None:
            cells += [_NOT_MEASURED] * 3
            continue
        right, wrong, paid, lost = (
            sum(of[kind] for kind in kinds) for of in (one.right, one.wrong, one.paid, one.lost)
        )
        cells += [f"{right + wrong:,}", share(paid, wrong), share(lost, right)]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=60.0, help="for math-verify, which judges what it can in them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", action="store_true", help="a line for each kind, not for each group")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    drawn = list(pairs(options.pairs, options.seed))
    peer = of_math_verify()
    end = time.monotonic() + 60 * options.minutes
    timely = takewhile(lambda _: time.monotonic() < end, drawn)
    found: list[Rates | None] = [rates(drawn, ours), rates(timely, peer) if peer is not None else None]
    print("| answers | ours: pairs | wrong paid | right lost | math-verify: pairs | wrong paid | right lost |")
    print("|---|---|---|---|---|---|---|")
    lines: dict[str, list[str]] = {}
    for kind, group in GROUP_OF.items():
        lines.setdefault(kind if options.kinds else group, []).append(kind)
    for name, kinds in lines.items():
        print(row(name, kinds, found))
    print(row("all", list(GROUP_OF), found))


if __name__ == "__main__":
    main()
