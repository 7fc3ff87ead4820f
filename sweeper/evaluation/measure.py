"""pass@k of one model on a run's held-out problems, from counts that are kept."""

import secrets
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from data_prep.files.lock import locked
from data_prep.spec import file_digest
from sweeper.evaluation.acting import Acting
from sweeper.host import temporary
from sweeper.host.files import write_atomic
from sweeper.host.machine import Device
from sweeper.host.process import Children
from sweeper.inputs.models import PreparedModel
from sweeper.rows.base_counts import base_counts_path
from sweeper.rows.counts import ProblemCount, read_counts
from sweeper.spec.reward import FOLDER
from sweeper.spec.run import RunSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """What a model did on some problems.

    Attributes:
        file: The counts file.
        counts: What it holds, one per problem.
        seconds: Wall time of the measurement; 0.0 if it was there already.
    """

    file: Path
    counts: list[ProblemCount]
    seconds: float


def measure(
    spec: RunSpec,
    children: Children,
    results_dir: Path,
    *,
    model: Path,
    data: Path,
    out: Path,
    seed: int,
    n: int | None = None,
) -> Evaluated:
    """Sample and score every problem of `data` with `model`; a finished measurement is not repeated.

    Args:
        spec: Says how to sample and score.
        children: Who does it.
        results_dir: Root of the results.
        model: Folder in Hugging Face's format.
        data: Parquet file in verl's columns.
        out: Counts file, made whole or not at all.
        seed: Of the sampling.
        n: Samples per problem; None: `eval.n_samples`.

    Raises:
        RunFailedError: the evaluation ended with an error.
        ResultsError: its counts file holds no problem, or is none.
    """
    if out.exists():
        return Evaluated(file=out, counts=read_counts(out), seconds=0.0)
    out.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "model": model,
        "data": data,
        "out": out,
        "n": spec.eval.n_samples if n is None else n,
        "temperature": spec.eval.temperature,
        "top-p": spec.eval.top_p,
        "max-tokens": spec.training.max_response_length,
        "seed": seed,
        "engine": "vllm" if children.device is Device.cuda else "hf_cpu",
        "tensor-parallel": spec.model.resources.tensor_parallel,
        "nodes": children.call.nodes if children.call else 1,
        "start": secrets.token_hex(4),  # one for all nodes
    }
    acting, agent = Acting.of(spec, results_dir), out.with_suffix(".agent.json")
    if acting is not None:
        write_atomic(agent, acting.to_json())  # of this folder: other nodes read it, too
        settings["agent"] = agent
    arguments = [f"--{key}={value}" for key, value in settings.items()]
    arguments += [f"--reward={own}" for own in spec.reward.references(results_dir / FOLDER)]
    arguments += [f"--limit={limit}" for limit in spec.reward.program_limits]
    command = [sys.executable, "-m", "sweeper.evaluation.evaluate", *arguments]
    with temporary.own_folder() as own, children.call.out(command, children.env) if children.call else nullcontext():
        seconds = children.run(command, own)
    agent.unlink(missing_ok=True)
    return Evaluated(file=out, counts=read_counts(out), seconds=seconds)


def measure_base(
    spec: RunSpec,
    children: Children,
    results_dir: Path,
    *,
    model: PreparedModel,
    problems: Path,
    n: int | None = None,
    screening: bool = False,
    wait: bool = True,
) -> Evaluated:
    """What a model does before RL, measured once for all who ask for the same.

    Args:
        spec: Model and sampling.
        children: Who does it.
        results_dir: Root of the results.
        model: The prepared model.
        problems: Parquet file of the problems.
        n: Samples per problem; None: `eval.n_samples`.
        screening: Of training problems, drawn with another seed than the evaluation's.
        wait: For another who measures the same now; if that one fails, it is measured here.

    Raises:
        HeldError: another measures the same now, and not `wait`.
        RunFailedError: the evaluation ended with an error.
        ResultsError: its counts file holds no problem, or is none.
    """
    out = base_counts_path(
        results_dir, spec, model_digest=model.digest, data_digest=file_digest(problems), n=n, screening=screening
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked(out.with_suffix(".lock"), wait=wait):
        return measure(spec, children, results_dir, model=model.path, data=problems, out=out, seed=int(screening), n=n)
