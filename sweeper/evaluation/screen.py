"""The screening phase: which training problems the base model solves sometimes."""

from collections.abc import Callable, Sequence
from pathlib import Path

from sweeper.host.errors import RunFailedError
from sweeper.host.files import whole
from sweeper.rows.counts import ProblemCount
from sweeper.spec.run import RunSpec


def screen(spec: RunSpec, *, train_file: Path, out: Path, count: Callable[[Path], Sequence[ProblemCount]]) -> Path:
    """Write the screened part of `train_file` to `out` and return `out`; made once, the same for the same counts.

    Args:
        spec: `data.screen` says how many problems to measure and which pass rates to keep.
        train_file: Parquet file of all training problems, in training order.
        out: Parquet file to make; `<out>.candidates.parquet` beside it holds the problems that were measured.
        count: Measures the problems of a parquet file.

    Raises:
        RunFailedError: too few problems for one batch are left; says how many and which keys to change.
    """
    from pyarrow import parquet

    if out.exists():
        return out
    wanted = spec.data.screen
    candidates = parquet.read_table(train_file).slice(0, wanted.max_problems)
    asked = out.with_suffix(".candidates.parquet")
    parquet.write_table(candidates, asked)
    counts = {item.problem_id: item.c / item.n for item in count(asked)}
    ids = [extra["problem_id"] for extra in candidates.column("extra_info").to_pylist()]
    keep = [wanted.min_pass_rate < counts[problem] < wanted.max_pass_rate for problem in ids]
    print(f"screen: {sum(keep)} of {len(keep)} problems are solved sometimes in {wanted.n_samples} samples", flush=True)
    batch = spec.training.train_batch_size
    if sum(keep) < batch:
        raise RunFailedError(
            f"only {sum(keep)} of {len(keep)} measured problems have a pass rate between data.screen.min_pass_rate="
            f"{wanted.min_pass_rate} and max_pass_rate={wanted.max_pass_rate}, fewer than one batch "
            f"(training.train_batch_size={batch}). Raise data.screen.max_problems or data.screen.n_samples."
        )
    with whole(out) as temporary:
        parquet.write_table(candidates.filter(keep), temporary)
    return out
