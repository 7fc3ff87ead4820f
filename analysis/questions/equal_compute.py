"""Arms of a panel moved along their own validation curves to the least training compute C* among them.

error* = error (C / C*)^alpha, with the uncertainty of alpha drawn along; the arm that defines C* is not moved.
"""

from dataclasses import dataclass

import numpy as np

from analysis.estimates.panel import Panel, between, two_sided
from analysis.passk.estimate import Estimate
from analysis.questions.curve_laws import arm_laws
from analysis.runs.checkpoints import Axis
from analysis.runs.counts import Floats
from analysis.runs.spent import mean_flops


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Arms at the same compute; those of `at_end` had no more and were not moved."""

    found: Panel
    compute: float  # C*, FLOPs
    values: Floats
    draws: Floats
    at_end: frozenset[int]

    def gap(self, i: int, j: int) -> tuple[Estimate, float | None]:
        """(arm i minus arm j, two-sided p of no difference)."""
        if self.at_end.issuperset((i, j)):
            gap = self.found.gap(i, j)
            return gap.interval(), gap.p_value()
        draws = self.draws[:, i] - self.draws[:, j]
        return between(float(self.values[i] - self.values[j]), draws), two_sided(draws)


def at_equal_compute(found: Panel, notes: list[str]) -> tuple[Moved | None, str | None]:
    """(arms at C*, why not); adds to the notes."""
    totals = [mean_flops(run.row for run in arm.runs) for arm in found.arms]
    known = [total for total in totals if total is not None]
    if len(known) < len(totals):
        return None, "training FLOPs were not counted for every run"
    least = min(known)
    rng = np.random.default_rng(66103)
    values, draws, at_end = found.values, found.draws.copy(), set()
    for i, (arm, total) in enumerate(zip(found.arms, known, strict=True)):
        if total <= least * 1.001:
            at_end.add(i)
            continue
        laws = arm_laws([arm], Axis.compute, notes)
        law = laws[0].law if laws else None
        if law is None or law.spread is None:
            return None, f"{arm.label} has no validation curve that carries a law"
        place = list(law.fit.problem.names).index("alpha")
        error = float(np.sqrt(law.spread[place, place]))
        alpha = law.fit.natural["alpha"]
        steps = alpha + error * rng.standard_t(law.df, size=len(draws))
        values[i] = 1 - (1 - values[i]) * (total / least) ** alpha
        draws[:, i] = 1 - (1 - draws[:, i]) * (total / least) ** steps
    moved = Moved(found=found, compute=least, values=values, draws=draws, at_end=frozenset(at_end))
    return moved, None
