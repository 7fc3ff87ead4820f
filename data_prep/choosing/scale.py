"""Which rows a scale has: exact domain counts, nested, stable when rows are added."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from data_prep.choosing.mix import domain_counts, domain_sequence
from data_prep.choosing.rank import content_rank
from data_prep.choosing.row_index import RowIndex
from data_prep.choosing.stratify import bins_of, stratified
from data_prep.spec import DataError, DataSpec, PassRateRange
from rewards import Domain


def passing(index: RowIndex, ranges: Sequence[PassRateRange]) -> tuple[list[int], dict[int, str]]:
    """Rows within all ranges, and why each of the others is not.

    Raises:
        DataError: A range's column does not exist.
    """
    reasons: dict[int, str] = {}
    for wanted in ranges:
        rates = index.easiness(wanted.column)
        above = rates >= wanted.low if wanted.includes_low else rates > wanted.low
        below = rates <= wanted.high if wanted.includes_high else rates < wanted.high
        for row in np.flatnonzero(~(above & below)).tolist():
            rate = float(rates[row])
            value = "not measured" if np.isnan(rate) else f"{rate:g}"
            reasons.setdefault(row, f"{wanted.column} is {value}, not between {wanted.low:g} and {wanted.high:g}")
    return [row for row in range(len(index.problem_id)) if row not in reasons], reasons


def chosen(spec: DataSpec, index: RowIndex, rows: Sequence[int], too_long: Collection[int] = ()) -> NDArray[np.intp]:
    """The rows of `spec`'s scale, in mixed order. A smaller scale is the beginning of a larger one. Shape (n_unique,).

    Args:
        spec: Scale, weights, seed, stratification.
        index: Of all rows.
        rows: Those that may be chosen.
        too_long: Those whose place the next one takes, so that without any of them nothing changes.

    Raises:
        DataError: A domain has too few rows, or none.
    """
    streams = {
        domain: [row for row in stream if row not in too_long] for domain, stream in _streams(spec, index, rows).items()
    }
    skipped = f" ({len(too_long)} more are longer than training.max_prompt_length)" if too_long else ""
    for domain in spec.train_domains:
        refuse_none(spec, domain, len(streams[domain]), skipped)
    if spec.n_unique is None:
        everything = [row for domain in spec.train_domains for row in streams[domain]]
        ranks = {row: content_rank(str(spec.seed), index.problem_id[row]) for row in everything}
        everything.sort(key=ranks.__getitem__)
        if spec.stratify_by is not None:
            everything = stratified(everything, bins_of(index, spec.stratify_by))
        return np.array(everything, dtype=np.intp)
    check_enough(spec, {domain: len(stream) for domain, stream in streams.items()}, skipped)
    iterators = {domain: iter(stream) for domain, stream in streams.items()}
    return np.array([next(iterators[d]) for d in domain_sequence(spec.weights, spec.n_unique)], dtype=np.intp)


def refuse_none(spec: DataSpec, domain: Domain, available: int, skipped: str = "") -> None:
    """Refuses a folder that has no problem of a domain to train on.

    Raises:
        DataError: The domain, and the keys.
    """
    if not available:
        raise DataError(
            f"data_root={spec.root} has no {domain} problem for training{skipped} (domain_mix.weights.{domain}). "
            "Set that weight to 0, add rows, or filter less (data.filters, data.cleaning)."
        )


def check_enough(spec: DataSpec, available: Mapping[Domain, int], skipped: str = "") -> None:
    """Refuses a scale that needs more problems of a domain than there are; `skipped` says what is not counted.

    Raises:
        DataError: How many there are, and the keys.
    """
    if spec.n_unique is None:
        return
    for domain, count in domain_counts(spec.weights, spec.n_unique).items():
        if available[domain] < count:
            raise DataError(
                f"data_scale.n_unique={spec.n_unique} needs {count} different {domain} problems, "
                f"but data_root={spec.root} has {available[domain]} for training{skipped}. "
                f"Lower data_scale.n_unique or the weight of {domain} (domain_mix), or filter less."
            )


def _streams(spec: DataSpec, index: RowIndex, rows: Sequence[int]) -> dict[Domain, list[int]]:
    streams: dict[Domain, list[int]] = {domain: [] for domain in spec.train_domains}
    for row in rows:
        stream = streams.get(index.domain[row])
        if stream is not None:
            stream.append(row)
    salt = f"train|{spec.seed}"
    for stream in streams.values():
        ranks = {row: content_rank(salt, index.problem_id[row]) for row in stream}
        stream.sort(key=ranks.__getitem__)
    if spec.stratify_by is None or spec.n_unique is None:
        return streams
    bins = bins_of(index, spec.stratify_by)
    return {domain: stratified(stream, bins) for domain, stream in streams.items()}
