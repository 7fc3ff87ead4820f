"""What to run next: what it settles, what it costs by the runs there are, and the command."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.estimates.numerals import number
from analysis.report.evidence import Evidence
from analysis.runs.selection import Run
from sweeper.rows.device_time import built, device_time, untimed
from sweeper.rows.money import Money

UP_TO = "--budget-gpu-hours N"  # how a command ends that spends what it is given


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do.

    Attributes:
        what: In a few words.
        why: What it settles.
        command: To copy; empty: there is none.
        device_hours: What it takes, by the measured time of the runs that it repeats, base models not built anew; None:
            not measured.
        cost: The same in money, at their prices; None: some of them have none, or several currencies.
        beside: What the price leaves out, in words.
        unpriced: Why `device_hours` is None.
    """

    what: str
    why: str
    command: str = ""
    device_hours: float | None = None
    cost: Money | None = None
    beside: str = ""
    unpriced: str = "no run has a measured time"

    @property
    def price(self) -> str:
        """In words; empty without a command."""
        if self.command.endswith(UP_TO):
            return "as much as you allow"
        if not self.command:
            return ""
        if self.device_hours is None:
            return f"price not known: {self.unpriced}"
        money = "" if self.cost is None else f", {self.cost}"
        return f"about {number(self.device_hours)} device-hours{money}{self.beside}"


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
            beside=_once(evidence),
            unpriced=_unpriced(selection.completed),
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
            device_hours=sum(hour for hour in hours if hour is not None) if None not in hours else None,
            cost=_cost(evidence, [point.runs[0] for point in alone]),
            unpriced=_unpriced([point.runs[0] for point in alone]),
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
    """Device-hours of a run's own, without what the runs of its base model share."""
    time = device_time(run.row)
    return None if time is None else time.own


def _unpriced(runs: Sequence[Run]) -> str:
    """Which runs have no price, and why."""
    if not runs:
        return "no run is completed yet"
    reasons = Counter(untimed(run.row) or "on how many devices is not known" for run in runs if _hours(run) is None)
    if len(runs) == 1:
        return "".join(reasons)
    return "; ".join(f"{n} of {len(runs)} runs: {reason}" for reason, n in reasons.most_common())


def _cost(evidence: Evidence, runs: Sequence[Run], *, times: float = 1.0) -> Money | None:
    """So many times the price of these runs' own hours; None where one has none, or they have several currencies."""
    amounts = []
    for run in runs:
        cost, time = evidence.costs.get(run.row.run_id), device_time(run.row)
        if cost is None or time is None or time.own is None or not time.whole:
            return None
        amounts.append(Money(amount=cost.amount * time.own / time.whole, currency=cost.currency))
    if not amounts or len({cost.currency for cost in amounts}) > 1:
        return None
    return Money(amount=times * sum(cost.amount for cost in amounts), currency=amounts[0].currency)


def _mean_hours(runs: tuple[Run, ...]) -> float | None:
    known = [hours for run in runs if (hours := _hours(run)) is not None]
    return sum(known) / len(known) if known else None


def _once(evidence: Evidence) -> str:
    """What building the base models took beside the runs' own hours; empty: not measured."""
    hours = built(run.row for run in evidence.selection.completed).values()
    if not hours:
        return ""
    least, most = (number(end) for end in (min(hours), max(hours)))
    return f"; a base model not built yet takes {least if least == most else f'{least} to {most}'} more, once"
