"""Where problems can come from: each source with its licence, revision and the way to get it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from data_prep.sources.column_mapping import ColumnMapping

_BOXED = "{prompt} Please output the final answer within \\boxed{}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source of problems.

    Attributes:
        name: As given to `python -m data_prep fetch`.
        title: One line for people.
        licence: Of the problems, as their publisher states it; "not stated" where nothing is.
        how: How to get it.
        repository: Data set on the hub.
        revision: Commit that is fetched unless another is asked for. None: the newest at the first fetch, whose
            commit is then written to `source.json` and fetched ever after.
        patterns: Files of the repository that are fetched as they are; none: `datasets` reads its splits.
        subset: Configuration that is read; None: the only one.
        splits: That are read; none: all.
        columns: File pattern to columns, for files that are not in verl's.
    """

    name: str
    title: str
    licence: str
    how: str
    repository: str | None = None
    revision: str | None = None
    patterns: tuple[str, ...] = ()
    subset: str | None = None
    splits: tuple[str, ...] = ()
    columns: Mapping[str, ColumnMapping] = field(default_factory=lambda: MappingProxyType({}))


def of_the_hub(repository: str, *, subset: str | None = None, splits: tuple[str, ...] = ()) -> Source:
    """Any data set of the hub, read split by split.

    Args:
        repository: As `owner/name`.
        subset: Configuration that is read; None: the only one.
        splits: That are read; none: all.
    """
    return Source(
        name=" ".join([repository, *([subset] if subset else []), *splits]),
        title=repository,
        licence="as its card says",
        how=f"python -m data_prep fetch {repository}",
        repository=repository,
        subset=subset,
        splits=splits,
    )


SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Source(
            name="guru",
            title="Guru-RL-92k (arXiv:2506.14965): math, code, logic, simulation, table, STEM, with pass rates",
            licence="MIT",
            how="python -m data_prep fetch guru",
            repository="LLM360/guru-RL-92k",
            patterns=("train/*.parquet", "online_eval/*.parquet", "offline_eval/*.parquet"),
        ),
        Source(
            name="guru-math-curriculum",
            title="Math of Guru ordered by difficulty, in nested subsets, with 500 held out (arXiv:2509.25300)",
            licence="Apache-2.0 and MIT (both stated)",
            how="data/guru_verl/math_curriculum* of tanzelin430/The-Scaling-Law-for-Reinforcement-Learning on GitHub: "
            "put math__sampled_1_*.parquet and holdout_500.parquet into one folder",
        ),
        Source(
            name="gsm8k",
            title="GSM8K (arXiv:2110.14168): grade-school word problems, 7,473 train and 1,319 test",
            licence="MIT",
            how="python -m data_prep fetch gsm8k",
            repository="openai/gsm8k",
            patterns=("main/*.parquet",),
            columns={
                f"main/{split}*": ColumnMapping(
                    prompt="question",
                    ground_truth="answer",
                    ground_truth_after="####",
                    solution="answer",
                    data_source="openai/gsm8k",
                    template=_BOXED,
                    evaluation=split == "test",
                )
                for split in ("train", "test")
            },
        ),
        Source(
            name="math500",
            title="MATH-500: the 500 test problems of MATH (arXiv:2103.03874) chosen in arXiv:2305.20050",
            licence="MIT (of MATH)",
            how="python -m data_prep fetch math500",
            repository="HuggingFaceH4/MATH-500",
            patterns=("*.jsonl",),
            columns={
                "*.jsonl": ColumnMapping(
                    prompt="problem",
                    ground_truth="answer",
                    solution="solution",
                    problem_id="unique_id",
                    data_source="HuggingFaceH4/MATH-500",
                    template=_BOXED,
                    evaluation=True,
                )
            },
        ),
        Source(
            name="aime2024",
            title="AIME 2024 I and II: 30 problems",
            licence="not stated (problems by the Mathematical Association of America)",
            how="python -m data_prep fetch aime2024",
            repository="HuggingFaceH4/aime_2024",
            patterns=("data/*.parquet",),
            columns={
                "data/*": ColumnMapping(
                    prompt="problem",
                    ground_truth="answer",
                    solution="solution",
                    problem_id="id",
                    data_source="aime2024",
                    template=_BOXED,
                    evaluation=True,
                )
            },
        ),
        Source(
            name="reasoning-gym",
            title="Reasoning Gym (arXiv:2505.24760): endless puzzles of 96 tasks, most with levels, made here",
            licence="Apache-2.0",
            how="python -m data_prep reasoning-gym",
        ),
        Source(
            name="folder",
            title="Any folder of data files, in verl's columns or with a columns.yaml",
            licence="that of its files",
            how="data_root=FOLDER",
        ),
        Source(
            name="synthetic",
            title="Endless graded tasks of four domains for tiny models",
            licence="MIT (this project's)",
            how="data_root=null",
        ),
    )
}
