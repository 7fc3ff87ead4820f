"""A measurement of a model's pass rates, and the files it leaves.

The counts are those that a run would measure itself: on training problems the screening's, on evaluation problems
the base model's. Killed, it goes on after the last whole block of problems.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from data_prep.spec import PASS_RATE
from rewards.bounded_file import parsed
from sweeper.evaluation.measure import measure_base
from sweeper.host import secret, temporary
from sweeper.host.files import whole, write_atomic
from sweeper.host.json_lines import json_lines
from sweeper.host.machine import resolve_device, threads_for
from sweeper.host.process import Children
from sweeper.inputs.data import prepared
from sweeper.inputs.models import prepare
from sweeper.rows.counts import ProblemCount, samples_path
from sweeper.spec.digest import digest_of
from sweeper.spec.run import RunSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What is measured, and where the files go.

    Attributes:
        spec: Says which model, which problems (mix, scale, cleaning) and how to sample.
        n: Samples per problem, at least 1.
        split: `train` or `evaluation`.
        out: Parquet file to write; None: `annotations/<model>-<split>-<digest>.parquet` below the results.
        solutions: JSONL file for the first correct answer of each solved problem; None: not wanted.
    """

    spec: RunSpec
    n: int
    split: str
    out: Path | None = None
    solutions: Path | None = None

    @property
    def name(self) -> str:
        """The same for the same measurement into the same files, whatever it runs on."""
        files = [None if path is None else str(path) for path in (self.out, self.solutions)]
        return digest_of({"run": self.spec.run_id, "n": self.n, "split": self.split, "files": files})

    def to_json(self) -> str:
        """One JSON object; `from_json` reads it back."""
        values = asdict(self) | {"spec": json.loads(self.spec.to_json())}
        return json.dumps(values, indent=2, sort_keys=True, default=str) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Annotation":
        """The annotation that `to_json` wrote."""
        values = parsed(text)
        files = {name: None if values[name] is None else Path(values[name]) for name in ("out", "solutions")}
        return cls(spec=RunSpec.from_dict(values["spec"]), n=values["n"], split=values["split"], **files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """The finished files: the annotation (problem_id, `<model>_pass_rate`, n, c), and the counts behind it."""

    file: Path
    counts: Path


def log_path(annotation: Annotation, results_dir: Path) -> Path:
    """What building the model and sampling print."""
    return results_dir / "annotations" / f"{annotation.spec.model.name}-{annotation.split}.log"


def annotate(annotation: Annotation, results_dir: Path, *, on_tick: Callable[[], None] | None = None) -> Annotated:
    """Measure what is not measured yet, and write the files.

    Args:
        annotation: What, and where to.
        results_dir: Where models, data and counts are shared with runs.
        on_tick: Called about twice a second while it samples.

    Raises:
        SweeperError: the model cannot be prepared, or the measurement failed.
        DataError: the data cannot be prepared.
    """
    spec = annotation.spec
    secret.take(spec.cluster.secrets_file)
    data = prepared(spec, results_dir, tokenizer=None)
    log = log_path(annotation, results_dir)
    log.parent.mkdir(parents=True, exist_ok=True)
    model = prepare(spec, results_dir, log=log)
    children = Children(
        device=resolve_device(spec.cluster.device),
        threads=threads_for(spec.model.architecture.n_params),
        log=log,
        on_tick=on_tick,
    )
    is_train = annotation.split == "train"
    problems = data.train if is_train else data.evaluation
    with temporary.with_room():
        measured = measure_base(
            spec, children, results_dir, model=model, problems=problems, n=annotation.n, screening=is_train
        )
    file = annotation.out if annotation.out is not None else log.parent / f"{measured.file.stem}.parquet"
    write_rates(measured.counts, spec.model.name, file)
    if annotation.solutions is not None:
        write_solutions(measured.file, annotation.solutions)
    return Annotated(file=file, counts=measured.file)


def write_rates(counts: Sequence[ProblemCount], model: str, path: Path) -> None:
    """One row per problem: problem_id, `<model>_pass_rate`, n, c; whole or not at all."""
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table(
        {
            "problem_id": [item.problem_id for item in counts],
            f"{model}{PASS_RATE}": [item.c / item.n for item in counts],
            "n": [item.n for item in counts],
            "c": [item.c for item in counts],
        }
    )
    with whole(path) as temporary:
        parquet.write_table(table, temporary)


def write_solutions(counts_file: Path, path: Path) -> int:
    """The first correct answer of each solved problem, for `data.sft_solutions`; returns how many there are."""
    kept = [item for _, item in json_lines(samples_path(counts_file))]
    solved = [{"problem_id": item["problem_id"], "solution": item["correct"]} for item in kept if item["correct"]]
    write_atomic(path, "".join(json.dumps(item) + "\n" for item in solved))
    return len(solved)
