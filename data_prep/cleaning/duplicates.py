"""Takes out repetitions of training problems: the same text, or nearly the same."""

import re
from collections.abc import Sequence

from data_prep.cleaning.normalised_text import content_order, letters_and_digits, problem_text, same_gold
from data_prep.cleaning.symbols import operators, written
from data_prep.files.row import Row
from data_prep.spec import DataError

EXACT = "exact duplicate"
NEAR = "near duplicate"
# Characters of letters, digits and symbols below which a problem is told from others by all of them.
_SHORT = 60
_NUMBER = re.compile(r"[0-9]+")


def repeated(rows: Sequence[Row]) -> dict[int, str]:
    """Why rows go, by number, where one of each problem text is kept: the first in content order.

    Texts (`data_prep.cleaning.normalised_text`) that agree in letters and digits, but not in what their symbols say,
    are different problems. Where the golds alone differ, the reason quotes both: one of them is wrong, or they are two
    spellings of one answer.

    Args:
        rows: In any order; it changes what is kept in no way.
    """
    bare = [letters_and_digits(problem_text(row)) for row in rows]
    groups: dict[str, list[int]] = {}
    for number, text in enumerate(bare):
        groups.setdefault(text, []).append(number)
    reasons: dict[int, str] = {}
    for text, group in groups.items():
        if len(group) == 1:
            continue
        kept: list[int] = []
        for number in sorted(group, key=lambda member: content_order(rows[member], text)):
            twin = next((other for other in kept if same_problem(rows[number], rows[other])), None)
            if twin is None:
                kept.append(number)
            else:
                reasons[number] = f"same text as {rows[twin].problem_id} ({rows[twin].data_source})" + gold_difference(
                    rows[number], rows[twin]
                )
    return reasons


def nearly_repeated(rows: Sequence[Row], *, threshold: float = 0.8) -> dict[int, str]:
    """Why rows go, by number, where one is kept of problems that are nearly the same text: the first in content order.

    Texts that differ in their numbers and in the gold answer are variants of a problem, and are both kept. Where the
    golds alone differ, the reason quotes both.

    Args:
        rows: In any order; it changes what is kept in no way.
        threshold: Jaccard similarity of eight-byte shingles from which two texts count as one, in (0, 1]; wording
            that a quarter of a source's problems share is left out (`data_prep.cleaning.boilerplate`).

    Raises:
        DataError: A threshold outside (0, 1].
    """
    if not 0.0 < threshold <= 1.0:
        raise DataError(f"--near-duplicates {threshold} must be above 0 and at most 1.")
    from data_prep.cleaning.near_duplicates import near_twins

    bare = [letters_and_digits(problem_text(row)) for row in rows]
    twins = near_twins(
        bare,
        [row.data_source for row in rows],
        rank=lambda number: content_order(rows[number], bare[number]),
        # What agrees in all letters and digits and is there twice nevertheless differs in signs and gold.
        may_be_same=lambda number, other: (
            same_problem(rows[number], rows[other])
            if bare[number] == bare[other]
            else not _is_variant(rows[number], rows[other])
        ),
        threshold=threshold,
    )
    return {
        number: f"{similarity:.2f} like {rows[twin].problem_id} ({rows[twin].data_source})"
        + gold_difference(rows[number], rows[twin])
        for number, (twin, similarity) in twins.items()
    }


def same_problem(row: Row, other: Row) -> bool:
    """Whether two rows whose letters and digits agree ask the same.

    Short problems, and those of different golds, do where every symbol agrees (`data_prep.cleaning.symbols`). In a long
    problem of one gold, quotes, brackets and commas are style: of 277 such pairs of published problems all symbols part
    22, this rule 3.
    """
    one, two = written(problem_text(row)), written(problem_text(other))
    if one == two:
        return True
    is_told_by_all = len(one) < _SHORT or not same_gold(row.ground_truth, other.ground_truth)
    return not is_told_by_all and operators(one) == operators(two)


def _is_variant(row: Row, other: Row) -> bool:
    """Whether two problems that read alike are the same question about other numbers."""
    if same_gold(row.ground_truth, other.ground_truth):
        return False
    numbers, others = (sorted(_NUMBER.findall(problem_text(item))) for item in (row, other))
    return numbers != others


def gold_difference(row: Row, other: Row) -> str:
    """The end of a reason: empty if the golds agree."""
    if same_gold(row.ground_truth, other.ground_truth):
        return ""
    return f", other gold: {row.ground_truth[:80]!r} against {other.ground_truth[:80]!r}"
