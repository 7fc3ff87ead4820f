"""The screening phase: which training problems the base model solves sometimes."""

from collections.abc import Sequence
from pathlib import Path

from sweeper.host.errors import RunFailedError
from sweeper.host.files import whole
from sweeper.rows.counts import ProblemCount
from sweeper.spec.run import RunSpec


def candidates(train_file: Path, most: int | None, out: Path) -> Path:
    """Write the problems to measure to a file beside `out`, and return that file.

    Args:
        train_file: Parquet file of all training problems, in training order.
        most: How many to take from its beginning; None: all.
        out: Parquet file of the problems that will be trained on.
    """
    from pyarrow import parquet

    asked = out.with_suffix(".candidates.parquet")
    parquet.write_table(parquet.read_table(train_file).slice(0, most), asked)
    return asked


def keep_solved(spec: RunSpec, asked: Path, counts: Sequence[ProblemCount], out: Path) -> None:
    """Write the problems of `asked` that are solved sometimes to `out`; the same for the same counts.

    Args:
        spec: `data.screen` says which pass rates to keep.
        asked: Made by `candidates`.
        counts: Of all its problems.
        out: Parquet file to make.

    Raises:
        RunFailedError: too few problems for one batch are left; says how many and which keys to change.
    """
    from pyarrow import parquet

    wanted, table = spec.data.screen, parquet.read_table(asked)
    rates = {item.problem_id: item.c / item.n for item in counts}
    ids = [extra["problem_id"] for extra in table.column("extra_info").to_pylist()]
    keep = [wanted.min_pass_rate < rates[problem] < wanted.max_pass_rate for problem in ids]
    print(f"screen: {sum(keep)} of {len(keep)} problems are solved sometimes in {wanted.n_samples} samples", flush=True)
    batch = spec.training.train_batch_size
    if sum(keep) < batch:
        raise RunFailedError(
            f"only {sum(keep)} of {len(keep)} measured problems have a pass rate between data.screen.min_pass_rate="
            f"{wanted.min_pass_rate} and max_pass_rate={wanted.max_pass_rate}, fewer than one batch "
            f"(training.train_batch_size={batch}). Raise data.screen.max_problems or data.screen.n_samples."
        )
    with whole(out) as temporary:
        parquet.write_table(table.filter(keep), temporary)
