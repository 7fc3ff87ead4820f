"""Base models, prepared once and shared by every run that starts from them.

A tiny model is built, a GGUF file is converted, a hub model is made of fetched weights (`sweeper.inputs.weights`); each
is then warm-started by supervised fine-tuning if its settings say so. It lands in `models/<name>-<digest>/`, whole and
made once, so any number of jobs may ask for it at once.

    python -m sweeper.inputs.models SPEC_JSON OUT_DIR [WEIGHTS_DIR]      (the child process that does the work)
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from data_prep.files.atomic_folder import make_once
from data_prep.files.prepared_folder import PreparedData
from data_prep.materialise import too_long_counts
from data_prep.prompt_style import OWN_STYLE, chat_template
from data_prep.spec import DataError, Tasks
from rewards.bounded_file import last_bytes, read_json
from sweeper.host import secret
from sweeper.host.errors import ConfigError, RunFailedError
from sweeper.host.machine import resolve_device, threads_for
from sweeper.host.process import Children, run_child
from sweeper.inputs import gguf, weights
from sweeper.inputs.prompt_limit import prompt_limit
from sweeper.inputs.weights import Weights
from sweeper.spec.cluster import Executor
from sweeper.spec.digest import digest_of
from sweeper.spec.identity import science_of
from sweeper.spec.model import Model, ModelSource, WarmStart
from sweeper.spec.run import RunSpec

# Raise when the building or the warm start changes what comes out for the same settings.
BUILD_VERSION = 1
DONE = weights.DONE
# What a `config.json` calls what an architecture states.
_SHAPE = {
    "hidden_size": "hidden_size",
    "intermediate_size": "intermediate_size",
    "num_hidden_layers": "num_layers",
    "num_attention_heads": "num_heads",
    "num_key_value_heads": "num_kv_heads",
    "vocab_size": "vocab_size",
}
_WORK = ".work"  # in a model's folder while it is made
WARM_START_LENGTH = 2048  # tokens; synthetic conversations have far fewer


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedModel:
    """A folder in Hugging Face's format, with a digest of everything that made it."""

    path: Path
    digest: str


def prepare(spec: RunSpec, results_dir: Path, *, log: Path, data: PreparedData | None = None) -> PreparedModel:
    """The base model of a run; made if it is not there yet, its weights fetched unless the run is a job of SLURM's.

    Who makes a tiny one counts the prompts of `data`: what a tokenizer takes is imported there, 5 s of CPU.

    Raises:
        ConfigError: a local model folder, an installed package or the weights of a job of SLURM's are missing; the
            model has another shape than is said.
        RunFailedError: building, converting or fetching failed.
    """
    model = spec.model
    if (folder := _own_folder(model)) is not None:
        if model.warm_start.steps or model.prompt_style != OWN_STYLE:
            raise ConfigError(
                f"model.warm_start.steps={model.warm_start.steps}, model.prompt_style={model.prompt_style}: a local "
                f"folder (model.path={model.path}) is used as it is; set steps to 0 and the style to {OWN_STYLE}, "
                "or use a hub id"
            )
        refuse_other_shape(model, results_dir)
        return PreparedModel(path=folder, digest=digest_of({"folder": str(folder), "revision": model.revision}))
    weights.refuse_no_folder(model)
    digest = model_digest(model)
    out = _made(model, results_dir)
    if (absent := absent_weights(model, results_dir)) is not None:
        if spec.cluster.executor is Executor.slurm:
            raise ConfigError(
                f"{absent.repository} is not in {absent.folder}, and jobs of SLURM's fetch nothing: run python -m "
                "sweeper prepare with the overrides of the launch, where the hub can be reached"
            )
        weights.fetch([absent], say=partial(print, flush=True))
    fetched = Weights.of(model, results_dir)
    make_once(out, done=DONE, make=partial(_make_in_child, spec.to_json(), log, fetched, data))
    refuse_other_shape(model, results_dir)
    return PreparedModel(path=out, digest=digest)


def prepare_fetched(specs: Sequence[RunSpec], results_dir: Path, *, say: Callable[[str], None]) -> list[Weights]:
    """Fetch the hub models of some runs and make them, so that no job needs a network; a warm start is left to jobs.

    Returns:
        What these models are fetched as, each once.

    Raises:
        ConfigError: a model, the right to read it or room on the disk is missing; it has another shape than is said.
        RunFailedError: the hub cannot be reached, or fetching stopped.
    """
    different = {model_digest(spec.model): spec for spec in specs}
    found = {digest: Weights.of(spec.model, results_dir) for digest, spec in different.items()}
    absent = [absent_weights(spec.model, results_dir) for spec in different.values()]
    secrets = specs[0].cluster.secrets_file if specs else None
    variables = secret.read(Path(secrets)) if secrets and any(absent) else {}
    weights.fetch([one for one in absent if one is not None], say=say, variables=variables)
    for digest, spec in different.items():
        if found[digest] is not None and not spec.model.warm_start.steps:
            with tempfile.NamedTemporaryFile() as log:
                prepare(spec, results_dir, log=Path(log.name))
    return list(dict.fromkeys(one for one in found.values() if one is not None))


def absent_weights(model: Model, results_dir: Path) -> Weights | None:
    """What is still to be fetched for a model; None: nothing is."""
    wanted = Weights.of(model, results_dir)
    return None if wanted is None or wanted.are_here or folder_at_hand(model, results_dir) else wanted


def folder_at_hand(model: Model, results_dir: Path) -> Path | None:
    """Where a run's model lies, if it does; None: it is still to be made."""
    made = _own_folder(model) or _made(model, results_dir)
    return made if (made / DONE).is_file() else None


def refuse_no_package(spec: RunSpec, results_dir: Path) -> None:
    """Refuse a model that a package ships, where jobs run with this Python, and it has no such package or file.

    Raises:
        ConfigError: what is missing, and how to install it.
    """
    model, cluster = spec.model, spec.cluster
    runs_elsewhere = cluster.executor is Executor.slurm and (cluster.python or cluster.container.image)
    if model.source is ModelSource.gguf and not runs_elsewhere and folder_at_hand(model, results_dir) is None:
        gguf.file_of(model)


def refuse_other_shape(model: Model, results_dir: Path) -> None:
    """Refuse a model at hand that has no weights, or of which `model.architecture` says another shape: rows would lie.

    Raises:
        ConfigError: with the first number that differs; its `config.json` or weights cannot be read, or its folder is
            none.
    """
    weights.refuse_no_folder(model)
    folder = folder_at_hand(model, results_dir)
    if folder is None or model.source is ModelSource.tiny:
        return
    try:
        config = read_json(folder / DONE)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder / DONE} of {model.name} cannot be read: {error}; mend or replace it") from None
    if not isinstance(config, dict):
        raise ConfigError(f"{folder / DONE} of {model.name} is no JSON object; mend or replace it")
    for theirs, ours in _SHAPE.items():
        said, found = getattr(model.architecture, ours), config.get(theirs)
        if found is not None and found != said:
            raise ConfigError(
                f"model.architecture.{ours}={said} of {model.name}, but {model.path} has {theirs}={found}: it is "
                f"another model. Write its configuration with: python -m sweeper add-model {model.path}"
            )
    if folder == _own_folder(model):
        weights.refuse_no_weights(folder, f"model.path={model.path} of {model.name}")


def _own_folder(model: Model) -> Path | None:
    if model.source is not ModelSource.hub or model.path is None or not Path(model.path).expanduser().is_dir():
        return None
    return Path(model.path).expanduser().resolve()


def _made(model: Model, results_dir: Path) -> Path:
    return results_dir / "models" / f"{model.name}-{model_digest(model)}"


def _make_in_child(spec: str, log: Path, fetched: Weights | None, data: PreparedData | None, out: Path) -> None:
    with work_folder(out) as work:
        frozen = work / "spec.json"
        frozen.write_text(spec)
        command = [sys.executable, "-m", "sweeper.inputs.models", str(frozen), str(out)]
        command += [str(folder or "") for folder in (fetched and fetched.folder, data and data.manifest.parent)]
        run_child(command, log=log, env={})


@contextmanager
def work_folder(out: Path) -> Iterator[Path]:
    """A folder for what is needed to make the model in `out` and not kept."""
    work = out / _WORK
    work.mkdir()
    yield work
    shutil.rmtree(work)


def model_digest(model: Model) -> str:
    """Digest of the settings and code versions that make a base model."""
    from data_prep.synthetic.tasks import VERSIONS

    made: dict[str, Any] = {"source": model.source, "path": model.path, "revision": model.revision}
    if model.prompt_style != OWN_STYLE:
        made["chat_template"] = chat_template(model.prompt_style)
    if model.source is ModelSource.tiny:
        made |= {"architecture": science_of("model.architecture", asdict(model.architecture))}
    if model.source is ModelSource.tiny or model.warm_start.steps:
        made |= {
            "warm_start": warm_start_settings(model.warm_start),
            "build": BUILD_VERSION,
            "tasks": VERSIONS[model.warm_start.tasks],
        }
    return digest_of(made)


def warm_start_settings(warm: WarmStart) -> dict[str, Any]:
    """What of a fine-tuning decides which model comes out."""
    return science_of("model.warm_start", asdict(warm))


def _warm_start(spec: RunSpec, initial: Path, out: Path, work: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    from data_prep.synthetic.warm_start import rows_of
    from sweeper.training.sft import FineTuning, SftShare, run_sft

    model, warm = spec.model, spec.model.warm_start
    rows = rows_of(warm.tasks, warm.n_examples, seed=warm.seed, error_rate=warm.error_rate, tool_share=warm.tool_share)
    data = work / "warm_start.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), data)
    wanted = FineTuning(
        model=initial,
        data=data,
        settings=warm,
        max_length=WARM_START_LENGTH,
        share=SftShare.of(model.resources, WARM_START_LENGTH),
    )
    sft = work / "sft"
    sft.mkdir()
    children = Children(
        device=resolve_device(spec.cluster.device),
        threads=threads_for(model.architecture.n_params),
        log=sft / "log.txt",
    )
    try:
        run_sft(wanted, children, out=out, work=sft)
    except RunFailedError:  # the folder goes with what it holds; our output is the run's log
        print(last_bytes(children.log).decode(errors="replace"), flush=True)
        raise


def _build_tiny(model: Model, out: Path) -> None:
    from data_prep.synthetic.tasks import STRINGS
    from sweeper.inputs import tiny

    tasks, seed = model.warm_start.tasks, model.warm_start.seed
    tiny.build(out, model.architecture, special_strings=STRINGS[tasks], seed=seed, acts=tasks is Tasks.agent)


def _set_chat_template(folder: Path, template: str) -> None:
    """Make a folder's tokenizer use a template, in training, fine-tuning and evaluation alike."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)


def main(spec_path: Path, out: Path, fetched: Path | None, data: Path | None) -> None:
    """Make the model of a spec in `out`, of `fetched` weights if it is the hub's; what it needs is beside the spec."""
    spec, work = RunSpec.read(spec_path), spec_path.parent
    initial = work / "initial" if spec.model.warm_start.steps else out
    if fetched is not None:
        weights.take(fetched, initial)
    elif spec.model.source is ModelSource.tiny:
        _build_tiny(spec.model, initial)
    else:
        gguf.convert(spec.model, initial)
    template = chat_template(spec.model.prompt_style)
    if template is not None:
        _set_chat_template(initial, template)
    if spec.model.warm_start.steps:
        _warm_start(spec, initial, out, work)
    if data is not None and spec.model.source is ModelSource.tiny:
        with suppress(DataError):  # the job then counts, and says what is wrong
            too_long_counts(PreparedData.at(data), prompt_limit(spec, out, data.parent.parent))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]), *(Path(folder) if folder else None for folder in sys.argv[3:]))
