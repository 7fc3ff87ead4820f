"""The result in sentences, computed from the numbers: nothing here is typed in."""

from collections.abc import Sequence

from analysis.estimates.numerals import plain, signed
from analysis.estimates.points import gain, mean_gain, pass_at, step_up
from analysis.row_laws.final import Axis, Law, held_out_text, interval_text
from analysis.row_laws.power_law import NotFitted
from analysis.runs.selection import ALL_RUNS, Point, Run, points_of


def reading(runs: Sequence[Run], laws: Sequence[Law]) -> list[str]:
    """What the completed runs say, with uncertainty, in a few short paragraphs."""
    points = [point for point in points_of(runs) if point.pass1() is not None]
    if not points:
        return ["No run has a measured pass@1 yet, so there is nothing to read."]
    parts = (_gains(points), _sizes(points), _law(laws))
    return [" ".join(part) for part in parts if part]


def _gains(points: Sequence[Point]) -> list[str]:
    pairs = [(point, found) for point in points if (found := gain(point)) is not None]
    if not pairs:
        return ["No base model was measured, so no gain can be stated."]
    raised = sum(found.value > 0 for _, found in pairs)
    above = sum(found.low is not None and found.low > 0 for _, found in pairs)
    below = sum(found.high is not None and found.high < 0 for _, found in pairs)
    sentence = (
        f"pass@1 is higher after training than before in {raised} of {len(pairs)} {_configurations(len(pairs))}; the "
        f"paired 95% interval of the gain lies above zero in {above}, below zero in {below}, and decides nothing in "
        f"{len(pairs) - above - below}."
    )
    mean = mean_gain([point for point, _ in pairs])
    best = max(pairs, key=lambda pair: pair[1].value)
    worst = min(pairs, key=lambda pair: pair[1].value)
    sentences = [sentence]
    if mean is not None and len(pairs) > 1:
        sentences.append(
            f"The mean gain is {signed(mean)}; the largest is {signed(best[1])} ({_name(best[0])}), "
            f"the smallest {signed(worst[1])} ({_name(worst[0])})."
        )
    else:
        sentences.append(f"The gain is {signed(best[1])} ({_name(best[0])}).")
    return sentences


def _sizes(points: Sequence[Point]) -> list[str]:
    """Smallest against largest model within each series, where no other setting differs."""
    pairs = []
    for series in dict.fromkeys(point.series for point in points):
        members = [point for point in points if point.series == series]
        sizes = [point.size for point in members]
        ends = [[point for point in members if point.size == size] for size in (min(sizes), max(sizes))]
        if min(sizes) < max(sizes) and all(len(end) == 1 for end in ends):
            pairs.append((ends[0][0], ends[1][0]))
    steps = [(small, large, step) for small, large in pairs if (step := step_up(small, large)) is not None]
    if len(steps) > 2:
        higher = sum(step.value > 0 for *_, step in steps)
        above = sum(step.low is not None and step.low > 0 for *_, step in steps)
        return [
            f"After training, the largest model has a higher pass@1 than the smallest in {higher} of "
            f"{len(steps)} series; the paired 95% interval of the difference lies above zero in {above}."
        ]
    return [
        f"From {small.row.model} to {large.row.model} ({small.series}), pass@1 after training goes from "
        f"{plain_of(small)} to {plain_of(large)}, a paired difference of {signed(step)}."
        for small, large, step in steps
    ]


def plain_of(point: Point) -> str:
    """Trained pass@1 of a point with its interval."""
    found = pass_at(point, 1)
    return plain(found) if found else "not measured"


def _law(laws: Sequence[Law]) -> list[str]:
    law = next((law for law in laws if law.axis is Axis.size and law.subset == ALL_RUNS), None)
    if law is None:
        return []
    if isinstance(law.result, NotFitted):
        return [f"No power law against model size is given: {law.result.reason}."]
    fit = law.result
    head = (
        f"Fitted to {fit.n_runs} runs, the error falls with model size: twice the parameters multiply it by "
        f"{2**-fit.alpha:.3f} (exponent {fit.alpha:.3f} {interval_text(fit)})."
        if fit.alpha > 0
        else f"Fitted to {fit.n_runs} runs, the error does not fall with model size: exponent {fit.alpha:.3f} "
        f"{interval_text(fit)}."
    )
    return [head, f"Held out: {held_out_text(law)}.", *(f"Warning: {warning}." for warning in fit.warnings)]


def _name(point: Point) -> str:
    seeds = f", {len(point.runs)} seeds" if len(point.runs) > 1 else ""
    return f"{point.row.model}, {point.series}{seeds}"


def _configurations(n: int) -> str:
    return "configuration" if n == 1 else "configurations"
