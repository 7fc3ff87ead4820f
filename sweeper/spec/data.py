"""The data of a run: scale, mix, order, screening."""

from dataclasses import dataclass, field
from typing import Annotated

from data_prep.spec import Cleaning, Order, PassRateRange, Recipe, Tasks
from sweeper.spec.bounds import Count, CountOrZero, Name, Positive, PositiveOrZero, Seed, Share, Text, between


@dataclass(frozen=True, slots=True, kw_only=True)
class DataScale:
    """How much data: `n_unique` problems, each seen `epochs` times (the reuse factor tau of arXiv:2509.25300).

    Two of `n_unique`, `epochs` and `training.total_steps` decide the third.
    """

    name: Name
    n_unique: Count | None  # null: as epochs and steps say; without epochs every problem there is
    epochs: Positive | None = None  # of the RL problems; null: as n_unique and steps say


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainMix:
    """Relative weight of each domain among the unique problems."""

    name: Name
    weights: dict[str, PositiveOrZero]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curriculum:
    """The order in which problems are trained on; `mixed` is verl's own shuffle, any other order is kept as it is."""

    name: Name
    order: Order = Order.mixed
    order_by: Text | None = None  # a pass-rate column or `difficulty`; see data_prep.spec.DataSpec
    stages: tuple[Text, ...] = ()  # for order staged: the training domains, each once


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Train only on problems that the base model solves sometimes (Guru's filter, arXiv:2506.14965).

    A group of answers that are all right or all wrong has no advantage, so GRPO learns nothing from it.
    """

    n_samples: CountOrZero = 0  # samples per problem; 0 trains on every problem
    max_problems: Count | None = None  # how many training problems to measure, in training order; null: all
    min_pass_rate: Share = 0.0  # keep problems whose pass rate is above this ...
    max_pass_rate: Share = 1.0  # ... and below this


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Where problems come from."""

    root: Text | None = None  # folder of parquet files in Guru's format; null: synthetic tasks
    # Which synthetic tasks: `answers` need one response; `agent` need tools or an environment (docs/agents.md).
    tasks: Tasks = Tasks.answers
    seed: Seed = 0  # order of the problems; the same for every run of a grid, so that scales are nested
    stratify_by: Text | None = None  # pass-rate column or `difficulty`: every scale has each level in the same share
    filters: tuple[PassRateRange, ...] = ()  # pass rates of the problems to train on
    annotations: tuple[Text, ...] = ()  # files of measured pass rates (python -m data_prep annotate)
    sft_share: Annotated[float, between(0, 1, below=True)] = 0.0  # of the unique problems, for supervised fine-tuning
    sft_solutions: Text | None = None  # file of rejection-sampled solutions; null: the reference solutions
    recipe: Recipe | None = None  # a published selection of rows, reproduced exactly
    cleaning: Cleaning = field(default_factory=Cleaning)
    screen: Screen = field(default_factory=Screen)
    digest: Text | None = None  # content of `root`, filled in when the spec is made ...
    annotation_digests: tuple[Text, ...] = ()  # ... as are those of the other files
    solutions_digest: Text | None = None
