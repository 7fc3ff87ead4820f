"""pass@k of one run along its training, as `python -m analysis passk RUN` prints it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from analysis.passk.best_step import HOW, BestStep, best_step
from analysis.passk.interval import over_problems
from analysis.passk.reading import read_counts
from analysis.passk.sample import Sample
from analysis.passk.summary import Asked
from sweeper.rows.row import base_problems_path, problems_after_path, problems_path, read_row, row_path

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Along:
    """What a run's checkpoints did on its problems.

    Attributes:
        steps: By step, the last one included; the base model is step 0.
        missing: Why steps that were to be measured are not in `steps`.
    """

    steps: Mapping[int, Sample]
    missing: Mapping[int, str] = field(default_factory=dict)


def read_along(results_dir: Path, run_id: str) -> Along | None:
    """From a run's row and the counts beside it; None: no checkpoint before the last was to be evaluated.

    Raises:
        ResultsError: a file of them is not what it should be.
    """
    row = read_row(row_path(results_dir, run_id))
    if not row.along or row.steps is None:
        return None
    missing = {one.step: one.missing for one in row.along if one.missing is not None}
    paths = {0: base_problems_path(results_dir, run_id), row.steps: problems_path(results_dir, run_id)}
    paths |= {one.step: problems_after_path(results_dir, run_id, one.step) for one in row.along if one.scores}
    for step, path in sorted(paths.items()):
        if not path.exists():
            missing[step] = f"{path.name} is not there"
    steps = {step: _whole(path) for step, path in sorted(paths.items()) if step not in missing}
    return Along(steps=steps, missing=dict(sorted(missing.items())))


def _whole(path: Path) -> Sample:
    return Sample.of(line for sample in read_counts(path).values() for line in sample.lines)


def along_json(found: Along, asked: Asked) -> Json:
    """pass@k by step with intervals over problems, and the best step of training."""
    trained = {step: sample for step, sample in found.steps.items() if step}
    asked_of = {sample.problem_ids for sample in trained.values()}
    best: BestStep | str = (
        "its steps were measured on different problems" if len(asked_of) > 1 else "no step was measured"
    )
    if len(asked_of) == 1:
        values = {step: sample.per_problem(1)[None, :] for step, sample in trained.items()}
        best = best_step(next(iter(asked_of)), values, level=asked.level)
    return {
        "steps": [
            {"step": step, "ks": [_point(sample, k, asked.level) for k in asked.ks]}
            for step, sample in found.steps.items()
        ],
        "missing": [{"step": step, "reason": reason} for step, reason in found.missing.items()],
        "best": None if isinstance(best, str) else asdict(best),
        "best_reason": best if isinstance(best, str) else None,
    }


def _point(sample: Sample, k: int, level: float) -> Json:
    if reason := sample.undefined(k):
        return {"k": k, **dict.fromkeys(("pass@k", "low", "high", "method")), "reason": reason}
    values = sample.per_problem(k)
    return {"k": k, "pass@k": float(values.mean()), **asdict(over_problems(values, level=level))}


def along_text(found: Json) -> str:
    """The same as lines for people."""
    lines = ["along training, other problems like these (step 0: the base model)"]
    for one in found["steps"]:
        cells = [f"pass@{point['k']} {_value(point)}" for point in one["ks"]]
        lines.append(f"  step {one['step']:<6} {'  '.join(cells)}")
    lines += [f"  step {one['step']:<6} not measured: {one['reason']}" for one in found["missing"]]
    best = found["best"]
    if best is None:
        return "\n".join([*lines, f"  best step: none told, {found['best_reason']}"])
    low, high = (_end(best["interval"][end]) for end in ("low", "high"))
    gain = best["gain_interval"]
    ahead = (
        "it is the last step"
        if gain is None
        else f"the last step {best['last']:.4f} there, {best['gain']:+.4f} [{_end(gain['low'])}, {_end(gain['high'])}]"
    )
    lines.append(
        f"  best step: {best['step']}, of {best['of']}: pass@1 {best['value']:.4f} [{low}, {high}] on the "
        f"{best['reported_on']} problems that it was not chosen by; {ahead}"
    )
    return "\n".join([*lines, f"  note: {HOW}; the base model is no candidate"])


def _value(point: Json) -> str:
    if point["pass@k"] is None:
        return f"undefined: {point['reason']}"
    return f"{point['pass@k']:.4f} [{_end(point['low'])}, {_end(point['high'])}]"


def _end(value: float | None) -> str:
    return "?" if value is None else f"{value:.4f}"
