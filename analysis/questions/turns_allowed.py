"""One configuration cut down to 1, 2, ... T turns: acc@t and pass@(k, t) of its trajectories, with their rise over t.

All acc@t of a run are of the same trajectories, so a slope over t is a number of every run and problem; its interval
goes over those and pairs them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.drawing.answer import Cell, Chart, HeatMap, Mark, Scale, Trace
from analysis.estimates.numerals import short
from analysis.estimates.panel import Arm, pull
from analysis.estimates.points import table_ks
from analysis.passk.crossed import CrossedMean, contrast_mean, crossed_mean
from analysis.passk.estimate import NONE, Estimate
from analysis.passk.interval import of_difference, over_problems
from analysis.questions.strata import Stratum, arms
from analysis.row_laws.turns_law import TurnsPoint
from analysis.runs.acting import calls_needed, turns_measured, within_turns
from analysis.runs.ceilings import ceiling
from analysis.runs.counts import Floats
from analysis.runs.selection import ALL_RUNS, Point, Run
from sweeper.rows.clear_change import holm


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """One configuration.

    Attributes:
        label: Of its stratum.
        arm: Its seeds.
        within: Its seeds, with answers right only within 1, 2, ... T turns.
        rise: Slope of acc@t in log2 t, of every run and problem: runs x problems.
    """

    label: str
    arm: Arm
    within: tuple[Point, ...]
    rise: Floats

    @property
    def size(self) -> int:
        """Parameters without embedding."""
        return self.arm.runs[0].row.n_params_non_embedding

    @property
    def name(self) -> str:
        """With its stratum, where there are several."""
        return self.arm.label if self.label == ALL_RUNS else f"{self.arm.label}, {self.label}"

    def at(self, turns: int, k: int = 1) -> Estimate | None:
        """pass@(k, turns) with its interval; None where k is more than the samples of a problem."""
        found = self.within[turns - 1].matrix(k)
        if found is None or not np.isfinite(found).all():
            return None
        ends = over_problems(found)
        return Estimate(float(found.mean()), ends.low, ends.high)

    def gain(self, turns: int) -> Estimate | None:
        """acc@turns minus that of the base model, paired over problems; None where it was not measured so."""
        point = self.within[turns - 1]
        before, after = point.matrix(1, base=True), point.matrix(1)
        if before is None or after is None or not point.paired:
            return None
        ends = of_difference(after - before)
        return Estimate(float((after - before).mean()), ends.low, ends.high)


def allowed(stratum: Stratum, notes: list[str]) -> list[Allowed]:
    """The configurations of a stratum that were measured within two turns or more; adds to the notes."""
    found = []
    members = arms(stratum, label=lambda row: row.model, x=lambda row: row.n_params_non_embedding)
    for arm in members:
        turns = min(turns_measured(run.trained) for run in arm.runs)
        points = tuple(
            Point(series=arm.label, runs=tuple(within_turns(run, t) for run in arm.runs)) for t in range(1, turns + 1)
        )
        matrices = [matrix for point in points if (matrix := point.matrix(1)) is not None]
        if turns < 2:
            notes.append(f"{arm.label}: a trajectory has one turn, nothing changes with turns")
        elif len(matrices) < turns:
            notes.append(f"{arm.label}: its seeds answered different problems")
        else:
            # Of what was added to one turn: exactly 0 where nothing was.
            rise = np.tensordot(pull(np.arange(1.0, turns + 1)), np.stack(matrices) - matrices[0], axes=1)
            found.append(Allowed(label=stratum.label, arm=arm, within=points, rise=rise))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """What all configurations say: the mean of their rises, and how it changes with size.

    Attributes:
        n: Configurations.
        rise: Change of acc@t per doubling of turns.
        by_size: Change of that rise per doubling of parameters; None: of one size.
    """

    n: int
    rise: Estimate
    by_size: Estimate | None


def together(several: Sequence[Allowed]) -> Together | None:
    """None of none; without intervals where the configurations answered different problems."""
    if not several:
        return None
    rises, sizes = [item.rise for item in several], np.array([float(item.size) for item in several])
    shares = [1 / len(several)] * len(several)
    slopes = pull(sizes).tolist() if len(set(sizes.tolist())) > 1 else None
    paired = len({item.within[0].problem_ids for item in several}) == 1

    def mean(weights: list[float]) -> Estimate:
        if paired:
            return contrast_mean(rises, weights).interval()
        value = sum(weight * float(rise.mean()) for weight, rise in zip(weights, rises, strict=True))
        return Estimate(value, None, None)

    return Together(n=len(several), rise=mean(shares), by_size=None if slopes is None else mean(slopes))


def surface_rows(item: Allowed) -> Iterator[dict[str, object]]:
    """One row for each number of turns and k."""
    for turns in range(1, len(item.within) + 1):
        gain = item.gain(turns) or NONE
        for k in [1, *table_ks(item.within)]:
            found = item.at(turns, k)
            yield {
                "runs": item.label,
                "arm": item.arm.label,
                "n_params_non_embedding": item.size,
                "turns": turns,
                "k": k,
                "seeds": len(item.arm.runs),
                **(found or NONE).columns("pass_at_k"),
                **(gain if k == 1 else NONE).columns("gain", "gain_"),
                "ceiling": ceiling(item.arm.runs[0], turns) if k == 1 else None,
            }


def need_rows(item: Allowed) -> Iterator[dict[str, object]]:
    """pass@1 within 1, 2, ... turns of the problems that need so many calls; none where that is not known."""
    needs = calls_needed(item.arm.runs[0])
    for need in () if needs is None else np.unique(needs[np.isfinite(needs)]).tolist():
        for turns, point in enumerate(item.within, 1):
            values = point.matrix(1)
            assert values is not None  # else `allowed` leaves the configuration out
            right = values[:, needs == need]
            ends = over_problems(right)
            yield {
                "runs": item.label,
                "arm": item.arm.label,
                "calls_needed": need,
                "problems": right.shape[1],
                "turns": turns,
                **Estimate(float(right.mean()), ends.low, ends.high).columns("pass1", "pass1_"),
            }


def rise_rows(several: Sequence[Allowed]) -> list[dict[str, object]]:
    """One row a configuration; the p-values are corrected over them."""
    found: list[CrossedMean] = [crossed_mean(item.rise) for item in several]
    adjusted = holm([mean.p_value() for mean in found])
    return [
        {
            "runs": item.label,
            "arm": item.arm.label,
            "n_params_non_embedding": item.size,
            "turns": len(item.within),
            "seeds": len(item.arm.runs),
            **mean.interval().columns("per_doubling"),
            "p_holm": p,
        }
        for item, mean, p in zip(several, found, adjusted, strict=True)
    ]


def law_points(several: Sequence[Allowed]) -> list[TurnsPoint]:
    """What a law of size, turns and compute is fitted to: a point a run and number of turns."""
    return [
        TurnsPoint(
            model=run.row.model,
            size=item.size,
            turns=turns,
            flops=run.row.flops.total if run.row.flops else None,
            error=1 - _accuracy(run),
        )
        for item in several
        for turns, point in enumerate(item.within, 1)
        for run in point.runs
    ]


def _accuracy(run: Run) -> float:
    return float(np.mean(run.trained.pass_at(1))) if run.trained else float("nan")


def turns_chart(label: str, members: Sequence[Allowed]) -> Chart:
    """acc@t of every size, and the ceiling of the environment where it is known."""
    traces = []
    for item in members:
        turns = range(1, len(item.within) + 1)
        values = [item.at(t) or NONE for t in turns]
        traces.append(Trace.of(item.arm.label, item.arm.label, turns, values))
        mean = tuple(value.value for value in values)
        line = tuple(map(float, turns))
        traces.append(Trace(label=f"{item.arm.label}, line", group=item.arm.label, mark=Mark.line, x=line, y=mean))
    longest = max(members, key=lambda item: len(item.within))
    limits = [ceiling(longest.arm.runs[0], t) for t in range(1, len(longest.within) + 1)]
    known = [limit for limit in limits if limit is not None]
    if len(known) == len(limits):
        x = tuple(map(float, range(1, len(known) + 1)))
        traces.append(Trace(label="ceiling of the environment", group="ceiling", mark=Mark.dashed, x=x, y=tuple(known)))
    where = "" if label == ALL_RUNS else f", {label}"
    return Chart(
        title=f"pass@1 by turns allowed{where}",
        x=Scale(label="turns allowed"),
        y=Scale.share("pass@1 within these turns"),
        traces=tuple(traces),
    )


def surface_map(label: str, members: Sequence[Allowed]) -> HeatMap:
    """Sizes and turns as a matrix."""
    most = max(len(item.within) for item in members)
    cells = tuple(
        tuple(_cell(item.at(t) if t <= len(item.within) else None) for t in range(1, most + 1)) for item in members
    )
    return HeatMap(
        title="pass@1 by size and turns allowed" + ("" if label == ALL_RUNS else f", {label}"),
        row_label="size",
        column_label="turns allowed",
        rows=tuple(f"{item.arm.label} ({short(item.size)})" for item in members),
        columns=tuple(map(str, range(1, most + 1))),
        cells=cells,
    )


def _cell(found: Estimate | None) -> Cell:
    if found is None:
        return Cell(value=None, note="not measured")
    return Cell(value=found.value, low=found.low, high=found.high)
