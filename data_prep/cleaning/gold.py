"""Takes out rows whose own gold answer their scorer does not accept: no response could ever earn a reward."""

from collections import Counter
from collections.abc import Sequence

from data_prep.files.row import Row, read_json_object
from rewards.check.gold_check import Finding, GoldRow, check_rows

BAD_GOLD = "bad gold"


def bad_golds(
    rows: Sequence[Row], own_rewards: Sequence[str] = (), unchecked: Counter[str] | None = None
) -> dict[int, str]:
    """Why rows go, by number, whose gold is scored wrong or a perturbed one right; none that cannot be checked.

    What cannot be checked is code without a reference solution, and what a function of the user's own scores that does
    not say how a right answer is written. Reference solutions of code rows are run, isolated as
    model code is.

    Args:
        rows: Any number; a judge or a sandbox that a scorer needs must be there.
        own_rewards: The user's own reward functions (`data_prep.spec.DataSpec`).
        unchecked: Gets the number of rows that cannot be checked, by reason.
    """
    report = check_rows((gold_row(row, str(number)) for number, row in enumerate(rows)), own_rewards)
    if unchecked is not None:
        unchecked.update(row.reason for row in report.exceptions if row.finding is Finding.NOT_RENDERED)
    return {int(bad.where): f"{bad.finding}: {bad.reason}" for bad in report.problems}


def gold_row(row: Row, where: str) -> GoldRow:
    """The row as `rewards.check.gold_check` takes it."""
    extra = {**read_json_object(row.rest), "prefix": row.prefix}
    if row.solution is not None:
        extra["solution"] = row.solution
    return GoldRow(where=where, data_source=row.data_source, ground_truth=row.ground_truth, extra_info=extra)
