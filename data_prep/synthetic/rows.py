"""The synthetic tasks' training and held-out rows of a `DataSpec`."""

import itertools

from data_prep.choosing.mix import domain_counts, domain_sequence
from data_prep.files.row import Message, Row
from data_prep.spec import DataError, DataSpec
from data_prep.synthetic.problem import Problem
from data_prep.synthetic.tasks import Split, problem_id, problems
from rewards import Domain, check_source

# Held-out problems do not depend on the data seed: all runs share one evaluation.
_HELD_OUT_SEED = 0


def train_rows(spec: DataSpec) -> list[Row]:
    """`n_unique` training rows in mixed order; a smaller scale is the beginning of a larger one.

    Raises:
        DataError: An endless spec, or a domain without tasks.
    """
    if spec.n_unique is None:
        raise DataError("synthetic data needs data_scale.n_unique.")
    streams = {
        domain: iter(_generated(domain, Split.TRAIN, count, spec.seed))
        for domain, count in domain_counts(spec.weights, spec.n_unique).items()
    }
    return [next(streams[domain]) for domain in domain_sequence(spec.weights, spec.n_unique)]


def held_out_rows(spec: DataSpec) -> dict[Domain, list[Row]]:
    """As many held-out rows of each evaluated domain as validation and evaluation need.

    Raises:
        DataError: An endless spec, or a domain without tasks.
    """
    if spec.n_eval_per_domain is None:
        raise DataError("synthetic data needs n_eval_per_domain.")
    n = max(spec.n_eval_per_domain, spec.n_val_per_domain)
    return {domain: _generated(domain, Split.HELD_OUT, n, _HELD_OUT_SEED) for domain in spec.evaluated_domains}


def _generated(domain: Domain, split: Split, count: int, seed: int) -> list[Row]:
    rows = [row_of_problem(p) for p in itertools.islice(problems(domain, split, seed=seed), count)]
    for source in {row.data_source for row in rows}:
        check_source(source)
    return rows


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
