"""What agents do, as numbers of every run and problem: of the base and of the trained model, and along training."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.drawing.answer import Chart, Mark, Panels, Scale, Stack, Stacks, Trace
from analysis.estimates.panel import Arm
from analysis.passk.crossed import CrossedMean, crossed_mean
from analysis.passk.estimate import NONE, Estimate
from analysis.passk.interval import over_problems
from analysis.questions.reply import ALPHA
from analysis.runs.acting import calls_needed, known_trajectories, takes_one_step_per_call
from analysis.runs.counts import Floats
from analysis.runs.selection import Run
from sweeper.rows.trajectories import Ended, Trajectories

Mask = NDArray[np.bool_]  # of problems
Rate = Callable[[Trajectories], float]  # of some trajectories, per trajectory
USED = "share that uses a tool"
CALLS = "calls per trajectory"
ERRORS = "failed calls per trajectory"
RATES: dict[str, Rate] = {
    USED: lambda one: one.mean("used_a_tool"),
    CALLS: lambda one: one.mean("calls"),
    "turns per trajectory": lambda one: one.mean("turns"),
    ERRORS: lambda one: one.mean("errors"),
    "refused calls per trajectory": lambda one: one.mean("refused"),
}
SHARES = (USED,)  # the rest have no upper end
ENDED = {ended: ended.value.replace("_", " ") for ended in Ended}
WINDOW = 5  # steps over which the first and the last of a curve are averaged


SAME = 6  # problems that all show the same difference from which it is clear: a sign test's p is 2 / 2^6 = .03


def clear(found: CrossedMean, p: float | None) -> int:
    """1, -1: clearly above, below 0, by a corrected p or because all of `SAME` problems agree to the digit; 0: open."""
    is_clear = found.n_problems >= SAME if found.error is None else p is not None and p < ALPHA
    return int(np.sign(found.value)) if is_clear else 0


def ended(how: Ended) -> Rate:
    """The share that ended so."""
    return lambda one: one.ended.get(how, 0) / one.n


@dataclass(frozen=True, kw_only=True, eq=False)
class Measure:
    """One rate of a configuration before and after RL.

    Attributes:
        arm: The configuration.
        name: Of the rate.
        trained: Runs x problems.
        base: Likewise; None: the base model was not measured on the same problems.
    """

    arm: Arm
    name: str
    trained: Floats
    base: Floats | None

    @property
    def change(self) -> CrossedMean | None:
        """Trained minus base, paired over problems."""
        return None if self.base is None else crossed_mean(self.trained - self.base)

    def value(self, *, base: bool = False) -> Estimate:
        """With its interval over problems, and seeds; without one where nothing varies."""
        found = self.base if base else self.trained
        if found is None:
            return NONE
        if self.name in SHARES or self.name.startswith("ended"):
            ends = over_problems(found)
            return Estimate(float(found.mean()), ends.low, ends.high)
        return crossed_mean(found).interval()


def matrix(
    runs: Sequence[Run], rate: Rate, *, base: bool = False, where: NDArray[np.bool_] | None = None
) -> Floats | None:
    """A rate of every run and problem (of a mask of problems); None: a run lacks it, or has other problems."""
    counts = [run.base if base else run.trained for run in runs]
    found = [known_trajectories(item) for item in counts]
    known = [item for item in found if item is not None]
    if len(known) < len(runs) or len({item.problem_ids for item in counts if item}) != 1:
        return None
    values = np.array([[rate(one) for one in each] for each in known])
    return values if where is None else values[:, where]


def measures(arm: Arm) -> list[Measure]:
    """Every rate of a configuration; none where its trajectories were not kept."""
    rates = RATES | {f"ended: {words}": ended(how) for how, words in ENDED.items()}
    found = []
    for name, rate in rates.items():
        after, before = (matrix(arm.runs, rate, base=base) for base in (False, True))
        if after is not None:
            same = before is not None and all(run.paired for run in arm.runs)
            found.append(Measure(arm=arm, name=name, trained=after, base=before if same else None))
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Level:
    """The problems of one configuration that need so many calls.

    Attributes:
        arm: The configuration.
        need: Calls, 1 or more.
        calls: Runs x problems, of the trained model.
        base_calls: Of the base model; None: not measured.
        errors: Failed calls.
        unfinished: Share of trajectories without an answer.
        right: pass@1.
    """

    arm: Arm
    need: int
    calls: Floats
    base_calls: Floats | None
    errors: Floats
    unfinished: Floats
    right: Floats

    @property
    def is_bound(self) -> bool:
        """Whether fewer calls than needed cannot do: not with tools that take several steps per call."""
        return all(takes_one_step_per_call(run.row) for run in self.arm.runs)

    @property
    def lack(self) -> CrossedMean:
        """Calls made minus calls needed."""
        return crossed_mean(self.calls - self.need)


def levels_of_need(arm: Arm) -> list[Level]:
    """By calls needed; none where it is not known (`calls_needed`)."""
    needs = calls_needed(arm.runs[0])
    if needs is None:
        return []
    found = []
    for need in np.unique(needs[np.isfinite(needs)]).tolist():
        level = _level(arm, int(need), needs == need)
        found += [] if level is None else [level]
    return found


def _level(arm: Arm, need: int, where: Mask) -> Level | None:
    def of(rate: Rate, *, base: bool = False) -> Floats | None:
        return matrix(arm.runs, rate, base=base, where=where)

    calls, errors = of(RATES[CALLS]), of(RATES[ERRORS])
    unfinished = of(lambda one: 1 - ended(Ended.answered)(one))
    if calls is None or errors is None or unfinished is None:
        return None
    same = all(run.paired for run in arm.runs)
    right = np.array([run.trained.pass_at(1)[where] for run in arm.runs if run.trained])
    return Level(
        arm=arm,
        need=need,
        calls=calls,
        base_calls=of(RATES[CALLS], base=True) if same else None,
        errors=errors,
        unfinished=unfinished,
        right=right,
    )


def along(run: Run) -> list[tuple[int, Trajectories]]:
    """What the rollouts of each training step did, in order; steps that did not measure it are none."""
    points = ((point.step, point.trajectories) for point in run.row.curve if point.step > 0)
    return sorted(((step, found) for step, found in points if found is not None and found.n), key=lambda item: item[0])


def along_rows(arm: Arm) -> Iterator[dict[str, object]]:
    """First and last steps of every rate, mean over seeds: a description without an interval."""
    curves = [found for run in arm.runs if len(found := along(run)) >= 2]
    rates = RATES | {f"ended: {words}": ended(how) for how, words in ENDED.items()}
    for name, rate in rates.items():
        if not any(rate(one) for curve in curves for _, one in curve):
            continue
        first, last = (
            float(np.mean([np.mean([rate(one) for _, one in curve[part]]) for curve in curves]))
            for part in (slice(None, WINDOW), slice(-WINDOW, None))
        )
        yield {
            "arm": arm.label,
            "rate": name,
            "seeds": len(curves),
            "steps": max(len(curve) for curve in curves),
            "first_steps": first,
            "last_steps": last,
        }


def along_figure(arms: Sequence[Arm]) -> Panels | None:
    """Use, calls and failures by training step; None where no step measured them."""
    charts = []
    for name in (USED, CALLS, ERRORS):
        traces = [
            Trace(
                label=arm.label if len(arm.runs) == 1 else f"{arm.label}, seed {run.row.seed}",
                group=arm.label,
                mark=Mark.line,
                x=tuple(float(step) for step, _ in found),
                y=tuple(RATES[name](one) for _, one in found),
            )
            for arm in arms
            for run in arm.runs
            if (found := along(run))
        ]
        if traces:
            y = Scale.share(name) if name in SHARES else Scale(label=name, least=0.0)
            charts.append(Chart(title=name, x=Scale(label="training step"), y=y, traces=tuple(traces)))
    return Panels(title="What agents do along training", charts=tuple(charts)) if charts else None


def ended_figure(arms: Sequence[Arm]) -> Stacks:
    """How trajectories end, of base and trained models."""
    lines = []
    for arm in arms:
        for who, base in (("before RL", True), ("after RL", False)):
            shares = [matrix(arm.runs, ended(how), base=base) for how in ENDED]
            known = [float(found.mean()) for found in shares if found is not None]
            if len(known) == len(ENDED):
                lines.append(Stack(label=f"{arm.label}, {who}", shares=tuple(known)))
    return Stacks(
        title="How trajectories end",
        axis=Scale.share("share of trajectories"),
        parts=tuple(ENDED.values()),
        lines=tuple(lines),
    )


def need_figure(found: Sequence[Level]) -> Chart:
    """Calls made against calls needed."""
    arms = list(dict.fromkeys(level.arm.label for level in found))
    traces = [
        Trace.of(
            label,
            label,
            [level.need for level in found if level.arm.label == label],
            [crossed_mean(level.calls).interval() for level in found if level.arm.label == label],
        )
        for label in arms
    ]
    x = tuple(sorted({float(level.need) for level in found}))
    traces.append(Trace(label="as many as needed", group="needed", mark=Mark.dashed, x=x, y=x))
    return Chart(
        title="Calls made by calls needed",
        x=Scale(label="calls that the problem needs"),
        y=Scale(label="calls per trajectory", least=0.0),
        traces=tuple(traces),
    )
