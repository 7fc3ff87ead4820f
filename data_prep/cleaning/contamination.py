"""Takes out training problems that occur in an evaluation set, under whatever wording, typography or source."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_prep.cleaning.boilerplate import boilerplate, own_shingles
from data_prep.cleaning.duplicates import gold_difference, same_problem
from data_prep.cleaning.normalised_text import letters_and_digits, problem_text
from data_prep.cleaning.shingles import Filter, Hashes, n_shared, runs
from data_prep.files.row import Row

CONTAMINATION = "contamination"
# Bytes of letters and digits that two problems must share in one run to be compared at all: about five words.
_RUN = 24
# Containment from which two problems are the same.
_CONTAINED = 0.7
# Texts shorter than this, in shingles, are contained in others by chance.
_SHORTEST = 48
# A run that so many evaluation problems share says nothing about which problem it is from.
_COMMON = 32
# The share of a problem's runs that must be found elsewhere before the two are compared as a whole.
_EVIDENCE = 0.05
_TABLE_BITS = 24


def contaminated(train: Sequence[Row], evaluation: Sequence[Row]) -> dict[int, str]:
    """Why training rows go, by number, whose problem is in an evaluation row.

    A training row goes if its letters and digits are those of an evaluation problem, or if 70 % of
    the shorter one's shingles are in the longer one: one contains the other, or they are nearly the same. The reason
    names the evaluation set's source and the problem.

    Args:
        train: Rows to clean.
        evaluation: Every row that a model is ever measured on.
    """
    bare = [letters_and_digits(problem_text(row)) for row in train]
    measured = _Measured.of(evaluation, train, bare)
    reasons: dict[int, str] = {}
    for number, text in enumerate(bare):
        twin = next((row for row in measured.by_text.get(text, ()) if same_problem(train[number], row)), None)
        if twin is not None:
            reasons[number] = _reason("same text as", train[number], twin)
    sets: dict[int, Hashes] = {}
    for number, found in _candidates(bare, measured.texts).items():
        if number in reasons:
            continue
        # The same letters and digits without being the same problem: signs and gold differ.
        others = [other for other in found if measured.texts[other] != bare[number]]
        if not others:
            continue
        own = own_shingles(bare[number], measured.common)
        for other in others:
            if other not in sets:
                sets[other] = own_shingles(measured.texts[other], measured.common)
        share, other = max((_share(own, sets[other]), -other) for other in others)
        if share >= _CONTAINED:
            reasons[number] = _reason(f"{share:.2f} like", train[number], measured.rows[-other])
    return reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """The different evaluation problems."""

    rows: list[Row]
    texts: list[str]
    by_text: dict[str, list[Row]]
    common: Hashes

    @classmethod
    def of(cls, evaluation: Sequence[Row], train: Sequence[Row], bare: Sequence[str]) -> "_Measured":
        by_text: dict[str, list[Row]] = {}
        for row in evaluation:
            by_text.setdefault(letters_and_digits(problem_text(row)), []).append(row)
        rows = [same[0] for same in by_text.values()]
        texts = list(by_text)
        return cls(
            rows=rows,
            texts=texts,
            by_text=by_text,
            common=boilerplate([*texts, *bare], [row.data_source for row in (*rows, *train)]),
        )


def _reason(how: str, row: Row, other: Row) -> str:
    return f"{how} evaluation problem {other.problem_id} of {other.data_source}{gold_difference(row, other)}"


def _share(first: Hashes, second: Hashes) -> float:
    """Containment of the smaller set in the larger; of short texts, which are part of others by chance, Jaccard."""
    shared = n_shared(first, second)
    smaller = min(len(first), len(second))
    return shared / (smaller if smaller >= _SHORTEST else len(first) + len(second) - shared)


def _candidates(train: Sequence[str], evaluation: Sequence[str]) -> dict[int, list[int]]:
    """The evaluation texts that share enough runs with a training text, by its number."""
    values, starts, owners, sizes = _index(evaluation)
    found: dict[int, list[int]] = {}
    if len(values) == 0:
        return found
    present = Filter(values, bits=_TABLE_BITS)
    for part in runs(train, _RUN):
        hits = np.flatnonzero(present.may_hold(part.hashes))
        place = np.minimum(np.searchsorted(values, part.hashes[hits]), len(values) - 1)
        is_hit = values[place] == part.hashes[hits]
        hits, place = hits[is_hit], place[is_hit]
        counts = starts[place + 1] - starts[place]
        before = np.cumsum(counts) - counts
        others = owners[np.arange(int(counts.sum())) + np.repeat(starts[place] - before, counts)]
        texts = np.searchsorted(part.offsets, hits, "right") - 1
        pairs, shared = np.unique(np.repeat(texts, counts) * len(evaluation) + others, return_counts=True)
        text, other = np.divmod(pairs, len(evaluation))
        enough = shared >= _EVIDENCE * np.minimum(sizes[other], np.diff(part.offsets)[text])
        for number, candidate in zip(text[enough].tolist(), other[enough].tolist(), strict=True):
            found.setdefault(part.first + number, []).append(candidate)
    return found


def _index(texts: Sequence[str]) -> tuple[Hashes, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Runs and whose they are: sorted hashes; where each one's texts start, and the end; the texts; runs a text."""
    parts = list(runs(texts, _RUN))
    sizes = np.concatenate([np.empty(0, np.int64), *(np.diff(part.offsets) for part in parts)])
    hashes = np.concatenate([np.empty(0, np.uint64), *(part.hashes for part in parts)])
    owners = np.concatenate([np.empty(0, np.int64), *(part.texts() for part in parts)])
    order = np.lexsort((owners, hashes))
    hashes, owners = hashes[order], owners[order]
    is_first = np.ones(len(hashes), bool)
    is_first[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    hashes, owners = hashes[is_first], owners[is_first]
    values, counts = np.unique(hashes, return_counts=True)
    is_rare = counts <= _COMMON
    owners = owners[np.repeat(is_rare, counts)]
    starts = np.concatenate(([0], np.cumsum(counts[is_rare])))
    return values[is_rare], starts, owners, sizes
