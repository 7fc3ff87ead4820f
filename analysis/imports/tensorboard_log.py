"""Scalars of TensorBoard's event files (`events.out.tfevents.*`), read with the package tensorboard."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from analysis.imports.history import MOST_BYTES, History, counted, runs
from rewards.bounded_file import require_regular
from sweeper.host.errors import ResultsError

MARK = "tfevents"  # in the name of such a file


def read_events(paths: Sequence[Path]) -> list[History]:
    """The runs of a folder's event files, oldest first: each file is an attempt.

    Raises:
        ResultsError: tensorboard is not installed, or a file is larger than is read.
    """
    skipped: dict[str, int] = {}
    records = list(counted(record for path in paths for record in _scalars(path, skipped)))
    left = ", ".join(f"{count} of {tag}" for tag, count in list(skipped.items())[:6])
    said = {"events": f"{sum(skipped.values())} events are no scalars and were left out: {left}"} if skipped else {}
    return runs(records, name=paths[0].parent.name or paths[0].stem, kind="tensorboard", said=said)


def _scalars(path: Path, skipped: dict[str, int]) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
        from tensorboard.util.tensor_util import make_ndarray
    except ImportError as error:
        raise ResultsError(
            f"{path} is read with the package tensorboard; install it: pip install tensorboard"
        ) from error
    require_regular(path, at_most=MOST_BYTES)
    for event in EventFileLoader(str(path)).Load():
        for value in event.summary.value:
            array = make_ndarray(value.tensor)
            if array.size == 1 and array.dtype.kind in "fiu":
                yield event.step, {value.tag: float(array.reshape(-1)[0])}
            else:
                skipped[value.tag] = skipped.get(value.tag, 0) + 1
