"""The level of a size that no training row has: what the k(N) law leaves open, and what published predictions tune.

arXiv 2509.25300 gives every size a free level E(N) and fits that of the predicted size to the predicted size's own
measurements. A prediction has to get it from the other sizes. No rule for that is established; three plain ones are
averaged in log y: in rolling tests on the published base curves up to 32B (predict 7B, 14B, 32B from the smaller ones,
both axes) the mean of the three was off by .053, each alone by .059 to .068. `docs/laws.md` has what else was tried.
"""

from enum import StrEnum

import numpy as np

from analysis.laws.problem import Problem
from analysis.laws.sample import Floats


class LevelRule(StrEnum):
    """How the level at the reference x (geometric mean of the training x) continues to another size."""

    line = "log y at the reference x is a line in log N"
    logit = "logit y at the reference x is a line in log N"
    crossing = "the curves of all sizes cross in one point: the level is a line in k(N)"


def rules_for(y: Floats) -> tuple[LevelRule, ...]:
    """Rules that make sense: a logit needs shares."""
    shares = bool(np.all((y > 0) & (y < 1)))
    return tuple(rule for rule in LevelRule if shares or rule is not LevelRule.logit)


def level_by(rule: LevelRule, problem: Problem, coordinates: Floats, sizes: Floats) -> Floats:
    """log10 y at the reference x of unseen sizes: draws x sizes. Independent of the units of x and N."""
    known = np.array([problem.columns.values["n"][problem.columns.group == i][0] for i in range(len(problem.groups))])
    levels = coordinates[:, -len(known) :]
    at, there = np.tile(np.log(known), (len(levels), 1)), np.tile(np.log(sizes), (len(levels), 1))
    if rule is LevelRule.crossing:
        scale = problem.theta_of(coordinates)[:, :1]
        at, there = 1.0 / (1.0 + scale / known), 1.0 / (1.0 + scale / sizes)
    elif rule is LevelRule.logit:
        share = np.clip(10.0**levels, 1e-6, 1 - 1e-6)
        levels = np.log(share / (1 - share))
    centre = at.mean(axis=1, keepdims=True)
    off = at - centre
    slope = (off * levels).sum(axis=1, keepdims=True) / (off**2).sum(axis=1, keepdims=True)
    found = levels.mean(axis=1, keepdims=True) + slope * (there - centre)
    if rule is LevelRule.logit:
        return np.asarray(-np.log10(1.0 + np.exp(-found)))
    return np.asarray(found)
