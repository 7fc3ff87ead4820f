"""The trained model of a run as a folder that stands alone: weights, tokenizer, chat template and a model card.

Weights are those that the run's own evaluation read. Low-rank adapters are merged into their base. What verl and
transformers write of this machine (where the base model lay) is left out.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from data_prep.files.atomic_folder import make_once
from rewards.bounded_file import read_json, read_text
from rewards.terminal import is_plain, visible
from sweeper.host.errors import ConfigError, ResultsError
from sweeper.host.files import undamaged
from sweeper.oversight.model_card import CARD, card
from sweeper.oversight.whole_weights import CURE, refuse_damaged
from sweeper.rows.row import ResultRow, Status
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from sweeper.training import checkpoint

_WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
_BESIDE = (
    *("config.json", "generation_config.json", "chat_template.jinja", "tokenizer.json", "tokenizer_config.json"),
    *("special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model"),
)
_REWRITTEN = ("config.json", "generation_config.json", "tokenizer_config.json")
_PLACES = ("_name_or_path", "name_or_path")  # where transformers writes which folder a model was read from


def export(run_dir: RunDir, to: Path) -> None:
    """Write the folder, whole or not at all.

    Args:
        run_dir: Of a run that has a result, with its last checkpoint.
        to: The folder; absent, or empty.

    Raises:
        ConfigError: something is in the folder already, its name has control characters, or it is a place of runs.
        ResultsError: the run has no result, or its weights are gone.
        DamagedError: a file of the run or of its checkpoint is not what was written.
    """
    to = to.absolute()
    if to.is_symlink() or (to.exists() and not (to.is_dir() and not any(to.iterdir()))):
        raise ConfigError(f"--to {to}: something is there already, and is never overwritten; name a new folder")
    if not is_plain(str(to)):
        raise ConfigError(f"--to {visible(str(to))!r}: its name has control characters; name another folder")
    own = (run_dir.results_dir / name for name in ("runs", "rows"))
    if any(to.resolve().is_relative_to(place.resolve()) for place in own):
        raise ConfigError(f"--to {to}: it lies among the runs or rows of {run_dir.results_dir}; name a folder outside")
    row = run_dir.row()
    if row is None or row.status is not Status.completed:
        raise ResultsError(f"{run_dir.run_id} has no result yet: its last weights are not final")
    if row.imported is not None or not run_dir.spec_path.exists():
        raise ResultsError(f"{run_dir.run_id} was not run below this results folder: there are no weights of it here")
    spec = RunSpec.read(run_dir.spec_path)
    actor = checkpoint.policy(run_dir.checkpoints, spec.total_steps)
    if not list(checkpoint.weights(actor).glob("*.safetensors")):
        raise ResultsError(f"the weights of step {spec.total_steps} are not in {actor}: were they moved, or removed?")
    merged = checkpoint.merged_weights(actor)
    refuse_damaged(merged if spec.algorithm.lora.rank and merged.is_dir() else checkpoint.weights(actor))
    make_once(to, done=CARD, make=lambda folder: _make(folder, run_dir, spec, row, actor, to.name))


def _make(folder: Path, run_dir: RunDir, spec: RunSpec, row: ResultRow, actor: Path, name: str) -> None:
    source = checkpoint.weights(actor)
    if spec.algorithm.lora.rank and not (merged := checkpoint.merged_weights(actor)).is_dir():
        from sweeper.training.lora import merge

        source = folder / "merged"
        merge(actor, source)
    elif spec.algorithm.lora.rank:
        source = merged
    for pattern in (*_WEIGHTS, *_BESIDE):
        for path in source.glob(pattern):
            shutil.copyfile(path, folder / path.name)
    shutil.rmtree(folder / "merged", ignore_errors=True)
    on_cpu = row.provenance is not None and row.provenance.device == "cpu"
    for file in _REWRITTEN:
        if (folder / file).exists():
            _rewrite(folder / file, {"dtype": "float32"} if on_cpu and file == "config.json" else {})
    (folder / CARD).write_text(card(run_dir, spec, row, name))
    _refuse_places(folder, run_dir.results_dir)


def _rewrite(path: Path, changes: dict[str, Any]) -> None:
    """Without the places of this machine; with the type of numbers that the evaluation on CPU computed in."""
    with undamaged(path, cure=CURE):
        values = read_json(path)
        kept = {key: value for key, value in values.items() if key not in _PLACES}
    path.write_text(json.dumps(kept | changes, indent=2, ensure_ascii=False) + "\n")


def _refuse_places(folder: Path, results_dir: Path) -> None:
    places = (str(results_dir), str(results_dir.resolve()), f"{Path.home()}/")
    for path in (folder / name for name in (*_REWRITTEN, CARD)):
        text = read_text(path) if path.exists() else ""
        if found := next((place for place in places if place in text), None):
            raise ResultsError(f"{path.name} would name a place of this machine, {found}: nothing was written")
