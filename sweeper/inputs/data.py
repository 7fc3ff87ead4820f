"""The part of a run that decides which problems it sees, and the files made of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from data_prep.choosing.annotations import side_file
from data_prep.cleaning.lengths import TOO_LONG
from data_prep.files.manifest import read_manifest
from data_prep.files.prepared_folder import PreparedData
from data_prep.materialise import TOO_LONG_TO_VALIDATE, materialise
from data_prep.sources.column_guess import guessed_columns
from data_prep.sources.glance import Glance, glance
from data_prep.sources.layout import folder_digest
from data_prep.spec import DataError, DataSpec, file_digest
from sweeper.host.errors import ConfigError
from sweeper.inputs.agent import frozen as frozen_agent
from sweeper.inputs.agent_rows import refuse_no_games, without_tests
from sweeper.inputs.models import folder_at_hand
from sweeper.inputs.own_reward import frozen, refuse_idle
from sweeper.inputs.prompt_limit import limit_words, prompt_limit, refuse_deaf
from sweeper.spec.reward import FOLDER
from sweeper.spec.run import RunSpec

# The digest of a folder of which no file's columns are known: a plan refuses it, and says what to declare.
UNDECLARED = "undeclared"


def with_digests(data: dict[str, Any]) -> dict[str, Any]:
    """The values of `data` with absolute paths, and with the content of every file they name.

    Raises:
        ConfigError: a folder or file that is not there or holds no data.
    """
    try:
        found = dict(data)
        if data["root"] is not None:
            root = str(Path(data["root"]).resolve())
            found |= {"root": root, "digest": _folder_digest(root)}
        files = [str(Path(path).resolve()) for path in data["annotations"]]
        found |= {"annotations": files, "annotation_digests": [_file_digest(path) for path in files]}
        if data["sft_solutions"] is not None:
            solutions = str(Path(data["sft_solutions"]).resolve())
            found |= {"sft_solutions": solutions, "solutions_digest": _file_digest(solutions)}
    except DataError as error:
        raise ConfigError(str(error)) from None
    return found


@cache
def _folder_digest(root: str) -> str:
    try:
        return folder_digest(root)
    except DataError:
        if Path(root).is_dir() and guessed_columns(Path(root), template=False):
            return UNDECLARED
        raise


@cache
def _file_digest(path: str) -> str:
    return file_digest(side_file(path))


def data_spec(spec: RunSpec) -> DataSpec:
    """The run's data, as `data_prep` prepares it.

    Raises:
        ConfigError: settings that contradict each other; says which keys.
    """
    try:
        return DataSpec(
            root=spec.data.root,
            digest=spec.data.digest,
            n_unique=spec.n_unique,
            weights=spec.domain_mix.weights,
            eval_domains=spec.eval.domains,
            n_eval_per_domain=spec.eval.problems_per_domain,
            n_val_per_domain=spec.eval.val_problems_per_domain,
            tasks=spec.data.tasks,
            seed=spec.data.seed,
            order=spec.curriculum.order,
            order_by=spec.curriculum.order_by,
            stages=spec.curriculum.stages,
            stratify_by=spec.data.stratify_by,
            filters=spec.data.filters,
            sft_share=spec.data.sft_share,
            sft_solutions=spec.data.sft_solutions,
            annotations=spec.data.annotations,
            cleaning=spec.data.cleaning,
            recipe=spec.data.recipe,
            own_rewards=spec.reward.references(Path(FOLDER)),
        )
    except DataError as error:
        raise ConfigError(str(error)) from None


@cache
def glance_at(root: str, digest: str | None) -> Glance:
    """What a folder holds.

    Args:
        root: The folder.
        digest: As planned; another one is another folder.

    Raises:
        ConfigError: a file that cannot be read, or lacks the columns that it needs.
    """
    del digest
    try:
        return glance(Path(root))
    except DataError as error:
        raise ConfigError(str(error)) from None


def prepared(spec: RunSpec, results_dir: Path, *, tokenizer: Path | None) -> PreparedData:
    """The run's files, made if they are not there; those of its own rewards, tools and environments are frozen too.

    Args:
        spec: The run.
        results_dir: Root of the results.
        tokenizer: Folder of the run's model: what is longer than `training.max_prompt_length` is left out, so that verl
            finds nothing to leave out. None: the model is not at hand yet, and prompts of any length are taken.

    Raises:
        ConfigError: the file of a reward function or a tool has changed since the run was planned; the function scores
            no problem; the model's template leaves out the agent's tools; its environment cannot begin the rows.
        DataError: too few problems, malformed rows, or files that have changed since the run was planned.
    """
    planned = [*zip(spec.data.annotations, spec.data.annotation_digests, strict=True)]
    if spec.data.sft_solutions is not None and spec.data.solutions_digest is not None:
        planned.append((spec.data.sft_solutions, spec.data.solutions_digest))
    for path, digest in planned:
        if not Path(path).is_file() or file_digest(path) != digest:
            raise DataError(f"{path} is not the file that the run was planned with. Restore it, or plan again.")
    files = frozen_agent(spec.agent, results_dir)
    limit = None
    if tokenizer is not None:
        limit = prompt_limit(spec, tokenizer, results_dir)
        refuse_deaf(spec, limit)
    own = spec.reward.references(frozen(spec.reward, results_dir))
    data = materialise(replace(data_spec(spec), own_rewards=own), results_dir / "data", limit)
    refuse_idle(spec.reward, data.manifest)
    refuse_no_games(spec.agent, data, files)
    return data


def fill_a_batch(spec: RunSpec, data: PreparedData) -> None:
    """Refuses files to train on that are less than one batch, of which verl would drop all.

    Raises:
        DataError: says how many rows there are, and how many were too long.
    """
    rows, batch = read_manifest(data.manifest)["files"]["train"]["rows"], spec.training.train_batch_size
    if rows < batch:
        longer = sum(too_long(data).values())
        skipped = f" ({longer} more are longer than {limit_words(spec)})"
        raise DataError(
            f"{rows} problems to train on{skipped if longer else ''} are less than a batch of {batch} "
            "(training.train_batch_size): verl would train on nothing. Use more problems, or a smaller batch."
        )


def too_long(data: PreparedData) -> dict[str, int]:
    """How many problems were left out of prepared files because their prompts are too long, by what they were for."""
    dropped = read_manifest(data.manifest)["dropped"]
    return {step: dropped[step] for step in (TOO_LONG, TOO_LONG_TO_VALIDATE) if step in dropped}


def prepare_all(specs: Sequence[RunSpec], results_dir: Path, *, say: Callable[[str], None]) -> None:
    """Make every different data set of some runs, so that what cannot be made stops a launch before it begins.

    Raises:
        ConfigError: data that cannot be prepared as asked, with the run it is for.
    """
    different: dict[str, tuple[RunSpec, Path | None]] = {}
    for spec in specs:
        frozen(spec.reward, results_dir)
        # Training seeds and algorithms share their data.
        tokenizer = folder_at_hand(spec.model, results_dir)
        limit = (tokenizer, spec.training.max_prompt_length, spec.training.train_batch_size)
        different.setdefault(repr((data_spec(spec), limit, spec.agent)), (spec, tokenizer))
    for number, (spec, tokenizer) in enumerate(different.values(), start=1):
        if spec.data.root is not None:
            say(f"preparing data {number}/{len(different)}: {spec.data.root}")
        try:
            data = prepared(spec, results_dir, tokenizer=tokenizer)
            fill_a_batch(spec, data)
        except DataError as error:
            raise ConfigError(f"{error} (for {spec.run_id}; nothing was started)") from None
        for step, n in too_long(data).items():
            say(f"{n} problems are {step} for {limit_words(spec)}: left out")
        for line in without_tests(spec.agent, data):
            say(line)
