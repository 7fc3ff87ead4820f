"""The plan of a grid: which points run, which are done, which cannot run, and what it costs.

Nothing is written or started here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from sweeper.grid.assembly import Plain
from sweeper.grid.expand import Grid, Point
from sweeper.host.errors import ConfigError, DamagedError
from sweeper.host.patience import counted
from sweeper.inputs.models import refuse_no_package, refuse_other_shape
from sweeper.inputs.prompt_fit import refuse_long_prompts
from sweeper.launch.slurm.queue import Queue
from sweeper.plan.base_models import BaseModels
from sweeper.plan.cost import Cost, Pricer
from sweeper.plan.notes import notes_on
from sweeper.plan.partition import wrong_partitions
from sweeper.plan.refusals import check
from sweeper.plan.retry import Considered, consider, unheard
from sweeper.plan.secret_refusals import SecretSearch
from sweeper.plan.spec_maker import SpecMaker
from sweeper.plan.totals import Totals, totals_of
from sweeper.rows.grid_file import Launch, Member, Membership, grids, readable, record_name
from sweeper.rows.row import read_rows
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.cluster import Cluster
from sweeper.spec.run import PARTS, RunSpec
from sweeper.spec.run_id import RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """One point of the plan."""

    choice: Mapping[str, str]
    state: State
    reason: str | None  # why it is refused; why it has no result yet, and what is done about it
    spec: RunSpec | None = None  # None when the point does not even make a spec
    run_id: RunId | None = None  # identity, when there is a spec
    cost: Cost | None = None  # None when it is refused
    considered: Considered | None = None  # of a run that failed or was interrupted


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A partition of a grid's points by state."""

    grid: str | None  # the name of its record and report; None: a single point
    launch: Launch | None
    axes: Mapping[str, tuple[str, ...]]
    runs: tuple[PlannedRun, ...]
    results_dir: Path
    questions: tuple[str, ...] = ()  # what the grid's report answers
    budget_gpu_hours: float | None = None  # of a launch, from the grid file
    notes: tuple[str, ...] = ()  # what was done with settings that change nothing in some points
    unchecked: str | None = None  # why verl was not asked whether it accepts the runs
    base_models: BaseModels = field(default_factory=BaseModels)  # what rows say of them
    damaged: tuple[DamagedError, ...] = ()  # rows and records of jobs that cannot be read

    def count(self) -> dict[State, int]:
        """Runs in each state, states without runs left out."""
        return dict(Counter(run.state for run in self.runs))

    @cached_property
    def to_run(self) -> tuple[PlannedRun, ...]:
        """The runs that a launch would start."""
        due = (run for run in self.runs if run.state in (State.new, State.interrupted, State.failed))
        return tuple(run for run in due if run.considered is None or run.considered.decision.retry)

    @property
    def refused(self) -> tuple[PlannedRun, ...]:
        """The points that cannot run."""
        return tuple(run for run in self.runs if run.state is State.refused)

    def refuse_unheard(self) -> None:
        """Refuse settings that jobs which wait would not hear.

        Raises:
            ConfigError: the first of them, and how many runs there are.
        """
        found = [run for run in self.runs if run.state is State.queued and run.reason]
        if found:
            raise ConfigError(f"{len(found)} of {len(self.runs)} runs: {found[0].reason}. Nothing was started")

    @cached_property
    def totals(self) -> Totals:
        """What the runs that a launch would start take together."""
        due = [(run.spec, run.cost) for run in self.to_run if run.spec and run.cost]
        return totals_of(due, self.results_dir, self.base_models)


def make_plan(grid: Grid, results_dir: Path) -> Plan:
    """Turn an expanded grid into a plan.

    Raises:
        ConfigError: two points describe the same run, or cannot be of one launch; a point holds a secret, which the
            table of a plan would print.
    """
    planner = _Planner(results_dir, grid.asked)
    runs = tuple(planner.planned(point) for point in counted(grid.points, total=len(grid.points), what="planning"))
    _refuse_several_launches([run.spec.cluster for run in runs if run.spec is not None])
    of_id = Counter(run.run_id for run in runs if run.run_id)
    repeated = [run_id for run_id, n in of_id.items() if n > 1]
    if repeated:
        twins = [dict(run.choice) for run in runs if run.run_id == repeated[0]]
        raise ConfigError(
            f"{of_id.total()} points are {len(of_id)} different runs; these are the same run ({repeated[0]}): "
            f"{', '.join(map(str, twins[:3]))}{' ...' if twins[3:] else ''}; leave all but one out of the axes"
        )
    axes = {axis.key: axis.labels for axis in grid.axes}
    run_ids = [run.run_id for run in runs if run.run_id is not None]
    open_runs = [(run.spec, run.cost) for run in runs if run.spec is not None and run.state is not State.done]
    plan = Plan(
        grid=None if grid.launch is None else record_name(results_dir, grid.launch, run_ids),
        launch=grid.launch,
        axes=axes,
        runs=runs,
        results_dir=results_dir,
        questions=grid.questions,
        budget_gpu_hours=grid.budget_gpu_hours,
        notes=(*grid.notes, *notes_on(open_runs, results_dir)),
        base_models=planner.base_models,
        damaged=tuple(planner.damaged),
    )
    return refuse(plan, wrong_partitions([run.spec for run in plan.to_run if run.spec]))


def _refuse_several_launches(clusters: Sequence[Cluster]) -> None:
    for name in ("executor", "device", "max_parallel", "max_gpus", "confirm_gpu_hours"):
        values = dict.fromkeys("null" if (value := getattr(one, name)) is None else str(value) for one in clusters)
        if len(values) > 1:
            raise ConfigError(
                f"cluster.{name} is {' and '.join(values)} in different points, and one launch has one of it; launch "
                "them one after the other"
            )


def spec_from(config: Plain) -> RunSpec:
    """The run specification of a composed config.

    Raises:
        ConfigError: a missing value, an ill-typed value, a data folder that cannot be read, a secret.
    """
    SecretSearch().refuse(config)
    return SpecMaker().spec(config)


class _Planner:
    """Plans points one after the other; what they share is computed once.

    Nothing is kept between plans: whatever a plan says was read, checked and counted when it was asked for.
    """

    def __init__(self, results_dir: Path, asked: Sequence[str]) -> None:
        self._results_dir, self._asked = results_dir, asked
        self._queue = Queue.ask(results_dir)
        self.damaged = [*map(DamagedError, self._queue.damaged)]  # and rows, which price nothing
        rows = tuple(read_rows(results_dir, self.damaged))
        self._pricer, self.base_models = Pricer(rows, results_dir), BaseModels.of(rows)
        self._secrets, self._maker = SecretSearch(), SpecMaker()
        self._judged: dict[tuple[object, ...], str | Cost] = {}  # why runs are refused, or what they cost

    def planned(self, point: Point) -> PlannedRun:
        """One point's place in the plan.

        Raises:
            ConfigError: it holds a secret.
        """
        self._secrets.refuse(point.config)
        try:
            spec = self._maker.spec(point.config)
            run_id = spec.run_id
        except ConfigError as error:
            return PlannedRun(choice=point.choice, state=State.refused, reason=str(error))
        judged = self._judge(spec, point.config["model_family"]["name"])
        if isinstance(judged, str):
            return PlannedRun(choice=point.choice, spec=spec, run_id=run_id, state=State.refused, reason=judged)
        run_dir = RunDir(results_dir=self._results_dir, run_id=run_id)
        state, considered = self._queue.state(run_dir), None
        damage = run_dir.damage() if state is State.damaged else None
        if state in (State.failed, State.interrupted):
            try:
                considered = consider(run_dir, self._queue, now=spec)
            except DamagedError as error:  # its spec is read in full only here
                state, damage = State.damaged, error
        failure = run_dir.failure() if state is State.failed else None
        reason = f"failed in {failure.phase}: {failure.reason}" if failure else None
        if considered is not None and (failure or considered.decision.changes or not considered.decision.retry):
            reason = f"{reason}; {considered.text()}" if reason else considered.text()
        if damage is not None:
            reason = str(damage)
        if state is State.unknown:
            reason = self._queue.reason(run_id)
        if state is State.queued:
            reason = self._unheard(run_dir, spec)
        return PlannedRun(
            choice=point.choice,
            spec=spec,
            run_id=run_id,
            state=state,
            reason=reason,
            cost=judged,
            considered=considered,
        )

    def _unheard(self, run_dir: RunDir, spec: RunSpec) -> str | None:
        try:
            return unheard(run_dir, spec)
        except DamagedError as error:
            self.damaged.append(error)
            return None

    def _judge(self, spec: RunSpec, family: str) -> str | Cost:
        # The maker shares equal parts among specs and keeps them, so that identity tells them apart. Whether a run can
        # be run and what it costs depends on everything but its seed.
        key = (family, *(id(getattr(spec, name)) for name in PARTS))
        if key not in self._judged:
            try:
                check(spec, family=family, asked=self._asked)
                refuse_other_shape(spec.model, self._results_dir)
                refuse_no_package(spec, self._results_dir)
                refuse_long_prompts(spec, self._results_dir)
                self._judged[key] = self._pricer.cost(spec)
            except ConfigError as error:
                self._judged[key] = str(error)
        return self._judged[key]


def refuse(plan: Plan, reasons: Mapping[str, str]) -> Plan:
    """The same plan with the given runs refused."""
    if not reasons:
        return plan
    runs = tuple(
        replace(run, state=State.refused, reason=reasons[str(run.run_id)]) if str(run.run_id) in reasons else run
        for run in plan.runs
    )
    return replace(plan, runs=runs)


def save_grid(plan: Plan, results_dir: Path) -> None:
    """Remember which runs belong to a grid, for `status`, `results` and reports; a single point belongs to none.

    A record that has them all already stays as it is, and no run ever leaves one.
    """
    if plan.grid is None or plan.launch is None:
        return
    axes = {**{key: (text,) for key, text in plan.launch.narrowed.items()}, **plan.axes}
    members = tuple(
        Member(
            run_id=run.run_id,
            choice=tuple({**plan.launch.narrowed, **run.choice}[key] for key in axes),
            devices=run.cost.devices if run.cost else None,
            device_hours=run.cost.device_hours if run.cost else None,
        )
        for run in plan.runs
        if run.run_id is not None
    )
    record = Membership(
        name=plan.grid,
        grid=plan.launch.grid,
        axes=axes,
        members=members,
        questions=plan.questions,
        settings=plan.launch.settings,
    )
    for known in readable(results_dir, [plan.grid] if plan.grid in grids(results_dir) else ()):
        if known.holds(member.run_id for member in members):
            return
        record = known.widened(record)
    record.write(results_dir)
