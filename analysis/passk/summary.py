"""What `python -m analysis passk` prints, as JSON values and as text."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from analysis.laws.student import LEVEL
from analysis.passk.estimator import pass_hat_k_values
from analysis.passk.extrapolation import extrapolate
from analysis.passk.interval import fixed_benchmark, over_problems, solve_rate_bound
from analysis.passk.majority import Answer, majority_at_k
from analysis.passk.paired import crossover, difference, log_grid, pair
from analysis.passk.reading import ALL
from analysis.passk.sample import Sample, shared

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to compute."""

    ks: tuple[int, ...]
    beyond: bool = False  # extrapolate the ks that are not defined
    level: float = LEVEL


def with_all(groups: Mapping[str, Sample]) -> dict[str, Sample]:
    """The groups, preceded by all of them together when they share no problem (domains of one suite, not models)."""
    if len(groups) < 2 or ALL in groups or shared(groups):
        return dict(groups)
    return {ALL: Sample.of(line for sample in groups.values() for line in sample.lines), **groups}


def group_json(name: str, sample: Sample, asked: Asked) -> Json:
    """Everything about one group."""
    found: Json = {
        "group": name,
        "n_problems": sample.n_problems,
        "n_lines": len(sample.n),
        "n_samples": [int(sample.n.min()), int(sample.n.max())],
        "unsolved": _unsolved(sample, asked.level),
        "notes": _notes(sample),
        "ks": [_point(sample, k, asked.level) for k in asked.ks],
    }
    beyond = [k for k in asked.ks if sample.undefined(k)]
    if asked.beyond and beyond:
        found["extrapolated"] = [asdict(item) for item in extrapolate(sample, beyond, level=asked.level)]
    return found


def _point(sample: Sample, k: int, level: float) -> Json:
    if reason := sample.undefined(k):
        names = ("pass@k", "low", "high", "method", "fixed_benchmark", "pass^k", "pass^k_interval")
        return {"k": k, **dict.fromkeys(names), "reason": reason}
    values, hats = sample.per_problem(k), sample.mean_over_lines(pass_hat_k_values(sample.n, sample.c, k))
    return {
        "k": k,
        "pass@k": float(values.mean()),
        **asdict(over_problems(values, level=level)),
        "fixed_benchmark": asdict(fixed_benchmark(sample, k, level=level)),
        "pass^k": float(hats.mean()),
        "pass^k_interval": asdict(over_problems(hats, level=level)),
    }


def pair_json(name: str, base: Sample, trained: Sample, asked: Asked) -> Json:
    """Trained minus base on their common problems, and where the base model overtakes."""
    largest = int(min(base.n.min(), trained.n.min()))
    ks = sorted({*asked.ks, *log_grid(largest)})
    both = pair(base, trained, ks)
    turn = crossover(both, level=asked.level)
    before, after = ({name for name, _, c in sample.lines if c} for sample in (both.base, both.trained))
    return {
        "group": name,
        "n_problems": both.base.n_problems,
        "crossover_reason": None if turn else "it needs two ks and two common problems at least",
        "dropped": len(both.dropped),
        "differences": [asdict(difference(both, k, level=asked.level)) for k in asked.ks],
        "crossover": asdict(turn) if turn else None,
        "solved": {"gained": sorted(after - before), "lost": sorted(before - after)},
    }


def majority_json(answers: Mapping[str, Sequence[Answer]], asked: Asked) -> list[Json]:
    """Mean maj@k over problems with its interval; null where a problem has fewer than k samples."""
    found = []
    for k in asked.ks:
        each = [majority_at_k(item, k) for item in answers.values()]
        known = np.array([item.value for item in each if item.value is not None])
        point: Json = {"k": k, **dict.fromkeys(("maj@k", "low", "high", "method"))}
        if len(known) == len(each):
            point |= {"maj@k": float(known.mean()), **asdict(over_problems(known, level=asked.level))}
        else:
            point["reason"] = next(item.reason for item in each if item.value is None)
        found.append(point | {"monte_carlo_error": float(np.sqrt(sum(item.error**2 for item in each))) / len(each)})
    return found


def group_text(found: Json) -> str:
    """A group as lines for people."""
    low, high = found["n_samples"]
    samples = f"{low}" if low == high else f"{low} to {high}"
    lines = [f"{found['group']}: {found['n_problems']} problems, {samples} samples each"]
    reasons: list[str] = []
    for point in found["ks"]:
        if point["pass@k"] is None:
            lines.append(f"  pass@{point['k']:<6} undefined: {point['reason']}")
            continue
        fixed = point["fixed_benchmark"]
        lines.append(
            f"  pass@{point['k']:<6} {point['pass@k']:.4f}  other problems like these {_ends(point)}, "
            f"these problems again {_ends(fixed)}"
        )
        if point["k"] > 1:
            lines.append(
                f"  pass^{point['k']:<6} {point['pass^k']:.4f}  other problems like these "
                f"{_ends(point['pass^k_interval'])}"
            )
        intervals = (point, fixed, point["pass^k_interval"])
        reasons += [item["reason"] for item in intervals if item["reason"]]
    for item in found.get("extrapolated", ()):
        lines.append(
            f"  pass@{item['k']:<6} not measured: {item['reason']}"
            if item["reason"]
            else f"  pass@{item['k']:<6} extrapolated {_ends(item)}: beta-binomial {item['beta_binomial']:.4f}, "
            f"power law {item['power_law']:.4f}"
        )
    unsolved = found["unsolved"]
    if unsolved["n_problems"]:
        lines.append(
            f"  {unsolved['n_problems']} problems never solved; the solve rate of each is at most "
            f"{unsolved['solve_rate_upper_bound']:.3g} ({unsolved['level']:.0%})"
        )
    lines += [f"  ?: {reason}" for reason in dict.fromkeys(reasons)]
    return "\n".join([*lines, *(f"  note: {note}" for note in found["notes"])])


def pair_text(found: Json) -> str:
    """A comparison as lines for people."""
    lines = [f"{found['group']}: trained minus base on {found['n_problems']} common problems"]
    if found["dropped"]:
        lines.append(f"  note: {found['dropped']} problems that only one of them answered are left out")
    for item in found["differences"]:
        lines.append(
            f"  pass@{item['k']:<6} undefined: {item['reason']}"
            if item["value"] is None
            else f"  pass@{item['k']:<6} {item['value']:+.4f}  other problems like these {_ends(item['problems'])}, "
            f"these problems again {_ends(item['fixed'])}"
        )
    turn = found["crossover"]
    if turn:
        where = f"k* = {turn['k']:.1f}" if turn["k"] is not None else f"none, {turn['reason']}"
        low = "below 1" if turn["low"] is None else f"{turn['low']:.1f}"
        high = f"beyond {turn['largest_k']}" if turn["high"] is None else f"{turn['high']:.1f}"
        lines.append(
            f"  crossover: {where}; interval {low} to {high}; probability of none {turn['probability_none']:.3f}; "
            f"verdict: {turn['verdict']}"
        )
    else:
        lines.append(f"  crossover: not computed, {found['crossover_reason']}")
    for item in found["differences"]:
        open_ends = (item["problems"], item["fixed"]) if item["value"] is not None else ()
        lines += [line for ends in open_ends if ends["reason"] and (line := f"  ?: {ends['reason']}") not in lines]
    gained, lost = found["solved"]["gained"], found["solved"]["lost"]
    return "\n".join([*lines, f"  solved at least once: {len(gained)} gained, {len(lost)} lost"])


def _unsolved(sample: Sample, level: float) -> Json:
    solved = np.bincount(sample.problem, weights=sample.c, minlength=sample.n_problems) > 0
    fewest = int(sample.n[~solved[sample.problem]].min()) if not solved.all() else None
    return {
        "n_problems": int((~solved).sum()),
        "solve_rate_upper_bound": None if fewest is None else solve_rate_bound(fewest, level),
        "level": level,
    }


def _notes(sample: Sample) -> list[str]:
    notes = []
    repeated = int((sample.replicates > 1).sum())
    if repeated:
        notes.append(
            f"{repeated} problems are in several lines; their lines are replicates, averaged a problem, not pooled"
        )
    if sample.n.min() != sample.n.max():
        notes.append("problems have different numbers of samples; a k above the fewest is undefined for the group")
    return notes


def _ends(interval: Json) -> str:
    low, high = ("?" if interval[end] is None else f"{interval[end]:.4f}" for end in ("low", "high"))
    return f"[{low}, {high}]"
