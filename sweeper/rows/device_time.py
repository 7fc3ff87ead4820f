"""What a run took on its devices: what every run like it takes, and what it did once for all runs of its base model."""

from collections.abc import Iterable
from dataclasses import dataclass

from sweeper.rows.row import ResultRow


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTime:
    """Wall seconds of a run times its devices, in hours.

    Attributes:
        whole: Of all attempts.
        own: Of training and evaluation, which is the price of one more run like it; None: a phase was not measured, or
            an interrupted run measured parts of them.
    """

    whole: float
    own: float | None

    @property
    def shared(self) -> float | None:
        """What came before its training: building the base model, preparing data, the base model's pass@k."""
        return None if self.own is None else max(0.0, self.whole - self.own)


def device_time(row: ResultRow) -> DeviceTime | None:
    """What a run took; None: it was not measured, or nobody knows on how many devices."""
    if row.timing is None or row.timing.total_s is None or row.provenance is None:
        return None
    hours, own = row.provenance.n_devices / 3600, own_seconds(row)
    return DeviceTime(whole=row.timing.total_s * hours, own=None if own is None else own * hours)


def own_seconds(row: ResultRow) -> float | None:
    """Wall seconds of training and evaluation; None as `DeviceTime.own`."""
    timing = row.timing
    if timing is None or timing.attempts != 1 or timing.train_s is None or timing.evaluate_s is None:
        return None
    return timing.train_s + timing.evaluate_s


def built(rows: Iterable[ResultRow]) -> dict[str, float]:
    """Device-hours that the runs of each model spent on what they share, by model; models without a measured run none.

    Runs that found the base model ready spent little on it, so the sum is what it took once.
    """
    found: dict[str, float] = {}
    for row in rows:
        time = device_time(row)
        if time is not None and time.shared is not None:
            found[row.model] = found.get(row.model, 0.0) + time.shared
    return found
