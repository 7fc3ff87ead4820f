"""What a run took on its devices: what every run like it takes, and what it did once for all runs of its base model."""

from collections.abc import Iterable
from dataclasses import dataclass

from sweeper.rows.row import ResultRow


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTime:
    """Wall seconds of a run times its devices, in hours.

    Attributes:
        whole: Of all attempts.
        own: Of training and evaluation, which is the price of one more run like it; None: not known (`untimed`).
        shared: What came before its training: building the base model, preparing data, the base model's pass@k; None:
            not known, or not told apart from what an interrupted run did twice.
    """

    whole: float
    own: float | None
    shared: float | None


def device_time(row: ResultRow) -> DeviceTime | None:
    """What a run took; None: it was not measured, or nobody knows on how many devices."""
    if row.timing is None or row.timing.total_s is None or row.provenance is None:
        return None
    hours, seconds = row.provenance.n_devices / 3600, own_seconds(row)
    whole, own = row.timing.total_s * hours, None if seconds is None else seconds * hours
    is_apart = own is not None and row.timing.attempts == 1
    return DeviceTime(whole=whole, own=own, shared=max(0.0, whole - (own or 0.0)) if is_apart else None)


def own_seconds(row: ResultRow) -> float | None:
    """Wall seconds of training and evaluation, each step once; None: not known (`untimed`).

    Of a run with several attempts: training and evaluation of the last one, and the steps that earlier ones made and
    it did not repeat. Work that was lost between two checkpoints is not in it, as a run like it would not lose it.
    """
    timing = row.timing
    if timing is None or untimed(row) is not None:
        return None
    return (timing.train_s or 0.0) + (timing.earlier_steps_s or 0.0) + (timing.evaluate_s or 0.0)


def untimed(row: ResultRow) -> str | None:
    """Why nobody knows what one more run like it takes; None: it is known."""
    timing = row.timing
    if timing is None:
        return "no time was measured"
    if timing.attempts != 1 and timing.train_s is None:
        return "its last attempt only evaluated, and what an evaluation keeps of an earlier attempt has no time"
    if timing.train_s is None or timing.evaluate_s is None:
        return "training or evaluation was not timed"
    if timing.attempts != 1 and timing.earlier_steps_s is None:
        return f"the steps of its {timing.attempts} attempts were not all timed, or not all on as many devices"
    return None


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
