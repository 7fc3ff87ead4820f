"""The result of a sweep in a sentence or two, computed from the numbers: nothing here is typed in."""

from collections.abc import Sequence

from analysis.estimates.numerals import change, number, signed
from analysis.estimates.points import clear_gains, gain, mean_gain
from analysis.passk.estimate import Estimate
from analysis.runs.selection import Point, Run, Selection


def headline(selection: Selection, points: Sequence[Point]) -> str:
    """Whether RL helped, by how much and in how many configurations; else what there is instead.

    Args:
        selection: Everything the page is about.
        points: Its configurations with a pass@1.
    """
    if not points:
        return _unmeasured(selection)
    pairs = [(point, found) for point in points if (found := gain(point)) is not None]
    if not pairs:
        return "No base model was measured, so no gain of RL can be stated."
    clear = clear_gains([(point, 1, "all") for point, _ in pairs])
    above, below = clear.count(1), clear.count(-1)
    if len(pairs) == 1:
        return f"{_helped(pairs[0][1])}, in the one configuration with a base model."
    mean = mean_gain([point for point, _ in pairs])
    holm = f"Holm over {len(pairs)}"
    if mean is None:
        return f"pass@1 rose clearly in {above} of {len(pairs)} configurations and fell clearly in {below} ({holm})."
    # The mean may be clear where no configuration is, and the other way round: both are said.
    fell = f" and fell clearly in {below}" if below else ""
    rose = f"it rose clearly in {above} of them{fell} ({holm})"
    return f"{_helped(mean)} on average over {len(pairs)} configurations; {rose}."


def extremes(points: Sequence[Point]) -> str | None:
    """The largest and the smallest gain; None with fewer than two."""
    pairs = [(point, found) for point in points if (found := gain(point)) is not None]
    if len(pairs) < 2:
        return None
    best, worst = max(pairs, key=lambda pair: pair[1].value), min(pairs, key=lambda pair: pair[1].value)
    return (
        f"The largest gain is {signed(best[1])} ({name(best[0])}), the smallest {signed(worst[1])} ({name(worst[0])})."
    )


def name(point: Point) -> str:
    """A configuration in words."""
    seeds = f", {len(point.runs)} seeds" if len(point.runs) > 1 else ""
    return f"{point.row.model}, {point.series}{seeds}"


def run_name(run: Run) -> str:
    """A run by the name that it had where it was imported from, else by its id."""
    return run.row.imported.name if run.row.imported else run.row.run_id


def validated(runs: Sequence[Run]) -> list[tuple[Run, list[tuple[int, float]]]]:
    """Runs with validations during training: (step, accuracy) in order."""
    found = [
        (run, sorted((item.step, item.val_pass1) for item in run.row.curve if item.val_pass1 is not None))
        for run in runs
    ]
    return [(run, points) for run, points in found if points]


def _helped(found: Estimate) -> str:
    if found.sign > 0:
        return f"RL helped: pass@1 rose by {change(found)}"
    if found.sign < 0:
        return f"RL hurt: pass@1 fell by {change(found)}"
    return f"Whether RL helped is not decided: pass@1 changed by {signed(found)}"


def _unmeasured(selection: Selection) -> str:
    curves = validated(selection.completed)
    if not curves:
        told = [f"{len(selection.failed)} failed"] if selection.failed else []
        told += [f"{len(selection.missing)} {'is' if len(selection.missing) == 1 else 'are'} missing"] * bool(
            selection.missing
        )
        done = f"{len(selection.completed)} completed" if selection.completed else "no run was completed"
        return f"No pass@1 was measured yet: {', '.join([done, *told])}."
    total = sum(len(points) for _, points in curves)
    best, points = max(curves, key=lambda pair: pair[1][-1][1])
    return (
        f"{len(curves)} run{'s' if len(curves) > 1 else ''} with {total:,} validations during training and no pass@1: "
        f"the last accuracy is highest in {run_name(best)}, {number(points[-1][1])} at step {points[-1][0]:,} (from "
        f"{number(points[0][1])} at step {points[0][0]:,}; one run each, so no interval)."
    )
