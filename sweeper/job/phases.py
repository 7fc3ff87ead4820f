"""What an attempt does, phase by phase, and what each phase has found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from data_prep.files.lock import HeldError
from data_prep.files.prepared_folder import PreparedData
from rewards.bounded_file import read_text
from sweeper.evaluation.measure import Evaluated, measure, measure_base
from sweeper.evaluation.screen import candidates, keep_solved
from sweeper.host.errors import ConfigError
from sweeper.host.files import write_atomic
from sweeper.host.json_lines import MOST_BYTES
from sweeper.inputs.data import fill_a_batch, prepared, too_long
from sweeper.inputs.fine_tuning import FineTuned, fine_tuned, not_fine_tuned
from sweeper.inputs.models import PreparedModel, prepare
from sweeper.inputs.prompt_limit import limit_words
from sweeper.inputs.scorer_versions import refuse_other_code
from sweeper.rows.row import base_problems_path, problems_after_path, problems_path
from sweeper.training.context import JobContext
from sweeper.training.final_weights import final_weights, weights_after
from sweeper.training.processors import refuse_few
from sweeper.training.train import Trained, train


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the phases of an attempt have returned so far; None: not yet."""

    data: PreparedData | None = None
    model: PreparedModel | None = None
    base: Evaluated | None = None
    fine_tuned: FineTuned | None = None
    n_unique: int | None = None  # training problems, after screening
    trained: Trained | None = None
    evaluated: Evaluated | None = None
    along: Mapping[int, Evaluated | None] = field(default_factory=dict)  # by step; None: its weights are not there


def phases(job: JobContext) -> Iterator[Measured]:
    """Do the work of a run; phases that an earlier attempt finished are not repeated.

    Nobody waits with GPUs for a base model that another run measures now: it trains meanwhile, and the last phase takes
    what was found, or measures it where that run has failed.

    Yields:
        What is measured, after each phase: of a run that fails, what came before it is kept.

    Raises:
        ConfigError: the job has another number of nodes than the run wants, or too few CPUs for its GPUs; the code is
            not the run's.
        SweeperError: a phase failed.
        DataError: the data cannot be prepared.
    """
    _refuse_other_job(job)
    spec = job.spec
    job.enter("data")
    data = prepared(spec, job.results, tokenizer=None)
    yield (done := Measured(data=data))
    job.enter("model")
    model = prepare(spec, job.results, log=job.attempt.log, data=data)
    data = prepared(spec, job.results, tokenizer=model.path)
    fill_a_batch(spec, data)
    for step, n in too_long(data).items():
        print(f"{n} problems are {step} for {limit_words(spec)}: left out")
    yield (done := replace(done, model=model, data=data))
    base = _base_unless_measured_now(job, model, data.evaluation)
    start = not_fine_tuned(model)
    yield (done := replace(done, base=base, fine_tuned=start))
    if data.sft is not None:
        job.enter("fine-tune")
        start = fine_tuned(spec, model, data.sft, job.results, job.children)
        yield (done := replace(done, fine_tuned=start))
    train_file = data.train
    if spec.data.screen.n_samples:
        job.enter("screen")
        train_file = _screened(job, start.model, data.train)
    yield (done := replace(done, n_unique=_n_rows(train_file)))
    job.enter("train")
    trained = train(job, model=start.model.path, train_file=train_file, val_file=data.val)
    yield (done := replace(done, trained=trained))
    weights = final_weights(job)
    job.enter("evaluate")
    evaluated = measure(
        spec,
        job.children,
        job.results,
        model=weights,
        data=data.evaluation,
        out=job.run_dir.path / "counts.jsonl",
        seed=spec.seed,
    )
    yield (done := replace(done, evaluated=evaluated))
    if base is None:
        job.enter("evaluate base")
        base = measure_base(spec, job.children, job.results, model=model, problems=data.evaluation)
        yield (done := replace(done, base=base))
    for number in spec.evaluated_steps:
        job.enter(f"evaluate step {number}")
        yield (done := replace(done, along={**done.along, number: _evaluated_after(job, number, data.evaluation)}))
    write_atomic(base_problems_path(job.results, job.run_dir.run_id), read_text(base.file, MOST_BYTES))
    write_atomic(problems_path(job.results, job.run_dir.run_id), read_text(evaluated.file, MOST_BYTES))
    for number, found in done.along.items():
        if found is not None:
            path = problems_after_path(job.results, job.run_dir.run_id, number)
            write_atomic(path, read_text(found.file, MOST_BYTES))


def _refuse_other_job(job: JobContext) -> None:
    wanted = job.spec.model.resources.nodes
    if job.node.count != wanted:
        raise ConfigError(f"the job has {job.node.count} nodes, but model.resources.nodes={wanted}; submit it anew")
    refuse_few(job.spec.model.resources, job.children.device)
    refuse_other_code(job.spec)


def _base_unless_measured_now(job: JobContext, model: PreparedModel, problems: Path) -> Evaluated | None:
    """What the base model does; None: another run measures it now."""
    job.enter("evaluate base")
    try:
        return measure_base(job.spec, job.children, job.results, model=model, problems=problems, wait=False)
    except HeldError:
        print("another run measures the base model now: its counts are taken when this one has trained", flush=True)
        return None


def _evaluated_after(job: JobContext, step: int, problems: Path) -> Evaluated | None:
    """As the last checkpoint is: the same problems, samples and seed; None: the step's weights are not there."""
    out = job.run_dir.path / "checkpoint_counts" / f"step_{step}.jsonl"
    weights = weights_after(job, step)
    if weights is None and not out.exists():
        print(f"no weights of step {step} are kept: its pass@k is not measured", flush=True)
        return None
    model = weights or job.run_dir.checkpoints  # what is measured already needs none
    return measure(job.spec, job.children, job.results, model=model, data=problems, out=out, seed=job.spec.seed)


def _screened(job: JobContext, model: PreparedModel, train_file: Path) -> Path:
    """The problems that the model solves sometimes; measured once."""
    spec, out = job.spec, job.run_dir.path / "train.parquet"
    if not out.exists():
        wanted = spec.data.screen
        asked = candidates(train_file, wanted.max_problems, out)
        found = measure_base(
            spec, job.children, job.results, model=model, problems=asked, n=wanted.n_samples, screening=True
        )
        keep_solved(spec, asked, found.counts, out)
    return out


def _n_rows(file: Path) -> int:
    from pyarrow import parquet

    return int(parquet.read_metadata(file).num_rows)
