"""pass@k along training as columns of the results table, and in words below it."""

from collections.abc import Iterator, Sequence

from sweeper.rows.row import ResultRow


def after_steps(row: ResultRow) -> dict[str, float | None]:
    """`pass@k_step_N` over all problems, by step and k; None where it was not measured, nothing without such steps."""
    ks = [point.k for point in score.pass_at_k] if (score := row.score()) else []
    return {
        f"pass@{k}_step_{one.step}": score.at(k) if (score := row.score(step=one.step)) else None
        for one in row.along
        for k in ks
    }


def along_note(rows: Sequence[ResultRow]) -> Iterator[str]:
    """A line for each run whose checkpoints were to be evaluated."""
    for row in rows:
        if not row.along:
            continue
        told = [("base", row.score(base=True)), *((f"step {one.step}", row.score(step=one.step)) for one in row.along)]
        ends = [(name, score.at(1) if score else None) for name, score in (*told, ("last", row.score()))]
        values = ", ".join(f"{name} {'not measured' if value is None else f'{value:.3f}'}" for name, value in ends)
        reasons = list(dict.fromkeys(one.missing for one in row.along if one.missing is not None))
        yield f"pass@1 along training of {row.run_id}: {values}{''.join(f'; {why}' for why in reasons)}"
