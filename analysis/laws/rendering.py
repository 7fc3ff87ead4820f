"""Answers as JSON values and as text."""

from dataclasses import asdict
from typing import Any

from analysis.laws.estimate import Estimate, Status
from analysis.laws.heldout import LEAKY, GroupError
from analysis.laws.ranking import Ranked
from analysis.laws.request import Answer


def answer_json(answer: Answer) -> dict[str, Any]:
    """Everything an answer holds; parameters that are no numbers have the value null and a reason."""
    fit = answer.inference.fit
    weight = float(fit.row_weights.sum())
    return {
        "law": fit.form.name,
        "equation": fit.form.equation,
        "source": fit.form.source,
        "loss": fit.loss.name,
        "residual": "log" if fit.loss.log else "linear",
        "weights": str(fit.weights),
        "columns": answer.columns,
        "n": fit.sample.n_rows,
        "n_held_out": answer.n_held_out,
        "n_missing": answer.n_missing,
        "groups": {label: int((fit.sample.group_codes == i).sum()) for i, label in enumerate(fit.sample.groups)},
        "parameters": {item.name: _estimate_json(item) for item in answer.inference.estimates},
        "interval": answer.inference.method,
        "objective": fit.objective,
        "objective_mean": fit.objective / weight,
        "held_out": [_group_json(item) for item in answer.held_out],
        "rehearsal": [asdict(item) for item in answer.rehearsal],
        "flags": list(answer.inference.flags),
        "file": answer.path,
        "sha256": answer.digest,
        "where": answer.where,
        "holdout": answer.holdout,
    }


def answer_text(answer: Answer) -> str:
    """An answer for people."""
    fit = answer.inference.fit
    scale = "ln y" if fit.loss.log else "y"
    lines = [
        fit.form.equation,
        f"  {fit.form.source}",
        f"  {', '.join(f'{role} = {text}' for role, text in answer.columns.items())}",
        f"  {fit.sample.n_rows} rows fitted, {answer.n_held_out} held out, {answer.n_missing} left out (empty cells)",
        f"  loss {fit.loss.name} of {scale}, weights {fit.weights}; objective {fit.objective:.6g}",
        f"  95% intervals: {answer.inference.method}",
        "",
    ]
    width = max(len(item.name) for item in answer.inference.estimates)
    lines += [f"  {item.name:<{width}}  {_estimate_text(item)}" for item in answer.inference.estimates]
    if answer.held_out:
        lines += ["", "  held out (mean absolute error, beside repeating the last value of training)"]
        lines += [f"  {_group_text(item)}" for item in answer.held_out]
        if any(item.level_tuned for item in answer.held_out):
            lines.append(f"  * {LEAKY}")
    if answer.rehearsal:
        lines += ["", "  rehearsal: each training size predicted from all smaller ones, beside the last value"]
        lines += [f"  {item.group:>8}: {item.mae:.4f}, last value {item.last_value:.4f}" for item in answer.rehearsal]
    lines += ["", *(f"  flag: {flag}" for flag in answer.inference.flags)] if answer.inference.flags else []
    return "\n".join(lines)


def ranking_text(ranked: list[Ranked], origins: tuple[float, ...]) -> str:
    """A ranking as a table."""
    head = f"{'form':<16}{'MAE':>8}{'bias':>9}" + "".join(f"{f'from {origin:.0%}':>11}" for origin in origins)
    lines = ["Held-out error after each cut, best form first", head + f"{'beats last':>12}{'AICc':>10}"]
    for item in ranked:
        row = f"{item.form:<16}{item.mae:>8.4f}{item.bias:>+9.4f}"
        row += "".join(f"{value:>11.4f}" for value in item.by_origin)
        row += f"{'' if item.wins is None else f'{item.wins:.0%}':>12}"
        row += f"{'' if item.aicc is None else f'{item.aicc:.1f}':>10}"
        lines.append(row + (f"  ({item.n_failed} without a fit)" if item.n_failed else ""))
    return "\n".join(lines)


def ranking_json(ranked: list[Ranked], origins: tuple[float, ...]) -> dict[str, Any]:
    """A ranking as JSON values."""
    return {"origins": list(origins), "forms": [asdict(item) for item in ranked]}


def _estimate_json(item: Estimate) -> dict[str, Any]:
    ends = item.interval
    return {
        "value": item.value,
        "low": ends.low if ends else None,
        "high": ends.high if ends else None,
        "method": ends.method if ends else None,
        "unit": item.unit,
        "status": str(item.status),
        "reason": item.reason,
        "other_intervals": [asdict(other) for other in item.others],
    }


def _estimate_text(item: Estimate) -> str:
    if item.status is Status.fixed:
        return f"{item.value:.6g} (fixed)"
    others = "".join(f"; {other.text(4)} {other.method}" for other in item.others)
    inside = item.interval.text(4) if item.interval else "no interval"
    if item.value is None:
        return f"{item.status}: {item.reason}; interval {inside}{others}"
    return f"{item.value:.6g} {inside}{others}"


def _group_json(item: GroupError) -> dict[str, Any]:
    tuned = asdict(item.level_tuned) | {"note": LEAKY} if item.level_tuned else None
    return {
        "group": item.group,
        "n": item.n,
        "n_trained": item.trained,
        **asdict(item.error),
        "last_value_mae": item.last_value,
        "mae_by_level_rule": {rule.name: mae for rule, mae in item.by_rule.items()},
        "level_tuned_on_held_out": tuned,
    }


def _group_text(item: GroupError) -> str:
    error = item.error
    r2 = "" if error.r2 is None else f", R2 {error.r2:.3f}"
    line = (
        f"{item.group or 'all':>8}: {error.mae:.4f} (bias {error.bias:+.4f}{r2}; {item.n} rows), last value "
        f"{item.last_value:.4f}"
    )
    if item.by_rule:
        line += "; by level rule " + ", ".join(f"{rule.name} {mae:.4f}" for rule, mae in item.by_rule.items())
    if item.level_tuned:
        tuned = item.level_tuned
        line += f"; with its own level {tuned.mae:.4f}{'' if tuned.r2 is None else f' (R2 {tuned.r2:.3f})'} *"
    return line if item.trained else f"{line} (no training row of this group)"
