"""What RL starts from: a base model, after supervised fine-tuning where the run's data has a share for it."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from data_prep.files.atomic_folder import make_once
from data_prep.spec import file_digest
from rewards.bounded_file import read_json
from sweeper.host.process import Children
from sweeper.inputs.models import BUILD_VERSION, DONE, PreparedModel, warm_start_settings, work_folder
from sweeper.rows.flops import Tokens
from sweeper.spec.digest import digest_of
from sweeper.spec.model import WarmStart
from sweeper.spec.run import RunSpec
from sweeper.training.sft import FineTuning, SftShare, run_sft

_TOKENS = "fine_tuning_tokens.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuned:
    """A model to start RL from.

    Attributes:
        model: Where it is.
        conversations: How many it was fine-tuned on; 0: it is the base model.
        tokens: What it was fine-tuned on, all epochs together; None: made before this was kept.
    """

    model: PreparedModel
    conversations: int
    tokens: Tokens | None


def not_fine_tuned(base: PreparedModel) -> FineTuned:
    """The base model itself."""
    return FineTuned(model=base, conversations=0, tokens=Tokens(sequences=0, total=0))


def fine_tuned(spec: RunSpec, base: PreparedModel, data: Path, results_dir: Path, children: Children) -> FineTuned:
    """`base` after supervised fine-tuning on `data`, as `training.sft` says; made if it is not there yet.

    Runs that differ in their RL alone share it.

    Args:
        spec: The run; its seed orders the batches.
        base: What to start from.
        data: Parquet with a `messages` column.
        results_dir: The model lands in `models/<name>-sft-<digest>/` of it.
        children: Who trains.

    Raises:
        RunFailedError: the trainer failed, or there are fewer rows than GPUs to train on them.
    """
    from pyarrow import parquet

    settings, n_rows = spec.training.sft, parquet.read_metadata(data).num_rows
    share = SftShare.of(spec.model.resources, spec.training.max_length)
    most = min(settings.batch_size, n_rows)
    batch = share.batch(most, n_rows)
    if batch != most:
        print(f"training.sft.batch_size: {batch} instead of {most}, as many for each of {share.workers}", flush=True)
    warm = WarmStart(
        steps=max(1, round(settings.epochs * n_rows / batch)), batch_size=batch, lr=settings.lr, seed=spec.seed
    )
    wanted = FineTuning(
        model=base.path,
        data=data,
        settings=warm,
        max_length=spec.training.max_length,
        share=share,
    )
    digest = digest_of(
        {"base": base.digest, "data": file_digest(data), "settings": warm_start_settings(warm), "build": BUILD_VERSION}
    )
    out = results_dir / "models" / f"{spec.model.name}-sft-{digest}"
    make_once(out, done=DONE, make=partial(_make, wanted, children))
    kept = out / _TOKENS
    tokens = Tokens(**read_json(kept)) if kept.exists() else None
    return FineTuned(model=PreparedModel(path=out, digest=digest), conversations=n_rows, tokens=tokens)


def _make(wanted: FineTuning, children: Children, out: Path) -> None:
    with work_folder(out) as work:
        tokens = run_sft(wanted, children, out=out, work=work)
    (out / _TOKENS).write_text(json.dumps({"sequences": tokens.sequences, "total": tokens.total}))
