"""pass@k of one model on a run's held-out problems, from counts that are kept."""

import sys
from collections.abc import Callable
from pathlib import Path

from data_prep.spec import file_digest
from sweeper.host.files import locked
from sweeper.host.machine import Device, threads_for
from sweeper.host.process import run_child
from sweeper.inputs.models import PreparedModel
from sweeper.spec.digest import digest_of
from sweeper.spec.run import RunSpec


def measure(
    spec: RunSpec,
    *,
    model: Path,
    data: Path,
    out: Path,
    seed: int,
    device: Device,
    log: Path,
    n: int | None = None,
    on_tick: Callable[[], None] | None = None,
) -> float:
    """Sample and score every problem of `data` with `model`; a finished measurement is not repeated.

    Args:
        spec: Says how to sample.
        model: Folder in Hugging Face's format.
        data: Parquet file in verl's columns.
        out: Counts file, made whole or not at all.
        seed: Of the sampling.
        device: What to generate on.
        log: Gets the output.
        n: Samples a problem; None: `eval.n_samples`.
        on_tick: Called about twice a second meanwhile.

    Returns:
        Wall seconds, 0.0 if the counts were there already.

    Raises:
        RunFailedError: the evaluation ended with an error.
    """
    if out.exists():
        return 0.0
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
        "engine": "vllm" if device is Device.cuda else "hf_cpu",
        "tensor-parallel": spec.model.resources.tensor_parallel,
    }
    arguments = [f"--{key}={value}" for key, value in settings.items()]
    threads = {"OMP_NUM_THREADS": str(threads_for(spec.model.architecture.n_params))} if device is Device.cpu else {}
    return run_child(
        [sys.executable, "-m", "sweeper.evaluation.evaluate", *arguments], log=log, env=threads, on_tick=on_tick
    )


def measure_base(
    spec: RunSpec,
    results_dir: Path,
    *,
    model: PreparedModel,
    problems: Path,
    device: Device,
    log: Path,
    n: int | None = None,
    screening: bool = False,
    on_tick: Callable[[], None] | None = None,
) -> Path:
    """Counts of a model before RL, measured once for all who ask for the same; the arguments are `measure`'s.

    Args:
        spec: Model and sampling.
        results_dir: Root of the results.
        model: The prepared model.
        problems: Parquet file of the problems.
        device: What to generate on.
        log: Gets the output.
        n: Samples a problem; None: `eval.n_samples`.
        screening: Of training problems, drawn with another seed than the evaluation's.
        on_tick: Called about twice a second meanwhile.

    Returns:
        The counts file.

    Raises:
        RunFailedError: the evaluation ended with an error.
    """
    out = base_counts_path(results_dir, spec, model_digest=model.digest, problems=problems, n=n, screening=screening)
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked(out.with_suffix(".lock"), wait=True):
        measure(
            spec,
            model=model.path,
            data=problems,
            out=out,
            seed=int(screening),
            device=device,
            log=log,
            n=n,
            on_tick=on_tick,
        )
    return out


def suite_digest(spec: RunSpec, *, model_digest: str, data_digest: str, n: int | None = None) -> str:
    """Name of a base model's measurement: model, problems, sampling and scorers."""
    return digest_of(
        {
            "model": model_digest,
            "data": data_digest,
            "n": spec.eval.n_samples if n is None else n,
            "temperature": spec.eval.temperature,
            "top_p": spec.eval.top_p,
            "max_tokens": spec.training.max_response_length,
            "reward_suite": spec.reward_suite,
        }
    )


def base_counts_path(
    results_dir: Path,
    spec: RunSpec,
    *,
    model_digest: str,
    problems: Path,
    n: int | None = None,
    screening: bool = False,
) -> Path:
    """Where the counts of a base model lie, measured once for all who ask for the same.

    Args:
        results_dir: Root of the results.
        spec: Model and sampling.
        model_digest: Of the prepared model.
        problems: Parquet file of the problems.
        n: Samples a problem; None: `eval.n_samples`.
        screening: Of training problems, drawn with another seed than the evaluation's.
    """
    suite = suite_digest(spec, model_digest=model_digest, data_digest=file_digest(problems), n=n)
    return results_dir / "base" / f"{spec.model.name}-{'screen-' if screening else ''}{suite}.jsonl"
