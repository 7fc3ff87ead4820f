"""pass@k and its gain with intervals over problems: values from the row, intervals from the per-problem counts."""

from collections.abc import Sequence

import numpy as np

from analysis.estimates.panel import Arm, panel
from analysis.laws.student import Interval
from analysis.passk.crossed import crossed_mean
from analysis.passk.estimate import Estimate
from analysis.passk.interval import of_difference, over_problems
from analysis.runs.counts import Floats
from analysis.runs.selection import Point, Run
from sweeper.rows.clear_change import LEVEL, holm

TOLERANCE = 1e-9  # a row's pass@1 and the mean of its counts are the same number


def value_at(point: Point, k: int, *, base: bool = False, domain: str = "all", step: int | None = None) -> float | None:
    """pass@k, mean over seeds, after a `step` before the last where one is given; None where a seed has none."""
    values = [score.at(k) if (score := run.row.score(domain, base=base, step=step)) else None for run in point.runs]
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def pass_at(
    point: Point, k: int, *, base: bool = False, domain: str = "all", step: int | None = None
) -> Estimate | None:
    """As `value_at`, with its interval; without counts there is none."""
    mean = value_at(point, k, base=base, domain=domain, step=step)
    if mean is None:
        return None
    matrix = point.matrix(k, base=base, domain=domain, step=step)
    return _estimate(mean, over_problems(matrix) if matrix is not None and matrix.size else None)


def gain(point: Point, k: int = 1, *, domain: str = "all") -> Estimate | None:
    """Trained minus base pass@k; the interval pairs problems and is None unless both answered the same ones."""
    trained, base = value_at(point, k, domain=domain), value_at(point, k, base=True, domain=domain)
    if trained is None or base is None:
        return None
    paired = _paired_gains(point, k, domain)
    return _estimate(trained - base, None if paired is None else of_difference(paired))


def clear_gains(cells: Sequence[tuple[Point, int, str]]) -> list[int]:
    """Which of several gains are clear: what "clearly" means wherever gains are counted.

    Args:
        cells: (point, k, domain) of every gain that one sentence counts over.

    Returns:
        Of each 1: clearly up, -1: clearly down, 0: neither, or not known. Clear is a p-value of at most 0.05 (Student's
        t over the problems, and seeds, of `gain`), adjusted by Holm (1979) over all cells.
    """
    found = [None if (paired := _paired_gains(*cell)) is None else crossed_mean(paired) for cell in cells]
    adjusted = holm([None if item is None else item.p_value() for item in found])
    return [
        (1 if item.value > 0 else -1) if item is not None and p is not None and p <= LEVEL else 0
        for item, p in zip(found, adjusted, strict=True)
    ]


def _paired_gains(point: Point, k: int, domain: str) -> Floats | None:
    """Trained minus base pass@k, seeds x problems; None unless both answered the same problems."""
    after, before = point.matrix(k, domain=domain), point.matrix(k, base=True, domain=domain)
    if after is None or before is None or not point.paired or not after.size:
        return None
    differences = after - before
    return differences if np.isfinite(differences).all() else None


def mean_gain(points: Sequence[Point], *, domain: str = "all") -> Estimate | None:
    """Mean over points of the gain in pass@1.

    The interval pairs problems over all points, and is None unless all points share their problems.
    """
    gains = [gain(point, domain=domain) for point in points]
    known = [item.value for item in gains if item is not None]
    if not known or len(known) < len(points):
        return None
    value = float(np.mean(known))
    problems = {run.trained.problem_ids for point in points for run in point.runs if run.trained}
    if len(problems) != 1 or not all(point.paired for point in points):
        return Estimate(value, None, None)
    return _contrast(points, [1 / len(points)] * len(points), value, gain=True, domain=domain)


def step_up(smaller: Point, larger: Point) -> Estimate | None:
    """Trained pass@1 of one point minus another's; paired, the interval is None unless they share their problems."""
    low, high = pass_at(smaller, 1), pass_at(larger, 1)
    if low is None or high is None:
        return None
    value = high.value - low.value
    if smaller.problem_ids != larger.problem_ids:
        return Estimate(value, None, None)
    return _contrast([smaller, larger], [-1.0, 1.0], value, gain=False)


def _contrast(
    points: Sequence[Point], weights: Sequence[float], value: float, *, gain: bool, domain: str = "all"
) -> Estimate:
    """A weighted sum of points with the interval that `panel` gives it, if their counts allow one."""
    arms = [Arm(label=point.series, x=float(place), runs=point.runs) for place, point in enumerate(points)]
    found = panel(arms, gain=gain, domain=domain)
    return _estimate(value, None if isinstance(found, str) else found.contrast(weights).interval())


def _estimate(value: float, ends: Interval | Estimate | None) -> Estimate:
    return Estimate(value, ends.low, ends.high) if ends else Estimate(value, None, None)


def disagreement(run: Run) -> str | None:
    """Why a row and its counts are not the same measurement; None if they agree or there is nothing to compare."""
    for name, counts, base in (("trained", run.trained, False), ("base", run.base, True)):
        stated = run.pass1(base=base)
        if counts is None or stated is None:
            continue
        found = float(np.mean(counts.pass_at(1))) if counts.n else float("nan")
        if not abs(found - stated) < TOLERANCE:
            return f"{run.row.run_id}: the row's {name} pass@1 is {stated:.6f}, its counts give {found:.6f}"
    return None


def all_ks(points: Sequence[Point]) -> list[int]:
    """Every k that any point has a trained pass@k for."""
    scores = [score for point in points for run in point.runs if (score := run.row.score())]
    return sorted({item.k for score in scores for item in score.pass_at_k if item.value is not None})


def table_ks(points: Sequence[Point]) -> list[int]:
    """The k beyond 1 that tables show: 8, 64 and 128, or the largest measured when that is smaller."""
    ks = [k for k in all_ks(points) if k > 1]
    return [k for k in ks if k in (8, 64, 128)] or ks[-1:]
