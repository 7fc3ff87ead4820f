"""What the runs of a results folder have cost so far, in money."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any

from sweeper.host.errors import DamagedError
from sweeper.host.machine import Device
from sweeper.rows.money import Price
from sweeper.runs.folder import RunDir

Status = dict[str, Any]


def tell_cost(statuses: Sequence[Status], results_dir: Path) -> None:
    """Say what runs on GPUs have cost, of grids whose first run has a price: others' specifications are not read."""
    for _, members in groupby(statuses, key=lambda item: str(item["grid"])):
        alike = list(members)
        with suppress(DamagedError):  # told as damage of that run
            for item in alike if Price.frozen(results_dir, alike[0]["run_id"]) else ():
                price = Price.frozen(results_dir, item["run_id"])
                attempts = RunDir(results_dir=results_dir, run_id=item["run_id"]).attempts()
                env = attempts[-1].read("env") if attempts else None
                if price is not None and item["device_hours"] is not None and (env or {}).get("device") == Device.cuda:
                    item["cost"] = price.per_gpu_hour * item["device_hours"]
                    item["currency"] = price.currency


def total_cost(statuses: Sequence[Status]) -> str:
    """What they have cost together, behind a comma: ", USD 12.50"; empty: nothing is known of it."""
    paid = dict[str, float]()
    for item in statuses:
        if item.get("cost") is not None:
            paid[item["currency"]] = paid.get(item["currency"], 0.0) + item["cost"]
    return "".join(f", {currency} {amount:,.2f}" for currency, amount in paid.items())
