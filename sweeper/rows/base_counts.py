"""Where the measurement of a base model lies, which all runs that ask for the same share."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from sweeper.spec.digest import digest_of
from sweeper.spec.run import RunSpec


def suite_digest(spec: RunSpec, *, model_digest: str, data_digest: str, n: int | None = None) -> str:
    """Name of a base model's measurement: model, problems, sampling, scorers and agent."""
    scoring: dict[str, Any] = {"reward_suite": spec.reward_suite}
    if spec.reward.scorers:
        scoring["own"] = [asdict(own) for own in spec.reward.scorers]
    if spec.reward.limits:
        scoring["limits"] = spec.reward.limits
    if spec.reward.versions:
        scoring["versions"] = spec.reward.versions
    if spec.agent.acts:
        scoring["agent"] = spec.science()["agent"] | {"format": spec.call_format}
    return digest_of(
        {
            "model": model_digest,
            "data": data_digest,
            "n": spec.eval.n_samples if n is None else n,
            "temperature": spec.eval.temperature,
            "top_p": spec.eval.top_p,
            "max_tokens": spec.training.max_response_length,
        }
        | scoring
    )


def base_counts_path(
    results_dir: Path,
    spec: RunSpec,
    *,
    model_digest: str,
    data_digest: str,
    n: int | None = None,
    screening: bool = False,
) -> Path:
    """The counts file of a base model.

    Args:
        results_dir: Root of the results.
        spec: Model and sampling.
        model_digest: Of the prepared model.
        data_digest: SHA-256 of the parquet file of the problems, as its folder's manifest has it.
        n: Samples per problem; None: `eval.n_samples`.
        screening: Of training problems, drawn with another seed than the evaluation's.
    """
    suite = suite_digest(spec, model_digest=model_digest, data_digest=data_digest, n=n)
    return results_dir / "base" / f"{spec.model.name}-{'screen-' if screening else ''}{suite}.jsonl"
