"""What a plan says beside its numbers: of settings that are allowed, and seldom meant."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from sweeper.host.amounts import hours, number_of, size
from sweeper.host.machine import Device
from sweeper.inputs.data import data_spec
from sweeper.launch import webhook
from sweeper.launch.slurm import options
from sweeper.launch.slurm.shape import shape_of
from sweeper.plan import host_memory
from sweeper.plan.cost import Cost
from sweeper.plan.mounts import unmounted
from sweeper.plan.throughput import roofline
from sweeper.rows.flops import DRAWN
from sweeper.spec.cluster import Executor
from sweeper.spec.run import RunSpec
from sweeper.training import checkpoint, processors

_LONG = 7 * 86400.0  # seconds of one run on this machine's CPUs that nobody waits for


def notes_on(runs: Sequence[tuple[RunSpec, Cost | None]], results_dir: Path) -> Iterator[str]:
    """Lines on the runs of a plan that are not done; those without a cost are refused."""
    yield from _cold([spec for spec, _ in runs])
    yield from _drawn_anew([spec for spec, _ in runs])
    yield from _evaluated_along([spec for spec, _ in runs])
    yield from _nobody_told([spec for spec, _ in runs])
    priced = [(spec, cost) for spec, cost in runs if cost is not None]
    yield from _turns([spec for spec, cost in priced if cost.on_gpus])
    yield from _without_gpus([spec for spec, cost in priced if not cost.on_gpus])
    jobs = [(spec, cost) for spec, cost in priced if spec.cluster.executor is Executor.slurm]
    yield from _idle_gpus([spec for spec, _ in jobs])
    yield from _left_to_the_site([spec for spec, cost in jobs if cost.on_gpus and spec.cluster.gpus_per_node])
    yield from _low_ceiling([spec for spec, _ in jobs])
    yield from _longer_than_a_job(jobs)
    yield from _behind_another([(spec, cost) for spec, cost in jobs if cost.on_gpus])
    yield from unmounted([spec for spec, _ in jobs], results_dir)


def _cold(specs: Sequence[RunSpec]) -> Iterator[str]:
    """Runs that end before their learning rate is what was asked for."""
    cold = [spec for spec in specs if spec.training.lr_warmup_steps >= spec.total_steps]
    if cold:
        warm_up, steps = cold[0].training.lr_warmup_steps, cold[0].total_steps
        yield (
            f"{len(cold)} of {len(specs)} runs end before they reach their learning rate: "
            f"training.lr_warmup_steps={warm_up} of {number_of(steps, 'step')} (the first step's rate is 0)"
        )


def _drawn_anew(specs: Sequence[RunSpec]) -> Iterator[str]:
    """Runs of dynamic sampling, whose FLOPs and hours rest on how many groups have no signal."""
    filtered = [spec for spec in specs if spec.algorithm.filter_groups]
    if filtered:
        yield (
            f"{len(filtered)} of {len(specs)} runs draw groups without signal anew (algorithm.filter_groups): "
            f"{DRAWN:g} drawn for each one trained on are assumed, as in DAPO's own script; FLOPs are no bound there"
        )


def _evaluated_along(specs: Sequence[RunSpec]) -> Iterator[str]:
    """Runs whose checkpoints are evaluated, too: evaluations and disk."""
    along = [spec for spec in specs if spec.evaluated_steps]
    if along:
        evaluations = sum(len(spec.evaluated_steps) for spec in along)
        yield (
            f"{len(along)} of {len(specs)} runs measure pass@k along training (eval.checkpoints): "
            f"{number_of(evaluations, 'evaluation')} more, and {size(sum(map(checkpoint.bytes_kept, along)))} of plain "
            "weights until gc"
        )


def _nobody_told(specs: Sequence[RunSpec]) -> Iterator[str]:
    """Webhooks whose address is not here, which a launch refuses."""
    for name in dict.fromkeys(spec.logging.webhook_env for spec in specs):
        if name is not None and (why := webhook.fault(name)):
            yield f"{why}: a launch from here is refused"


def _turns(specs: Sequence[RunSpec]) -> Iterator[str]:
    here = [spec.cluster.max_parallel for spec in specs if spec.cluster.executor is Executor.local]
    given = [number for number in here if number not in (None, 1)]
    if given:
        yield (
            f"runs on this machine's GPUs take turns, one at once: cluster.max_parallel={given[0]} counts where there "
            "is none"
        )


def _without_gpus(specs: Sequence[RunSpec]) -> Iterator[str]:
    """Runs of models for GPUs, where `cluster=slurm` was forgotten."""
    here = [spec for spec in specs if spec.cluster.executor is Executor.local and spec.cluster.device is Device.auto]
    long = [spec for spec in here if sum((roofline(spec) or {}).values()) > _LONG]
    if long:
        most = max(long, key=lambda spec: spec.model.architecture.n_params)
        yield (
            f"{len(long)} of {len(specs)} runs would compute on this machine's CPUs for weeks or longer "
            f"({most.model.name} has {most.model.architecture.n_params:,} parameters, and cluster="
            f"{most.cluster.name} finds no GPU here): cluster=slurm plans jobs on GPUs"
        )


def _left_to_the_site(specs: Sequence[RunSpec]) -> Iterator[str]:
    """Processors and memory that no setting states."""
    shapes = {shape_of(spec): spec for spec in specs}
    open_cpus = [
        spec
        for shape, spec in shapes.items()
        if options.node_cpus(shape) is None and not any(name == "exclusive" for name, _ in shape.sbatch)
    ]
    if open_cpus:
        needed = max(processors.cores_needed(spec.model.resources) for spec in open_cpus)
        yield (
            "cluster.cpus_per_gpu=null: jobs get the CPUs that the site gives unasked, one where it says nothing, and "
            f"take up to {needed} of a node at least; set 8, or ask a node with doctor --job"
        )
    open_memory = [spec for shape, spec in shapes.items() if options.node_memory(shape) is None]
    if open_memory:
        most = max(sum(host_memory.least(spec).values()) for spec in open_memory)
        yield (
            "cluster.memory_gb_per_gpu=null: jobs get the memory that the site gives unasked, and take up to "
            f"{size(most)} of a node at least"
        )


def _idle_gpus(specs: Sequence[RunSpec]) -> Iterator[str]:
    idle = [spec for spec in specs if spec.cluster.device is Device.cpu and spec.cluster.gpus_per_node]
    if idle:
        yield (
            f"{len(idle)} of {len(specs)} runs ask SLURM for GPUs and compute on CPUs (cluster.device=cpu): "
            "cluster=slurm_cpu asks for none"
        )


def _low_ceiling(specs: Sequence[RunSpec]) -> Iterator[str]:
    most = max((shape_of(spec).gpus for spec in specs), default=0)
    ceiling = min((spec.cluster.max_gpus for spec in specs if spec.cluster.max_gpus is not None), default=most)
    if ceiling < most:
        yield f"cluster.max_gpus={ceiling} is less than the {most} GPUs of the largest run, which gets them anyway"


def _longer_than_a_job(jobs: Sequence[tuple[RunSpec, Cost]]) -> Iterator[str]:
    """Runs that may not end within one job, by the most that they may take."""
    long = [spec for spec, cost in jobs if _most(cost) > spec.model.resources.hours]
    if long:
        limits = sorted({spec.model.resources.hours for spec in long})
        hours = " to ".join(f"{value:g}" for value in dict.fromkeys((limits[0], limits[-1])))
        yield (
            f"{len(long)} of {len(jobs)} runs may take longer than one job (model.resources.hours={hours}): a job that "
            "is stopped is queued again, and goes on from its last checkpoint"
        )


def _behind_another(jobs: Sequence[tuple[RunSpec, Cost]]) -> Iterator[str]:
    """Runs that wait with their GPUs for what another makes for both: not for pass@k of their base model."""
    made, behind, seconds = set[object](), 0, 0.0
    for spec, cost in jobs:
        shared = {what: value for what, value in _made_once(spec).items() if value is not None}
        again = {what for what, value in shared.items() if (what, value) in made}
        made.update(shared.items())
        behind += bool(again)
        if cost.seconds is not None and "fine-tuning" in again:
            seconds += cost.seconds["fine_tuning"] * cost.devices
    if behind:
        price = f", fine-tuning alone for {hours(seconds / 3600)} GPU-hours" if seconds else ""
        yield (
            f"{behind} of {len(jobs)} runs start from what another of them makes (warm start, fine-tuning, screening), "
            f"and begun at once they wait for it with their GPUs{price}: --canary queues those of one shape behind one"
        )


def _made_once(spec: RunSpec) -> dict[str, str | None]:
    """What runs make once for all who want the same, before they train; None: this one wants none."""
    data, start = repr(data_spec(spec)), f"{spec.model.name} {spec.model.warm_start}"
    tuned = f"{start} {spec.training.sft} {spec.seed} {data}" if spec.data.sft_share else None
    return {
        "warm start": start if spec.model.warm_start.steps else None,
        "fine-tuning": tuned,
        "screening": f"{tuned or start} {spec.data.screen} {data}" if spec.data.screen.n_samples else None,
    }


def _most(cost: Cost) -> float:
    """Hours at most; 0: not known."""
    return cost.hours_range[1] if cost.hours_range is not None else cost.hours or 0.0
