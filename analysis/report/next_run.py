"""What to run next: what it settles, what it costs by the runs there are, and the command."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.estimates.numerals import number
from analysis.report.evidence import Evidence
from analysis.runs.selection import Run
from sweeper.rows.money import Money

UP_TO = "--budget-gpu-hours N"  # how a command ends that spends what it is given


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do.

    Attributes:
        what: In a few words.
        why: What it settles.
        command: To copy; empty: there is none.
        device_hours: What it takes, by the measured time of the runs that it repeats; None: not measured.
        cost: The same in money, at their prices; None: some of them have none, or several currencies.
    """

    what: str
    why: str
    command: str = ""
    device_hours: float | None = None
    cost: Money | None = None

    @property
    def price(self) -> str:
        """In words; empty without a command."""
        if self.command.endswith(UP_TO):
            return "as much as you allow"
        if not self.command:
            return ""
        if self.device_hours is None:
            return "price not known: no run has a measured time"
        return f"about {number(self.device_hours)} device-hours{'' if self.cost is None else f', {self.cost}'}"


def next_steps(evidence: Evidence) -> Iterator[Step]:
    """Runs that are missing or failed, further seeds, then points that tell most."""
    selection, points = evidence.selection, evidence.points
    unfinished = len(selection.missing) + len(selection.failed)
    launch = _launch(evidence)
    if unfinished:
        mean = _mean_hours(selection.completed)
        yield Step(
            what=f"Finish {unfinished} run{'s' if unfinished > 1 else ''}: {len(selection.missing)} missing and "
            f"{len(selection.failed)} failed",
            why="Finished runs are kept, failed ones start again from their last checkpoint.",
            command=f"{launch} -m" if launch else "",
            device_hours=None if mean is None else mean * unfinished,
            cost=_cost(evidence, selection.completed, times=unfinished / max(1, len(selection.completed))),
        )
    alone = [point for point in points if len(point.runs) == 1]
    if alone:
        hours = [_hours(point.runs[0]) for point in alone]
        seeds = sorted({point.runs[0].row.seed for point in alone})
        further = max(seeds) + 1
        yield Step(
            what=f"A second seed for {len(alone)} of {len(points)} configurations",
            why="With one seed the spread between training runs is unknown; every interval here leaves it out.",
            command=f"{launch} seed={','.join(map(str, (*seeds, further)))} -m" if launch else "",
            device_hours=sum(hour for hour in hours if hour is not None) if all(hours) else None,
            cost=_cost(evidence, [point.runs[0] for point in alone]),
        )
    if selection.record is not None and selection.record.grid is not None and points:
        command = " ".join((f"+grid={selection.record.grid}", *(selection.record.settings or ())))
        yield Step(
            what="Points of the grid that tell most about a prediction for their cost",
            why="Ranked and priced by the law that the runs so far support.",
            command=f"python -m sweeper suggest {command} {UP_TO}",
        )


def _launch(evidence: Evidence) -> str:
    record = evidence.selection.record
    if record is None or record.grid is None:
        return ""
    return " ".join(("python -m sweeper", f"+grid={record.grid}", *(record.settings or ())))


def _hours(run: Run) -> float | None:
    """Measured device-hours of a run, all phases and attempts."""
    timing, made = run.row.timing, run.row.provenance
    if timing is None or timing.total_s is None or made is None:
        return None
    return timing.total_s * made.n_devices / 3600


def _cost(evidence: Evidence, runs: Sequence[Run], *, times: float = 1.0) -> Money | None:
    """So many times what runs have cost together; None where one has no price, or they have several currencies."""
    paid = [evidence.costs.get(run.row.run_id) for run in runs]
    known = [cost for cost in paid if cost is not None]
    if not known or len(known) < len(paid) or len({cost.currency for cost in known}) > 1:
        return None
    return Money(amount=times * sum(cost.amount for cost in known), currency=known[0].currency)


def _mean_hours(runs: tuple[Run, ...]) -> float | None:
    known = [hours for run in runs if (hours := _hours(run)) is not None]
    return sum(known) / len(known) if known else None
