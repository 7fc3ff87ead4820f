"""Pass rates of a model on every problem it could train on: `python -m data_prep annotate`.

The counts are those that a run would measure itself: on training problems the screening's, on evaluation problems
the base model's. Killed, it goes on after the last whole block of problems.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from sweeper.data import prepared
from sweeper.errors import ConfigError, SweeperError
from sweeper.grid import expand
from sweeper.machine import resolve_device
from sweeper.measure import ProblemCount, measure_base, read_counts, samples_path
from sweeper.models import prepare
from sweeper.passk import Count, mean_pass_at_k
from sweeper.plan import spec_from
from sweeper.refusals import check
from sweeper.results import write_atomic
from sweeper.spec import Executor, RunSpec

_PROGRESS = re.compile(r"^evaluated (\d+)/(\d+) problems", re.MULTILINE)


def annotate(spec: RunSpec, results_dir: Path, *, n: int, split: str, out: Path | None) -> tuple[Path, Path]:
    """Measure and write one annotation file.

    Args:
        spec: Says which model, which problems (mix, scale, cleaning) and how to sample.
        results_dir: Where models, data and counts are shared with runs.
        n: Samples a problem, at least 1.
        split: `train` or `evaluation`.
        out: Parquet file to write; None: `annotations/<model>-<split>-<digest>.parquet` below `results_dir`.

    Returns:
        The annotation file (problem_id, `<model>_pass_rate`, n, c) and the counts file behind it.

    Raises:
        SweeperError: data or model cannot be prepared, or the measurement failed.
    """
    data = prepared(spec, results_dir)
    log = results_dir / "annotations" / f"{spec.model.name}-{split}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    model = prepare(spec, results_dir, log=log)
    problems = data.train if split == "train" else data.evaluation
    counts = measure_base(
        spec,
        results_dir,
        model=model,
        problems=problems,
        device=resolve_device(spec.cluster.device),
        log=log,
        n=n,
        screening=split == "train",
        on_tick=_Progress(log, log.stat().st_size if log.exists() else 0).show,
    )
    file = out if out is not None else log.parent / f"{counts.stem}.parquet"
    write_annotations(read_counts(counts), spec.model.name, file)
    return file, counts


def write_annotations(counts: Sequence[ProblemCount], model: str, path: Path) -> None:
    """One row a problem: problem_id, `<model>_pass_rate`, n, c; whole or not at all."""
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table(
        {
            "problem_id": [item.problem_id for item in counts],
            f"{model}_pass_rate": [item.c / item.n for item in counts],
            "n": [item.n for item in counts],
            "c": [item.c for item in counts],
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    parquet.write_table(table, partial)
    partial.rename(path)


def write_solutions(counts_file: Path, path: Path) -> int:
    """The first correct answer of each solved problem, for `data.sft_solutions`; returns how many there are."""
    kept = (json.loads(line) for line in samples_path(counts_file).read_text().splitlines())
    solved = [{"problem_id": item["problem_id"], "solution": item["correct"]} for item in kept if item["correct"]]
    write_atomic(path, "".join(json.dumps(item) + "\n" for item in solved))
    return len(solved)


class _Progress:
    """Shows how far the evaluation is, from its log."""

    def __init__(self, log: Path, offset: int) -> None:
        self._log, self._offset, self._shown = log, offset, ""

    def show(self) -> None:
        """Print the last count, if it is a new one."""
        with self._log.open("rb") as file:
            file.seek(self._offset)
            found = _PROGRESS.findall(file.read().decode(errors="replace"))
        if found and found[-1] != self._shown:
            self._shown = found[-1]
            print(f"{self._shown[0]} of {self._shown[1]} problems", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m data_prep annotate",
        description="Measure a model's pass rate on every problem of a mix and scale. The file that comes out goes "
        "into data.annotations=[FILE], its column into data.filters, data.stratify_by or curriculum.order_by.",
    )
    parser.add_argument("overrides", nargs="*", help="as for a run: model=tiny-130k data_root=FOLDER data_scale=full")
    parser.add_argument("--n", type=int, default=16, help="samples a problem (default 16)")
    parser.add_argument("--split", choices=("train", "evaluation"), default="train")
    parser.add_argument("--out", type=Path, help="parquet file to write (default: below results/annotations/)")
    parser.add_argument(
        "--solutions",
        type=Path,
        metavar="FILE.jsonl",
        help="also write the first correct answer of each solved problem, for data.sft_solutions (rejection sampling)",
    )
    options = parser.parse_intermixed_args(arguments)
    try:
        point = expand(options.overrides, multirun=False).points[0]
        spec = spec_from(point.config)
        check(spec, family=point.config["model_family"]["name"])
        if options.n < 1:
            raise ConfigError(f"--n {options.n}: at least one sample a problem is needed")
        if spec.cluster.executor is Executor.slurm:
            raise ConfigError(
                f"cluster={spec.cluster.name}: annotate computes where it is started; start it in an allocation, e.g. "
                "srun --gpus=1 python -m data_prep annotate …, with cluster=local"
            )
        results_dir = Path(point.config["results_dir"]).resolve()
        file, counts = annotate(spec, results_dir, n=options.n, split=options.split, out=options.out)
    except (SweeperError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    measured = [Count(item.n, item.c) for item in read_counts(counts)]
    never, always = (sum(item.c == edge * item.n for item in measured) for edge in (0, 1))
    print(f"{len(measured)} problems x {options.n} samples: {never} never solved, {always} always")
    for k in (k for k in (2**i for i in range(20)) if k <= options.n):
        print(f"pass@{k} {mean_pass_at_k(measured, k):.4f}")
    if options.solutions is not None:
        print(f"{options.solutions}: a correct answer to {write_solutions(counts, options.solutions)} problems")
    print(f"{file}\nuse it: 'data.annotations=[{file}]', column {spec.model.name}_pass_rate")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
