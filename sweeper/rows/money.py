"""What runs cost in money: hours of their GPUs at the price that their cluster was said to have.

`cluster.price_per_gpu_hour` and `cluster.currency` are frozen with a run, so a later price changes no earlier run.
Hours of CPUs have no price.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rewards.bounded_file import read_json
from sweeper.host.errors import DamagedError
from sweeper.host.files import undamaged
from sweeper.host.machine import Device
from sweeper.rows.device_time import device_time
from sweeper.rows.row import ResultRow
from sweeper.spec.cluster import Cluster
from sweeper.spec.run_id import SPEC_CURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Of one GPU for one hour."""

    per_gpu_hour: float
    currency: str

    @classmethod
    def of(cls, cluster: Cluster) -> "Price | None":
        """What a cluster says; None: nothing, or it runs on CPUs."""
        if cluster.price_per_gpu_hour is None or cluster.device is Device.cpu:
            return None
        return cls(per_gpu_hour=cluster.price_per_gpu_hour, currency=cluster.currency)

    @classmethod
    def frozen(cls, results_dir: Path, run_id: str) -> "Price | None":
        """What the frozen specification of a run says; None: nothing, it is not here, or the run is one of CPUs.

        Raises:
            DamagedError: the specification is not what was written.
        """
        path = Path(results_dir, "runs", run_id, "spec.json")
        if not path.is_file():
            return None
        with undamaged(path, cure=SPEC_CURE):
            cluster = read_json(path)["cluster"]
            price = cluster.get("price_per_gpu_hour")
            if price is None or cluster.get("device") == Device.cpu:
                return None
            return cls(per_gpu_hour=float(price), currency=str(cluster["currency"]))

    def text(self, gpu_hours: float) -> str:
        """What so many GPU-hours cost, as `Money` writes it."""
        return str(Money(amount=self.per_gpu_hour * gpu_hours, currency=self.currency))


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount of a currency."""

    amount: float
    currency: str

    def __str__(self) -> str:
        """As people read it: USD 12.50, USD 13,740."""
        return f"{self.currency} {self.amount:,.0f}" if self.amount >= 1000 else f"{self.currency} {self.amount:.2f}"


def gpu_hours(row: ResultRow) -> float | None:
    """GPU-hours of all attempts of a run, evaluation included; None: it ran on CPUs, or nobody measured it."""
    time = device_time(row)
    return None if time is None or row.provenance is None or row.provenance.device != Device.cuda else time.whole


def cost_of(results_dir: Path, row: ResultRow) -> Money | None:
    """What a run has cost; None: no price was set for it, or its GPU-hours are not known.

    Raises:
        DamagedError: its frozen specification is not what was written.
    """
    hours = gpu_hours(row)
    price = None if hours is None else Price.frozen(results_dir, row.run_id)
    if hours is None or price is None:
        return None
    return Money(amount=price.per_gpu_hour * hours, currency=price.currency)


def costs_of(results_dir: Path, rows: Sequence[ResultRow]) -> dict[str, Money]:
    """What each run has cost that has a price, by its id; of a run whose specification is damaged nothing is said."""
    found = {}
    for row in rows:
        with suppress(DamagedError):
            if (money := cost_of(results_dir, row)) is not None:
                found[row.run_id] = money
    return found
