"""What a run had spent when it had trained so many steps: the x of its learning curve.

A row holds totals. Responses are shared out by step. FLOPs of supervised fine-tuning were spent before step 1; the rest
is shared out by the tokens of each step's batch where every step logged them, else by step; those of discarded groups
likewise, by the tokens that each step discarded.
"""

import statistics
from collections.abc import Iterable, Mapping

from sweeper.rows.row import ResultRow


def mean_flops(rows: Iterable[ResultRow]) -> float | None:
    """Model FLOPs of training of one run, a mean over its seeds; None where a row has no total."""
    totals = [row.flops.total if row.flops else None for row in rows]
    known = [total for total in totals if total]
    return statistics.fmean(known) if known and len(known) == len(totals) else None


def samples_at(row: ResultRow, step: int) -> float | None:
    """Responses generated for training up to a step; None where the row does not say."""
    return row.train_samples * step / row.steps if row.train_samples is not None and row.steps else None


def flops_at(row: ResultRow, step: int) -> float | None:
    """Model FLOPs of training up to a step, in the row's accounting, fine-tuning before RL included.

    Args:
        row: Of a run with `row.steps` training steps.
        step: 0 to `row.steps`; at 0 only fine-tuning was paid, at `row.steps` the row's total.

    Returns:
        None where the row has no total or no number of steps.
    """
    if row.flops is None or row.flops.total is None or not row.steps:
        return None
    # A total with a phase that was not counted is None, so a fine-tuning of None is not in this total: rows of the
    # first accounting have no such phase.
    before, gone = row.flops.fine_tuning or 0.0, row.flops.discarded or 0.0
    points = [item for item in row.curve if 0 < item.step <= row.steps]
    trained = {item.step: item.tokens for item in points if item.tokens is not None}
    discarded = {item.step: item.discarded.tokens for item in points if item.discarded is not None}
    rest = (row.flops.total - before - gone) * _share(trained, step, row.steps)
    return before + rest + gone * _share(discarded, step, row.steps)


def _share(tokens: Mapping[int, int], step: int, steps: int) -> float:
    """Of the tokens of all training steps, those up to a step; of the steps where any step logged none."""
    total = sum(tokens.values())
    if len(tokens) < steps or total == 0:
        return step / steps
    return sum(value for at, value in tokens.items() if at <= step) / total
