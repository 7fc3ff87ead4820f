"""What the runs of a results folder have cost so far, in money."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sweeper.host.errors import DamagedError
from sweeper.host.machine import Device
from sweeper.rows.money import Price
from sweeper.rows.seen_files import SeenFiles
from sweeper.runs.folder import RunDir

Status = dict[str, Any]


def tell_cost(statuses: Sequence[Status], results_dir: Path, specs: SeenFiles) -> None:
    """Say what runs on GPUs that have a price have cost; `specs` remembers what was found in specifications."""
    for item in statuses:
        if item["device_hours"] is None:
            continue
        run_dir = RunDir(results_dir=results_dir, run_id=item["run_id"])
        with suppress(DamagedError):  # told as damage of that run
            if (price := _price(run_dir, specs)) is None:
                continue
            attempts = run_dir.attempts()
            env = attempts[-1].read("env") if attempts else None
            if (env or {}).get("device") == Device.cuda:
                item["cost"] = price.per_gpu_hour * item["device_hours"]
                item["currency"] = price.currency


def _price(run_dir: RunDir, specs: SeenFiles) -> Price | None:
    name = f"price of {run_dir.run_id}"
    try:
        about = run_dir.spec_path.stat()
    except OSError:
        return None
    known = specs.get(name, about)
    if known is None:
        price = Price.frozen(run_dir.results_dir, run_dir.run_id)
        specs.put(name, about, () if price is None else (price.per_gpu_hour, price.currency))
        return price
    return Price(per_gpu_hour=known[0], currency=known[1]) if known else None


def total_cost(statuses: Sequence[Mapping[str, Any]]) -> str:
    """What they have cost together, behind a comma: ", USD 12.50 (1 run has no price)"; empty: none has a price."""
    paid = dict[str, float]()
    for item in statuses:
        if item.get("cost") is not None:
            paid[item["currency"]] = paid.get(item["currency"], 0.0) + item["cost"]
    without = sum(item["device_hours"] is not None and item.get("cost") is None for item in statuses)
    others = f" ({without} {'run has' if without == 1 else 'runs have'} no price)" if without and paid else ""
    return "".join(f", {currency} {amount:,.2f}" for currency, amount in paid.items()) + others
