"""A plan as people read it and as programs do."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sweeper.host import amounts
from sweeper.host.amounts import between, duration, number_of, size
from sweeper.host.printed_table import WIDE, Room, paragraph, printed
from sweeper.plan import weights_look
from sweeper.plan.cost import Cost
from sweeper.plan.data_look import look_lines, looks
from sweeper.plan.gpu import GIB
from sweeper.plan.memory import PHASES, Memory
from sweeper.plan.plan import Plan, PlannedRun
from sweeper.plan.totals import Totals
from sweeper.rows.differences import beside, named, short_name, shown, unnamed
from sweeper.rows.flops import axis_note
from sweeper.rows.money import Price
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import handles

_LEAST_READ = ("disk", "samples", "FLOPs <=", "steps", "devices", "hours", "GPU peak")
LINES = 24  # a longer plan is shown by groups of alike runs
FLOPS_PHASES = ("generation", "log_prob", "reference", "critic", "actor")


def plan_text(plan: Plan, room: Room = WIDE) -> str:
    """Totals first, then one line per run (of many: per group that costs the same), then what is refused."""
    axes = " x ".join(f"{key} ({len(labels)})" for key, labels in plan.axes.items())
    left_out = math.prod(len(labels) for labels in plan.axes.values()) - len(plan.runs)
    why = "tied, excluded or the same runs" if plan.notes else "tied or excluded"
    ruled = f" less {left_out} {why}" if left_out else ""
    what = f"{number_of(len(plan.runs), 'run')} = {axes}{ruled}" if plan.axes else "one run"
    head = f"{plan.grid}: {what}" if plan.grid else what
    counts = ", ".join(f"{n} {state}" for state, n in plan.count().items())
    rows = _lines(plan, room) if len(plan.runs) <= LINES else _groups(plan)
    parts = [f"{head}: {counts}", *plan.notes]
    parts += (
        [f"UNCHECKED, verl was not asked whether it accepts these runs: {plan.unchecked}"] if plan.unchecked else []
    )
    specs = [run.spec for run in plan.to_run if run.spec]
    costs = [run.cost for run in plan.to_run if run.cost is not None]
    parts += _totals(plan.totals, costs, specs, plan.base_models.text(plan.totals.base_models)) if plan.to_run else []
    parts += weights_look.look_lines(weights_look.looks(specs, plan.results_dir), plan.results_dir)
    parts += look_lines(looks(specs, plan.results_dir))
    parts = [paragraph(part, room, indent="  ") for part in parts]
    parts += ["", _table(rows, room), *_memories(plan.runs, room)]
    return "\n".join([*parts, *(paragraph(reason, room, indent="  ") for reason in _reasons(plan.runs))])


def _table(rows: Sequence[Mapping[str, object]], room: Room) -> str:
    keys = [key for key in rows[0] if any(row[key] is not None for row in rows)]
    alike = [key for key in keys if len({str(row[key]) for row in rows}) == 1 and key not in ("run", "state")]
    cells = [{key: row[key] for key in keys} for row in rows]
    return printed(cells, room, drop=[*_LEAST_READ, *alike], cut_start="run")


def _lines(plan: Plan, room: Room) -> list[dict[str, object]]:
    """One line per run: its id and what that does not say, or its place on the axes and a handle."""
    runs, short = plan.runs, handles(run.run_id for run in plan.runs if run.run_id)
    own = unnamed([None if run.spec is None else run.spec.settings() for run in runs])
    lines = []
    for i, run in enumerate(runs):
        name = str(run.run_id) if run.run_id else " ".join(f"{key}={value}" for key, value in run.choice.items())
        told = {item.name: item.texts[i] for item in own}
        if plan.axes and not room.ids:
            name = short.get(str(run.run_id), "-")
            told = {short_name(key, run.choice): shown(label) for key, label in run.choice.items()} | told
        lines.append({"run": name, **told, "state": str(run.state), **_figures(run.spec, run.cost)})
    return lines


def _groups(plan: Plan) -> list[dict[str, object]]:
    alike: dict[tuple[object, ...], list[PlannedRun]] = {}
    for run in plan.runs:
        alike.setdefault((run.state, id(run.cost) if run.cost else None), []).append(run)
    rows = []
    for runs in alike.values():
        choices = {}
        for key in plan.axes:
            labels = list(dict.fromkeys(run.choice[key] for run in runs))
            choices[key] = labels[0] if len(labels) == 1 else f"{len(labels)} values"
        rows.append({"runs": len(runs), **choices, "state": str(runs[0].state), **_figures(runs[0].spec, runs[0].cost)})
    return rows


def _figures(spec: RunSpec | None, cost: Cost | None) -> dict[str, object]:
    if spec is None or cost is None:
        return dict.fromkeys(("steps", "samples", "FLOPs <=", "devices", "hours", "device-hours", "GPU peak", "disk"))
    return {
        "steps": spec.total_steps,
        "samples": cost.samples,
        "FLOPs <=": None if cost.flops.total is None else f"{cost.flops.total:.1e}",
        "devices": cost.devices,
        "hours": _told(cost, cost.hours, cost.hours_range),
        "device-hours": _told(cost, cost.device_hours, cost.device_hours_range),
        "GPU peak": None if cost.memory is None else _peak(cost.memory),
        "disk": size(cost.checkpoint_bytes + cost.log_bytes),
    }


def _told(cost: Cost, value: float | None, pair: tuple[float, float] | None) -> str | None:
    """One number where runs like it were measured; else the range that the error of published runs implies."""
    if value is None:
        return None
    return f"{value:.2f}" if cost.error is not None or pair is None else between(*pair)


def _peak(memory: Memory) -> str:
    mark = "" if memory.fits else " does not fit"
    return f"{memory.worst.total / GIB:.0f}/{memory.capacity / GIB:.0f} GiB {memory.worst.phase}{mark}"


def _totals(totals: Totals, costs: Sequence[Cost], specs: Sequence[RunSpec], built: str) -> list[str]:
    money = _money(plan_money(totals, specs))
    unit = "GPU-hours" if totals.gpu_hours != 0.0 else "device-hours"
    bases = "; ".join(sorted({cost.basis for cost in costs}))
    error = f"; off by {totals.error:.0%} where it was measured" if totals.error is not None else ""
    if totals.device_hours is None:
        price = f"{unit} unknown" + (f" of {totals.unpriced} of them" if totals.unpriced < totals.runs else "")
    elif totals.error is None and totals.device_hours_low is not None and totals.device_hours_high is not None:
        price = f"{between(totals.device_hours_low, totals.device_hours_high)} {unit}"
    else:
        price = f"{amounts.hours(totals.device_hours)} {unit}"
    waves = number_of(totals.waves, "wave")
    # More smaller runs than larger ones fit under one ceiling.
    mixed = totals.waves * totals.at_once < totals.runs
    waves += f", {totals.at_once} of the largest runs at once" if mixed else f" of {totals.at_once} at once"
    ends = "" if totals.hours is None else f", {_last(totals)} to the last result"
    by_phase = {name: sum(getattr(cost.flops, name) or 0.0 for cost in costs) for name in FLOPS_PHASES}
    phases = ", ".join(f"{name} {value:.1e}" for name, value in by_phase.items() if value)
    flops = "unknown" if totals.flops is None else f"{totals.flops:.1e}"
    full = "  MORE THAN IS FREE" if totals.disk_bytes > totals.free_bytes else ""
    # What the lines of the runs do not hold.
    guess = "" if totals.error is not None else "an estimated "
    part = "" if not totals.base_device_hours else f", {guess}{amounts.hours(totals.base_device_hours)} of them"
    base = f"{part} for the pass@k of {number_of(totals.base_models, 'base model')}, measured once" if part else ""
    lines = [
        f"to run: {totals.runs}, {price} ({bases}{error}){base}",
        *money,
        *_held_to_budgets(totals),
        f"        {waves}{ends}",
        f"        training FLOPs <= {flops} ({phases}){_encoded_again(costs)}",
        f"        tokens <= {totals.tokens:.1e} in training, {totals.evaluation_tokens:.1e} in pass@k",
        f"        disk {size(totals.disk_bytes)} of checkpoints and logs, {size(totals.free_bytes)} free{full}; "
        f"{size(totals.written_bytes)} of checkpoints written",
    ]
    lines += [f"        {built}"] if built else []
    lines += _agents(specs, costs)
    return [*lines, axis_note({cost.flops.accounting for cost in costs})]


def _encoded_again(costs: Sequence[Cost]) -> str:
    """What engines without a prefix cache compute beside the phases."""
    again = sum(cost.flops.prefill_repeated or 0.0 for cost in costs if cost.agent and not cost.agent.prefix_cache)
    return f"; <= {again:.1e} more, encoded again before agents' turns without a prefix cache" if again else ""


def _agents(specs: Sequence[RunSpec], costs: Sequence[Cost]) -> list[str]:
    """What the prices of agents rest on: a line per number, with its values by source, in the order of the runs."""
    found: dict[str, dict[str, dict[tuple[str, str], None]]] = {}
    for spec, cost in zip(specs, costs, strict=True):
        for item in cost.agent.assumptions if cost.agent is not None else ():
            found.setdefault(item.what, {}).setdefault(item.source, {})[spec.agent.name, item.shown] = None
    lines = [f"          {what}: {_by_agent(sources)}" for what, sources in found.items()]
    return ["        the price of agents rests on", *lines] if lines else []


def _by_agent(sources: Mapping[str, Iterable[tuple[str, str]]]) -> str:
    """Values with their sources; with the agents' names where these have different ones."""
    of: dict[str, list[str]] = {}
    for values in sources.values():
        for name, value in values:
            of.setdefault(name, []).append(value)
    alike = len({tuple(values) for values in of.values()}) == 1
    return "; ".join(
        f"{', '.join(dict.fromkeys(value if alike else f'{name} {value}' for name, value in values))} ({source})"
        for source, values in sources.items()
    )


def plan_money(totals: Totals, specs: Sequence[RunSpec]) -> dict[str, Any] | None:
    """What the runs of a plan take in money; None: their cluster has no price, or none that all of them share."""
    prices = {Price.of(spec.cluster) for spec in specs}
    price = next(iter(prices), None)
    if price is None or len(prices) > 1 or not totals.gpu_hours:
        return None
    ends = (totals.gpu_hours, totals.device_hours_low, totals.device_hours_high)
    cost, low, high = (None if hours is None else price.per_gpu_hour * hours for hours in ends)
    known = {"cost": cost, "cost_low": low, "cost_high": high}
    return {"currency": price.currency, "price_per_gpu_hour": price.per_gpu_hour, **known}


def _money(money: dict[str, Any] | None) -> list[str]:
    if money is None:
        return []
    low, high, currency = money["cost_low"], money["cost_high"], money["currency"]
    amount = f"{currency} {money['cost']:,.2f}" if low is None else f"{currency} {between(low, high)}"
    return [f"        {amount} at {currency} {money['price_per_gpu_hour']:g} for a GPU-hour"]


def _held_to_budgets(totals: Totals) -> list[str]:
    """The number within the range that budgets and questions go by; none where it is the price itself."""
    if not totals.gpu_hours or totals.error is not None or totals.device_hours_low is None:
        return []
    price = f"an estimated {amounts.hours(totals.gpu_hours)} GPU-hours"
    return [f"        {price} are held against budgets and cluster.confirm_gpu_hours"]


def _last(totals: Totals) -> str:
    """Time to the last result: one, or a range where nothing was measured."""
    low, high = totals.hours_low, totals.hours_high
    if totals.error is not None or low is None or high is None:
        return duration(3600 * (totals.hours or 0.0))
    return f"{between(low, high)} hours" if high >= 1 else f"{between(60 * low, 60 * high)} minutes"


def _memories(runs: Sequence[PlannedRun], room: Room) -> list[str]:
    """Peak memory by phase of every different estimate, for runs on GPUs."""
    rows: dict[tuple[object, ...], dict[str, object]] = {}
    capacity = 0.0
    for run in runs:
        memory = run.cost.memory if run.cost else None
        if memory is None or run.spec is None:
            continue
        capacity = memory.capacity
        cells = {peak.phase: f"{peak.total / GIB:.0f}" for peak in memory.peaks}
        names = {"model": run.spec.model.name, "algorithm": run.spec.algorithm.name}
        row: dict[str, object] = {
            **names,
            **{phase: cells.get(phase) for phase in PHASES},
        }
        rows.setdefault(tuple(row.values()), row)
    if not rows:
        return []
    return [
        "",
        f"peak memory by phase, GiB of {capacity / GIB:.0f} on a GPU (estimated):",
        _table(list(rows.values()), room),
    ]


def _reasons(runs: Sequence[PlannedRun]) -> list[str]:
    alike: dict[str, list[PlannedRun]] = {}
    for run in runs:
        if run.reason:
            alike.setdefault(run.reason, []).append(run)
    found = []
    for reason, (run, *others) in alike.items():
        choice = " ".join(f"{key}={value}" for key, value in run.choice.items()) or "this point"
        name = named(run.run_id, beside(run.choice)) if run.run_id else choice
        found.append(f"{name}{f' and {len(others)} more' if others else ''}: {reason}")
    return found


def plan_json(plan: Plan, *, overrides: Callable[[RunSpec], tuple[str, ...]] | None) -> dict[str, Any]:
    """The plan as plain values, with each run's verl overrides if asked for."""
    costs: dict[int, dict[str, Any]] = {}
    for run in plan.runs:
        if run.cost is not None and id(run.cost) not in costs:
            costs[id(run.cost)] = _cost_json(run.cost)
    specs = [run.spec for run in plan.to_run if run.spec]
    return {
        "grid": plan.grid,
        "axes": {key: list(labels) for key, labels in plan.axes.items()},
        "counts": {str(state): n for state, n in plan.count().items()},
        "notes": list(plan.notes),
        "totals": asdict(plan.totals),
        "money": plan_money(plan.totals, specs),
        "weights": [asdict(look) for look in weights_look.looks(specs, plan.results_dir)],
        "data": [asdict(look) for look in looks(specs, plan.results_dir)],
        "verl": {"status": "checked" if plan.unchecked is None else "unchecked", "reason": plan.unchecked},
        "runs": [
            {
                "run_id": run.run_id,
                "choice": dict(run.choice),
                "state": str(run.state),
                "reason": run.reason,
                "steps": run.spec.total_steps if run.spec and run.cost else None,
                "cost": None if run.cost is None else costs[id(run.cost)],
                **({"verl_overrides": list(overrides(run.spec))} if overrides and run.spec else {}),
            }
            for run in plan.runs
        ],
    }


def _cost_json(cost: Cost) -> dict[str, Any]:
    (low, high), (least, most) = (pair or (None, None) for pair in (cost.hours_range, cost.device_hours_range))
    values = asdict(cost) | {"hours": cost.hours, "hours_low": low, "hours_high": high}
    if cost.agent is None:
        del values["agent"]  # as before there were agents
    values |= {"device_hours": cost.device_hours, "device_hours_low": least, "device_hours_high": most}
    if cost.memory is not None:
        peaks = {peak.phase: {"bytes": peak.total, "parts": dict(peak.parts)} for peak in cost.memory.peaks}
        values["memory"] |= {"fits": cost.memory.fits, "worst": cost.memory.worst.phase, "peaks": peaks}
    return values
