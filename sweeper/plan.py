"""The plan of a grid: which points run, which are done, which cannot run, and what it costs.

Nothing is written or started here.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import rewards
from data_prep.prompt_style import STYLES
from data_prep.spec import Order
from sweeper import secret
from sweeper.data import data_spec, with_digests
from sweeper.errors import ConfigError
from sweeper.flops import adaptable, axis_note, planned_flops
from sweeper.grid import Grid, Plain
from sweeper.members import Member, Membership
from sweeper.results import Flops, ResultRow, Status, read_rows
from sweeper.retry import Considered, consider
from sweeper.runs import RunDir, State
from sweeper.slurm_queue import Queue
from sweeper.spec import Executor, ModelSource, RunId, RunSpec

# Dense bf16 peak, FLOP/s, from the vendors' data sheets.
PEAK_FLOPS = {"A100": 312e12, "H100": 989e12, "H200": 989e12}
# Share of peak over a whole RL step (generation included) assumed for a cluster without measured rows.
ASSUMED_UTILIZATION = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a run is expected to take; `basis` says where the hours come from."""

    flops: Flops  # upper bound: every sequence at its maximum length
    samples: int  # responses generated for training
    devices: int
    hours: float | None  # wall time; None when nothing supports an estimate
    basis: str

    @property
    def device_hours(self) -> float | None:
        """GPU-hours (CPU-process hours on a machine without a GPU)."""
        return None if self.hours is None else self.hours * self.devices


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """One point of the plan."""

    choice: Mapping[str, str]
    spec: RunSpec | None  # None when the point does not even make a spec
    state: State
    reason: str | None  # why it is refused; why it has no result yet, and what is done about it
    cost: Cost | None
    considered: Considered | None = None  # of a run that failed or was interrupted

    @property
    def run_id(self) -> RunId | None:
        """Identity, when there is a spec."""
        return None if self.spec is None else self.spec.run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A partition of a grid's points by state."""

    grid: str | None
    axes: Mapping[str, tuple[str, ...]]
    runs: tuple[PlannedRun, ...]
    questions: tuple[str, ...] = ()  # what the grid's report answers

    def count(self) -> dict[State, int]:
        """Runs in each state, states without runs left out."""
        return dict(Counter(run.state for run in self.runs))

    @property
    def to_run(self) -> tuple[PlannedRun, ...]:
        """The runs that a launch would start."""
        due = (run for run in self.runs if run.state in (State.new, State.interrupted, State.failed))
        return tuple(run for run in due if run.considered is None or run.considered.decision.retry)

    @property
    def refused(self) -> tuple[PlannedRun, ...]:
        """The points that cannot run."""
        return tuple(run for run in self.runs if run.state is State.refused)


def make_plan(grid: Grid, results_dir: Path) -> Plan:
    """Turn an expanded grid into a plan.

    Raises:
        ConfigError: two points describe the same run.
    """
    rows = tuple(read_rows(results_dir)) if results_dir.exists() else ()
    queue = Queue.ask(results_dir)
    runs = tuple(_planned(point.choice, point.config, results_dir, rows, queue) for point in grid.points)
    repeated = [run_id for run_id, n in Counter(run.run_id for run in runs if run.spec).items() if n > 1]
    if repeated:
        twins = [dict(run.choice) for run in runs if run.run_id == repeated[0]]
        raise ConfigError(f"these points are the same run ({repeated[0]}): {twins}; remove one from the axes")
    axes = {axis.key: axis.labels for axis in grid.axes}
    return Plan(grid=grid.name, axes=axes, runs=runs, questions=grid.questions)


def spec_from(config: Plain) -> RunSpec:
    """The run specification of a composed config.

    Raises:
        ConfigError: a missing value, an ill-typed value, a data folder that cannot be read.
    """
    missing = [key for key, value in _leaves(config) if value == "???"]
    if missing:
        raise ConfigError(f"{missing[0]} has no value: set it, or choose an option of its group that does")
    picked = {field.name: config[field.name] for field in fields(RunSpec) if field.name in config}
    return RunSpec.from_dict({**picked, "data": with_digests(config["data"]), "reward_suite": rewards.SUITE_VERSION})


def _leaves(value: Any, prefix: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in _leaves(item, f"{prefix}{key}.")]
    return [(prefix.rstrip("."), value)]


def _planned(
    choice: Mapping[str, str], config: Plain, results_dir: Path, rows: Sequence[ResultRow], queue: Queue
) -> PlannedRun:
    spec: RunSpec | None = None
    try:
        spec = spec_from(config)
        check(spec, family=config["model_family"]["name"])
    except ConfigError as error:
        return PlannedRun(choice=choice, spec=spec, state=State.refused, reason=str(error), cost=None)
    run_dir = RunDir(results_dir=results_dir, run_id=spec.run_id)
    state = queue.state(run_dir)
    considered = consider(run_dir, queue, now=spec) if state in (State.failed, State.interrupted) else None
    failure = run_dir.failure() if state is State.failed else None
    reason = f"failed in {failure.phase}: {failure.reason}" if failure else None
    if considered is not None and (failure or considered.decision.changes or not considered.decision.retry):
        reason = f"{reason}; {considered.text()}" if reason else considered.text()
    if state is State.unknown:
        reason = queue.reason(spec.run_id)
    cost = estimate(spec, rows)
    return PlannedRun(choice=choice, spec=spec, state=state, reason=reason, cost=cost, considered=considered)


def check(spec: RunSpec, *, family: str) -> None:
    """Refuse what cannot run, naming the key and the cure.

    Raises:
        ConfigError: the first problem found.
    """
    training, resources, cluster, algorithm = spec.training, spec.model.resources, spec.cluster, spec.algorithm
    if spec.model.family != family:
        raise ConfigError(
            f"model={spec.model.name} belongs to model_family={spec.model.family}, but model_family={family} sets the "
            f"training regime; add model_family={spec.model.family}"
        )
    if spec.actor_lr is None:
        raise ConfigError(f"no step size: set training.actor_lr, or model.actor_lr in the file of {spec.model.name}")
    sizes = {
        "training.train_batch_size": training.train_batch_size,
        "training.ppo_mini_batch_size": training.ppo_mini_batch_size,
        "training.total_steps": spec.total_steps,
        "algorithm.rollout_n": algorithm.rollout_n,
        "eval.ks": min(spec.eval.ks, default=0),
    }
    for key, size in sizes.items():
        if size < 1:
            raise ConfigError(f"{key}={size}: must be 1 or more; set it higher")
    if training.train_batch_size % training.ppo_mini_batch_size:
        raise ConfigError(
            f"training.train_batch_size={training.train_batch_size} is not a multiple of "
            f"training.ppo_mini_batch_size={training.ppo_mini_batch_size}; change one of them"
        )
    _check_shape(spec)
    _check_screen(spec)
    _check_data(spec)
    if algorithm.rollout_n < 2 and algorithm.adv_estimator == "grpo":
        raise ConfigError(
            f"algorithm.rollout_n={algorithm.rollout_n}: GRPO compares responses of a group; use 2 or more"
        )
    longest = training.max_prompt_length + training.max_response_length
    if longest > spec.model.architecture.max_position_embeddings:
        raise ConfigError(
            f"training.max_prompt_length + max_response_length = {longest} tokens, but {spec.model.name} has "
            f"{spec.model.architecture.max_position_embeddings} positions; shorten one of them"
        )
    if longest > resources.actor_tokens_per_gpu * resources.sequence_parallel:
        raise ConfigError(
            f"one sequence may have {longest} tokens, more than model.resources.actor_tokens_per_gpu="
            f"{resources.actor_tokens_per_gpu}; raise it or shorten training.max_response_length"
        )
    if max(spec.eval.ks) > spec.eval.n_samples:
        raise ConfigError(
            f"eval.ks asks for pass@{max(spec.eval.ks)} but eval.n_samples={spec.eval.n_samples}: undefined; draw more "
            "samples or ask for smaller k"
        )
    if spec.model.prompt_style not in STYLES:
        raise ConfigError(f"model.prompt_style={spec.model.prompt_style} is unknown; choose one of {', '.join(STYLES)}")
    if cluster.executor is Executor.slurm:
        secret.check(cluster)
        path = spec.model.path
        if path is not None and Path(path).is_dir() and not Path(path).is_absolute():
            raise ConfigError(
                f"model.path={path} is a folder seen from here, and jobs run elsewhere; use {Path(path).resolve()}"
            )
        if resources.gpus_per_node > cluster.gpus_per_node or resources.nodes > cluster.max_nodes:
            raise ConfigError(
                f"{spec.model.name} needs {resources.nodes} x {resources.gpus_per_node} GPUs (model.resources), but "
                f"cluster={cluster.name} has at most {cluster.max_nodes} x {cluster.gpus_per_node}"
            )
    elif resources.nodes > 1:
        raise ConfigError(
            f"{spec.model.name} needs {resources.nodes} nodes (model.resources.nodes), but cluster={cluster.name} is "
            "one machine; use cluster=slurm"
        )


def _check_shape(spec: RunSpec) -> None:
    shape, lora = spec.model.architecture, spec.algorithm.lora
    experts, chosen = shape.num_experts, shape.experts_per_token
    if (experts is None) != (chosen is None) or (experts and chosen and not 1 <= chosen <= experts):
        raise ConfigError(
            f"model.architecture.num_experts={experts}, experts_per_token={chosen}: set both, with 1 <= "
            "experts_per_token <= num_experts, or neither"
        )
    if experts and spec.model.source is ModelSource.tiny:
        raise ConfigError(
            f"model.architecture.num_experts={experts}: tiny models are dense; set it to null, or take a model.source "
            "that has experts"
        )
    unknown = set(lora.target_modules) - {"all-linear", *adaptable(shape)} if lora.rank else set()
    if unknown:
        raise ConfigError(
            f"algorithm.lora.target_modules has {', '.join(sorted(unknown))}: choose from {', '.join(adaptable(shape))}"
        )


def _check_data(spec: RunSpec) -> None:
    n_unique, batch, sft = spec.n_unique, spec.training.train_batch_size, spec.training.sft
    if n_unique is None and spec.data.root is None:
        raise ConfigError("data_scale=full needs a data folder (data_root=…): synthetic tasks are endless")
    data_spec(spec)
    if n_unique is not None and n_unique - spec.n_sft < batch:
        aside = f" less {spec.n_sft} for fine-tuning (data.sft_share={spec.data.sft_share:g})" if spec.n_sft else ""
        raise ConfigError(
            f"data_scale.n_unique={n_unique}{aside} is less than training.train_batch_size={batch}: verl "
            "drops incomplete batches and would train on nothing; lower the batch or use more problems"
        )
    seen = spec.total_steps * batch
    if spec.curriculum.order is not Order.mixed and n_unique is not None and seen < n_unique - spec.n_sft:
        raise ConfigError(
            f"curriculum={spec.curriculum.name}: {spec.total_steps} steps of {batch} problems end after the first "
            f"{seen} of {n_unique - spec.n_sft}, so the rest of the order is never trained on; set "
            "training.total_steps=null and data_scale.epochs=1, or use fewer problems"
        )
    if spec.data.sft_share and n_unique is None:
        raise ConfigError(f"data.sft_share={spec.data.sft_share:g} is a share of data_scale.n_unique; set that")
    if spec.data.sft_share and (sft.epochs <= 0 or sft.batch_size < 1 or sft.lr <= 0):
        raise ConfigError(
            f"training.sft.epochs={sft.epochs:g}, batch_size={sft.batch_size}, lr={sft.lr:g}: all must be above 0"
        )


def _check_screen(spec: RunSpec) -> None:
    screen, batch = spec.data.screen, spec.training.train_batch_size
    if screen.n_samples == 0:
        return
    if screen.n_samples < 2:
        raise ConfigError(
            f"data.screen.n_samples={screen.n_samples}: one sample is always or never right; use 2 or more, or 0 for "
            "no screening"
        )
    if not 0 <= screen.min_pass_rate < screen.max_pass_rate <= 1:
        raise ConfigError(
            f"data.screen keeps pass rates between min_pass_rate={screen.min_pass_rate} and "
            f"max_pass_rate={screen.max_pass_rate}: set 0 <= min < max <= 1"
        )
    if screen.max_problems is not None and screen.max_problems < batch:
        raise ConfigError(
            f"data.screen.max_problems={screen.max_problems} is less than training.train_batch_size={batch}; raise it"
        )


def estimate(spec: RunSpec, rows: Sequence[ResultRow]) -> Cost:
    """Expected cost of a run: from measured rows of the same model if there are any, else from stated assumptions."""
    flops = planned_flops(spec)
    devices = spec.model.resources.nodes * spec.model.resources.gpus_per_node
    samples = spec.total_steps * spec.training.train_batch_size * spec.algorithm.rollout_n
    hours, basis = None, "no measured run of this model yet"
    alike = [
        row
        for row in rows
        if row.status is Status.completed
        and row.model == spec.model.name
        and row.timing is not None
        and row.timing.total_s
        and row.train_samples
    ]
    if alike:
        rates = sorted(
            row.timing.total_s / row.train_samples
            for row in alike
            if row.timing and row.timing.total_s and row.train_samples
        )
        hours = rates[len(rates) // 2] * samples / 3600
        basis = f"median of {len(rates)} measured run{'s' if len(rates) > 1 else ''} of this model"
    elif spec.cluster.gpu_type in PEAK_FLOPS and flops.total is not None and flops.evaluation is not None:
        rate = PEAK_FLOPS[spec.cluster.gpu_type] * ASSUMED_UTILIZATION * devices
        hours = (flops.total + flops.evaluation) / rate / 3600
        basis = (
            f"assumed {ASSUMED_UTILIZATION:.0%} of {spec.cluster.gpu_type} peak, full-length responses: an upper bound"
        )
    return Cost(flops=flops, samples=samples, devices=devices, hours=hours, basis=basis)


def refuse(plan: Plan, reasons: Mapping[str, str]) -> Plan:
    """The same plan with the given runs refused."""
    runs = tuple(
        replace(run, state=State.refused, reason=reasons[str(run.run_id)]) if str(run.run_id) in reasons else run
        for run in plan.runs
    )
    return replace(plan, runs=runs)


def save_grid(plan: Plan, results_dir: Path) -> None:
    """Remember which runs belong to a grid, for `status`, `results` and reports; a single point belongs to none."""
    if plan.grid is None:
        return
    members = tuple(
        Member(
            run_id=run.run_id,
            choice=tuple(run.choice[key] for key in plan.axes),
            devices=run.cost.devices if run.cost else None,
            device_hours=run.cost.device_hours if run.cost else None,
        )
        for run in plan.runs
        if run.run_id is not None
    )
    Membership(grid=plan.grid, axes=dict(plan.axes), members=members, questions=plan.questions).write(results_dir)


def plan_text(plan: Plan) -> str:
    """The plan as people read it: one line a run, the totals, and the refusals in full."""
    from tabulate import tabulate

    lines = []
    for run in plan.runs:
        cost = run.cost
        lines.append(
            {
                "run": run.run_id or "-",
                **({} if run.run_id else dict(run.choice)),
                "state": str(run.state),
                "steps": run.spec.total_steps if run.spec and cost else None,
                "samples": cost.samples if cost else None,
                "FLOPs <=": None if cost is None or cost.flops.total is None else f"{cost.flops.total:.1e}",
                "devices": cost.devices if cost else None,
                "hours": None if cost is None or cost.hours is None else f"{cost.hours:.2f}",
                "device-hours": None if cost is None or cost.device_hours is None else f"{cost.device_hours:.2f}",
            }
        )
    axes = " x ".join(f"{key} ({len(labels)})" for key, labels in plan.axes.items())
    product = math.prod(len(labels) for labels in plan.axes.values())
    ruled = "" if product == len(plan.runs) else f" less {product - len(plan.runs)} tied or excluded"
    head = f"{plan.grid}: {len(plan.runs)} runs = {axes}{ruled}" if plan.axes else "one run"
    counts = ", ".join(f"{n} {state}" for state, n in plan.count().items())
    parts = [head, tabulate(lines, headers="keys", tablefmt="simple", missingval="-", disable_numparse=True), counts]
    due = [run.cost for run in plan.to_run if run.cost is not None]
    hours = [cost.device_hours for cost in due if cost.device_hours is not None]
    if due:
        known = f"{sum(hours):.2f} device-hours to run" if len(hours) == len(due) else "device-hours unknown"
        parts[-1] += f"; {known} ({'; '.join(sorted({cost.basis for cost in due}))})"
    if due:
        parts.append(axis_note({cost.flops.accounting for cost in due}))
    parts += [f"{run.run_id or dict(run.choice)}: {run.reason}" for run in plan.runs if run.reason]
    return "\n".join(parts)


def plan_json(plan: Plan, *, overrides: Callable[[RunSpec], tuple[str, ...]] | None) -> dict[str, Any]:
    """The plan as plain values, with each run's verl overrides if asked for."""
    return {
        "grid": plan.grid,
        "axes": {key: list(labels) for key, labels in plan.axes.items()},
        "counts": {str(state): n for state, n in plan.count().items()},
        "runs": [
            {
                "run_id": run.run_id,
                "choice": dict(run.choice),
                "state": str(run.state),
                "reason": run.reason,
                "steps": run.spec.total_steps if run.spec and run.cost else None,
                "cost": None if run.cost is None else asdict(run.cost) | {"device_hours": run.cost.device_hours},
                **({"verl_overrides": list(overrides(run.spec))} if overrides and run.spec else {}),
            }
            for run in plan.runs
        ],
    }
