"""Answers of `request` as text for people."""

from typing import Any

from analysis.laws.heldout import LEAKY
from analysis.laws.student import Interval

Json = dict[str, Any]
SMALL = 1e-3  # below it four decimals hide a number


def answer_text(found: Json) -> str:
    """A fitted law."""
    held_out, rehearsal = found["held_out"], found["rehearsal"]
    scale = "ln y" if found["residual"] == "log" else "y"
    lines = [
        found["equation"],
        f"  {found['source']}",
        f"  {', '.join(f'{role} = {text}' for role, text in found['columns'].items())}",
        f"  {found['n']} rows fitted, {found['n_held_out']} held out, {found['n_missing']} left out (empty cells)",
        f"  loss {found['loss']} of {scale}, weights {found['weights']}; objective {found['objective']:.6g}",
        f"  95% intervals: {found['interval']}",
        "",
    ]
    width = max(map(len, found["parameters"]))
    lines += [f"  {name:<{width}}  {_estimate(item)}" for name, item in found["parameters"].items()]
    if held_out:
        lines += ["", "  held out (mean absolute error, beside repeating the last value of training)"]
        lines += [f"  {_group(item)}" for item in held_out]
        if any(item["level_tuned_on_held_out"] for item in held_out):
            lines.append(f"  * {LEAKY}")
    if rehearsal:
        lines += ["", "  rehearsal: each training size predicted from all smaller ones, beside the last value"]
        lines += [f"  {i['group']:>8}: {i['mae']:.4f}, last value {i['last_value']:.4f}" for i in rehearsal]
    lines += ["", *(f"  flag: {flag}" for flag in found["flags"])] if found["flags"] else []
    return "\n".join(lines)


def _estimate(item: Json) -> str:
    if item["status"] == "fixed":
        return f"{item['value']:.6g} (fixed)"
    others = "".join(f"; {_ends(other)} {other['method']}" for other in item["other_intervals"])
    inside = _ends(item) if item["method"] else "no interval"
    if item["value"] is None:
        return f"{item['status']}: {item['reason']}; interval {inside}{others}"
    return f"{item['value']:.6g} {inside}{others}"


def _ends(item: Json) -> str:
    return Interval(low=item["low"], high=item["high"], method=item["method"]).text(4)


def _group(item: Json) -> str:
    r2 = "" if item["r2"] is None else f", R2 {item['r2']:.3f}"
    line = (
        f"{item['group'] or 'all':>8}: {_off(item['mae'])} (bias {_off(item['bias'], '+')}{r2}; {item['n']} rows), "
        f"last value {_off(item['last_value_mae'])}"
    )
    if item["mae_by_level_rule"]:
        by_rule = ", ".join(f"{rule} {_off(mae)}" for rule, mae in item["mae_by_level_rule"].items())
        line += f"; by level rule {by_rule}"
    if tuned := item["level_tuned_on_held_out"]:
        r2 = "" if tuned["r2"] is None else f" (R2 {tuned['r2']:.3f})"
        line += f"; with its own level {_off(tuned['mae'])}{r2} *"
    return line if item["n_trained"] else f"{line} (no training row of this group)"


def _off(value: float, sign: str = "") -> str:
    """An error to four decimals, or to four digits where those would be zeros."""
    return f"{value:{sign}.4f}" if value == 0 or abs(value) >= SMALL else f"{value:{sign}.4g}"


def ranking_text(found: Json) -> str:
    """A ranking as a table."""
    head = f"{'form':<16}{'MAE':>8}{'bias':>9}" + "".join(f"{f'from {origin:.0%}':>11}" for origin in found["origins"])
    lines = ["Held-out error after each cut, best form first", head + f"{'beats last':>12}{'AICc':>10}"]
    for item in found["forms"]:
        row = f"{item['form']:<16}{item['mae']:>8.4f}{item['bias']:>+9.4f}"
        row += "".join(f"{value:>11.4f}" for value in item["by_origin"])
        wins, aicc = item["wins"], item["aicc"]
        row += f"{'' if wins is None else f'{wins:.0%}':>12}{'' if aicc is None else f'{aicc:.1f}':>10}"
        lines.append(row + (f"  ({item['n_failed']} without a fit)" if item["n_failed"] else ""))
    return "\n".join([*lines, *(f"flag: {flag}" for flag in found["flags"])])
