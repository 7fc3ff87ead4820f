"""Runs that spend the same samples on different numbers of responses per prompt n: budgets, their best n, its growth.

Compute is counted in samples, C = n x prompts per step x steps, as IsoCompute does (arXiv:2603.12151). A budget is a
number of samples in a number of steps: within it n is paid for with prompts per step, and with nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analysis.drawing.answer import Chart, Guide, Scale, Trace, band_and_line
from analysis.estimates.numerals import count, number
from analysis.estimates.optimum import MIN_VALUES, MOST_AT_EDGE, Optimum, Tried, optima
from analysis.estimates.panel import Arm, Panel, between, pull
from analysis.passk.estimate import Estimate
from analysis.questions.levels import compared
from analysis.questions.strata import Stratum, arms, strata
from analysis.runs.selection import ALL_RUNS, Run
from sweeper.rows.differences import between_rows
from sweeper.rows.row import ResultRow

RESPONSES = Tried(values="numbers of responses", scale=np.log2, between=np.geomspace, written=number)
# What moves with n within a budget, or tells budgets apart.
_FREE = ("rollouts", "steps", "n_unique", "reuse")
_FREE_SETTINGS = ("training.train_batch_size", "training.ppo_mini_batch_size")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Samples and steps that several n were trained with.

    Attributes:
        samples: Responses of all steps.
        steps: Of training.
        places: Of its arms in the panel of its setting, by n.
        best: The quadratic of pass@1 in log2 n; or why there is none.
    """

    samples: int
    steps: int
    places: tuple[int, ...]
    best: Optimum | str

    @property
    def name(self) -> str:
        """For sentences and legends."""
        return f"{count(self.samples)} samples ({count(self.steps)} steps)"

    @property
    def at(self) -> Estimate | str:
        """The best n with its 95% interval, or why none is given."""
        return self.best if isinstance(self.best, str) else self.best.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """One setting (a model, an algorithm) at its budgets.

    Attributes:
        label: Of its stratum.
        panel: Arms of all budgets on common problems; x is n.
        budgets: By samples.
        growth: Doublings of the best n per doubling of samples, over the budgets that have one; or why none is given.
        tilt: Change, per doubling of samples, of what a doubling of n adds to pass@1; None: the budgets are one.
    """

    label: str
    panel: Panel
    budgets: tuple[Budget, ...]
    growth: Estimate | str
    tilt: Estimate | None

    @property
    def misfit(self) -> bool:
        """Whether the arms lie further off their quadratics than seeds and problems explain."""
        return any(not isinstance(budget.best, str) and budget.best.misfit for budget in self.budgets)


def samples_of(row: ResultRow) -> int | None:
    """Responses that training asked for, those that were lost included; None: not known."""
    return None if row.train_samples is None else row.train_samples + (row.lost_samples or 0)


def allocations(runs: Sequence[Run], notes: list[str]) -> list[Allocation]:
    """The settings of which two n or more were trained with as many samples in as many steps; adds to the notes."""
    rows = [run.row for run in runs]
    moving = [item.name for item in between_rows(rows) if item.key in _FREE_SETTINGS]
    found = []
    for stratum in strata(runs, free=[*_FREE, *moving]):
        groups, alone = _by_budget(stratum)
        if not groups:
            continue
        notes += [f"{stratum.label}: {said} were run with one number of responses" for said in alone]
        panel = compared(stratum.label, [arm for group in groups.values() for arm in group], notes)
        if panel is not None:
            found.append(_allocation(stratum.label, panel, groups))
    return found


def _by_budget(stratum: Stratum) -> tuple[dict[tuple[int, int], tuple[Arm, ...]], list[str]]:
    """(arms of each budget, by samples and steps; budgets that one n was run with)."""
    members: dict[tuple[int, int], list[Run]] = {}
    for run in stratum.runs:
        samples, steps = samples_of(run.row), run.row.steps
        if samples is not None and steps is not None:
            members.setdefault((samples, steps), []).append(run)
    groups, alone = {}, []
    for (samples, steps), own in sorted(members.items()):
        group = arms(
            Stratum(label=stratum.label, runs=tuple(own)),
            label=lambda row: f"{row.rollout_n} responses, {row.steps} steps",
            x=lambda row: row.rollout_n,
        )
        if len({arm.x for arm in group}) > 1:
            groups[samples, steps] = group
        else:
            alone.append(f"{count(samples)} samples in {count(steps)} steps")
    return groups, alone


def _allocation(label: str, panel: Panel, groups: dict[tuple[int, int], tuple[Arm, ...]]) -> Allocation:
    ends = np.cumsum([0, *(len(group) for group in groups.values())]).tolist()
    places = [tuple(range(first, end)) for first, end in pairwise(ends)]
    values = [len(set(panel.x[list(own)].tolist())) for own in places]
    curved = [own for own, n in zip(places, values, strict=True) if n >= MIN_VALUES]
    found = iter(optima(panel, curved, RESPONSES, most_at_edge=MOST_AT_EDGE / max(len(curved), 1)))
    budgets = tuple(
        Budget(
            samples=samples,
            steps=steps,
            places=own,
            best=next(found)
            if n >= MIN_VALUES
            else f"{n} numbers of responses were run and a curve with a check needs {MIN_VALUES}",
        )
        for (samples, steps), own, n in zip(groups, places, values, strict=True)
    )
    return Allocation(label=label, panel=panel, budgets=budgets, growth=_growth(budgets), tilt=_tilt(panel, budgets))


def _growth(budgets: Sequence[Budget]) -> Estimate | str:
    """Slope of log2 of the best n in log2 of the samples, its interval from the joint draws of the tops."""
    known = [(budget, budget.best, budget.at) for budget in budgets if isinstance(budget.at, Estimate)]
    samples = np.array([float(budget.samples) for budget, _, _ in known])
    if len(set(samples.tolist())) < 2:
        return f"a best number is given at {len(known)} of {_budgets(len(budgets))}, and its growth needs two"
    weights = pull(samples)
    tops = np.stack([best.tops for _, best, _ in known if isinstance(best, Optimum)])
    return between(float(weights @ np.log2([at.value for _, _, at in known])), weights @ np.log2(tops))


def _tilt(panel: Panel, budgets: Sequence[Budget]) -> Estimate | None:
    samples = np.array([float(budget.samples) for budget in budgets])
    if len(set(samples.tolist())) < 2:
        return None
    weights = np.zeros(len(panel.arms))
    for share, budget in zip(pull(samples), budgets, strict=True):
        weights[list(budget.places)] = share * pull(panel.x[list(budget.places)])
    return panel.contrast(weights.tolist()).interval()


def _budgets(n: int) -> str:
    return f"{n} budget{'s' * (n != 1)}"


def allocation_chart(found: Allocation) -> Chart:
    """pass@1 by n at every budget, with the fitted quadratics and the best n where one is given."""
    traces: list[Trace] = []
    guides: list[Guide] = []
    for budget in found.budgets:
        if not isinstance(budget.best, str):
            best = budget.best
            label = f"{budget.name}, quadratic"
            traces += band_and_line(
                label, budget.name, best.grid, best.fitted, best.band, band=f"{budget.name}, 95% band"
            )
        x = [found.panel.x[i] for i in budget.places]
        traces.append(Trace.of(budget.name, budget.name, x, [found.panel.value(i) for i in budget.places]))
        if isinstance(budget.at, Estimate):
            said = f"best at {count(budget.samples)}: {number(budget.at.value)}"
            guides.append(Guide(axis="x", value=budget.at.value, label=said))
    where = "" if found.label == ALL_RUNS else f", {found.label}"
    return Chart(
        title=f"pass@1 by responses per prompt at the same samples{where}",
        x=Scale(label="responses per prompt", log=True),
        y=Scale.share("pass@1 after training"),
        traces=tuple(traces),
        guides=tuple(guides),
    )
