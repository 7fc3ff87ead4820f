"""The synthetic tasks' training and held-out rows of a `DataSpec`."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

from data_prep.choosing.mix import domain_counts, domain_sequence
from data_prep.cleaning.lengths import PromptLimit
from data_prep.files.row import Message, Row
from data_prep.spec import DataError, DataSpec
from data_prep.synthetic.problem import Problem
from data_prep.synthetic.tasks import Split, problem_id, problems
from rewards import Domain, check_source

# Held-out problems do not depend on the data seed: all runs share one evaluation.
_HELD_OUT_SEED = 0


# Tasks that are looked at for each that is wanted, where some are too long.
_LOOKED_AT = 10
TooLong = list[tuple[Row, str]]


def train_rows(spec: DataSpec, limit: PromptLimit | None = None) -> tuple[list[Row], TooLong]:
    """`n_unique` training rows in mixed order; a smaller scale is the beginning of a larger one.

    Args:
        spec: Scale, weights, seed.
        limit: The longest prompts; the next task takes the place of a longer one. None: any length.

    Returns:
        The rows, and those that were too long, each with the reason.

    Raises:
        DataError: An endless spec, a domain without tasks, or one whose tasks are nearly all too long.
    """
    if spec.n_unique is None:
        raise DataError("synthetic data needs data_scale.n_unique.")
    streams, too_long = {}, []
    for domain, count in domain_counts(spec.weights, spec.n_unique).items():
        rows, longer = _fitting(spec, domain, count, limit)
        streams[domain] = iter(rows)
        too_long += longer
    return [next(streams[domain]) for domain in domain_sequence(spec.weights, spec.n_unique)], too_long


def _fitting(spec: DataSpec, domain: Domain, count: int, limit: PromptLimit | None) -> tuple[list[Row], TooLong]:
    stream = _generated(domain, Split.TRAIN, spec)
    rows: list[Row] = []
    too_long: TooLong = []
    while len(rows) < count and len(too_long) <= _LOOKED_AT * count:
        drawn = list(itertools.islice(stream, count - len(rows)))
        reasons = {} if limit is None else limit.too_long([row.prompt for row in drawn])
        rows += [row for number, row in enumerate(drawn) if number not in reasons]
        too_long += [(drawn[number], reason) for number, reason in reasons.items()]
    if limit is not None and len(rows) < count:
        raise DataError(
            f"training.max_prompt_length={limit.max_tokens}: {len(rows)} of {len(rows) + len(too_long)} synthetic "
            f"{domain} problems are that short, but data_scale.n_unique={spec.n_unique} needs {count}. Raise the "
            "length, or ask for fewer problems."
        )
    return rows, too_long


def held_out_rows(spec: DataSpec) -> dict[Domain, list[Row]]:
    """As many held-out rows of each evaluated domain as validation and evaluation need.

    Raises:
        DataError: An endless spec, or a domain without tasks.
    """
    if spec.n_eval_per_domain is None:
        raise DataError("synthetic data needs eval.problems_per_domain.")
    n = max(spec.n_eval_per_domain, spec.n_val_per_domain)
    return {
        domain: list(itertools.islice(_generated(domain, Split.HELD_OUT, replace(spec, seed=_HELD_OUT_SEED)), n))
        for domain in spec.evaluated_domains
    }


def _generated(domain: Domain, split: Split, spec: DataSpec) -> Iterator[Row]:
    known: set[str] = set()
    for row in map(row_of_problem, problems(domain, split, seed=spec.seed, tasks=spec.tasks)):
        if row.data_source not in known:
            check_source(row.data_source)
            known.add(row.data_source)
        yield row


def row_of_problem(problem: Problem) -> Row:
    """A synthetic problem as a row."""
    return Row(
        data_source=problem.data_source,
        prompt=(Message("user", problem.prompt),),
        ability=problem.ability,
        style="rule",
        ground_truth=problem.ground_truth,
        problem_id=problem_id(problem),
        domain=problem.domain,
        difficulty=float(problem.level),
        solution=problem.solution,
    )
