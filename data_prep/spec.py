"""What data a run uses, as values; and the digest that names a file's content."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from rewards import Domain
from rewards.bounded_file import open_regular
from rewards.program import UserError
from rewards.terminal import is_plain

# Change whenever the same spec would give other rows; a folder's version also covers its pool's conversion.
SYNTHETIC_VERSION = "1"
FORMAT_VERSION = "2"
PASS_RATE = "_pass_rate"  # ends the name of a column of pass rates, e.g. `qwen2.5_7b_pass_rate`


class DataError(UserError, ValueError):
    """The data cannot be prepared as asked: what happened, which key, what to do."""


class Tasks(StrEnum):
    """Which synthetic tasks."""

    answers = "answers"  # that one response answers
    agent = "agent"  # that need tools, or an environment to act in


class Order(StrEnum):
    """The order of the rows in `train.parquet`, which is the order of training where verl does not shuffle."""

    mixed = "mixed"  # by content hash, every batch with the domains' shares
    easy_to_hard = "easy_to_hard"  # curriculum
    hard_to_easy = "hard_to_easy"  # anti-curriculum
    staged = "staged"  # domain after domain


class BadRows(StrEnum):
    """What happens to a row of a source that cannot be used (a broken prompt, a gold its scorer cannot read)."""

    refuse = "refuse"  # nothing is prepared
    drop = "drop"  # the row goes to the side file of dropped rows, with the reason


class Recipe(StrEnum):
    """A published selection of training rows, reproduced by its own arithmetic instead of ours."""

    guru_math_cl = "guru_math_cl"  # arXiv:2509.25300: see data_prep.choosing.curriculum_recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRateRange:
    """Training problems whose pass rate in `column` lies between two bounds; one without a measurement is left out.

    Attributes:
        column: A pass-rate column of the source, e.g. `qwen2.5_7b_pass_rate`, or of an annotation file.
        low: Lower bound, 0 to 1; exclusive unless `includes_low`.
        high: Upper bound, 0 to 1; exclusive unless `includes_high`.
        includes_low: Whether a pass rate of exactly `low` is kept.
        includes_high: Whether a pass rate of exactly `high` is kept.
    """

    column: str
    low: float = 0.0
    high: float = 1.0
    includes_low: bool = False
    includes_high: bool = False

    def __post_init__(self) -> None:
        """Refuses a range that can hold nothing.

        Raises:
            DataError: No column, bounds outside 0 to 1, or in the wrong order.
        """
        if not is_plain(self.column):
            raise DataError(f"a filter of data.filters has control characters in its column {self.column!r}.")
        if not self.column:
            raise DataError(
                "a filter of data.filters has no column: name a pass-rate column, e.g. qwen2.5_7b_pass_rate."
            )
        if not 0.0 <= self.low <= self.high <= 1.0:
            raise DataError(
                f"a filter of data.filters on {self.column} from {self.low} to {self.high} holds nothing: "
                "0 <= low <= high <= 1 is needed."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """What is taken out of a folder's rows; never applied to synthetic tasks, nor under a recipe.

    Whatever is taken out is written with its reason beside the prepared files. That each training problem occurs once
    (by `problem_id`) and none of them is evaluated holds whatever is set here.

    Attributes:
        exact_duplicates: Same text after normalisation (`data_prep.cleaning.duplicates`).
        near_duplicates: Jaccard similarity of texts, 0 to 1, from which the later of two problems goes; None: not
            looked for. Template-made puzzles are near-duplicates of each other by nature.
        contamination: Training problems that occur in an evaluation set (`data_prep.cleaning.contamination`).
        golds: Problems whose gold answer its own scorer does not accept (`data_prep.cleaning.gold`); runs code for
            code rows.
        max_prompt_tokens: Longest prompt in tokens, chat template included; None: any length.
        tokenizer: Folder (or cached hub id) of the tokenizer that `max_prompt_tokens` counts with.
        bad_rows: What happens to malformed rows.
    """

    exact_duplicates: bool = True
    near_duplicates: float | None = None
    contamination: bool = True
    golds: bool = False
    max_prompt_tokens: int | None = None
    tokenizer: str | None = None
    bad_rows: BadRows = BadRows.refuse

    def __post_init__(self) -> None:
        """Refuses values that mean nothing.

        Raises:
            DataError: A threshold outside (0, 1], a length limit without a tokenizer, or control characters.
        """
        if self.tokenizer is not None and not is_plain(self.tokenizer):
            raise DataError(f"data.cleaning.tokenizer={self.tokenizer!r} must not have control characters.")
        if self.near_duplicates is not None and not 0.0 < self.near_duplicates <= 1.0:
            raise DataError(
                f"data.cleaning.near_duplicates={self.near_duplicates} must be above 0 and at most 1, or null."
            )
        if self.max_prompt_tokens is not None and not (1 <= self.max_prompt_tokens <= 10**9 and self.tokenizer):
            raise DataError(
                f"data.cleaning.max_prompt_tokens={self.max_prompt_tokens} with tokenizer={self.tokenizer}: a limit "
                "from 1 to 10^9 and the folder of the tokenizer to count with are both needed."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSpec:
    """Everything that decides the prepared files, and nothing else.

    `n_unique` problems are chosen first (content-hash order, so scales nest and added rows disturb nothing), then put
    in `order`, then `sft_share` of them goes to `sft.parquet` instead of `train.parquet`. How often they are seen
    (epochs, the reuse factor tau) is the run's business.

    Attributes:
        root: Folder of data files in a layout of `data_prep.sources.layout`; None: synthetic tasks. The path itself is
            not part of the identity.
        digest: `data_prep.sources.layout.folder_digest(root)` as planned, checked when preparing; None: whatever is
            there.
        n_unique: Different training problems in all. None: every row of a folder that the weighted domains
            have, in their natural proportions (weights then only choose domains).
        weights: Share of each domain, by name, in training, in any unit; zero leaves a domain out.
        n_val_per_domain: Problems that verl validates on during training, per domain; taken from the held-out ones.
        n_eval_per_domain: Held-out problems that pass@k is measured on, per domain; None: all that a folder's
            `online_eval/` has.
        eval_domains: Domains that are evaluated; None: those with a positive weight.
        tasks: Which synthetic tasks; of a folder only `answers`.
        seed: Decides which problems are drawn for training; never which are held out, so that all seeds and
            scales share one evaluation.
        order: Of the training rows.
        order_by: What easy means for a curriculum, and inside the stages of `staged` if set: a pass-rate column (high
            is easy) or `difficulty` (a level, low is easy). None with a curriculum: `difficulty`.
        stages: For `staged`, the training domains in their order, each once; empty otherwise.
        stratify_by: A pass-rate column or `difficulty`: every scale then has each difficulty bin in the shares of the
            whole. None: shares are right on average.
        filters: All of them must hold for a training problem.
        sft_share: Share of the `n_unique` problems, 0 <= share < 1, for supervised fine-tuning: exactly
            round(share x n_unique), in the domains' shares. Only problems with a solution qualify.
        sft_solutions: Parquet or JSONL file with `problem_id` and `solution` (rejection-sampled answers), which take
            precedence over reference solutions. The path is not part of the identity, the content is.
        annotations: Parquet or JSONL files with `problem_id` and `..._pass_rate` columns, joined to the rows.
        cleaning: What is taken out of a folder's rows.
        own_rewards: The user's own reward functions, `SOURCE=FILE.py:FUNCTION`, which let rows in whose source nobody
            else knows (`rewards.own.covering`). The paths are not part of the identity.
        recipe: A published selection; needs a folder with its rows, only math, `n_unique`, and no other selection.
            In `order` easy_to_hard by its pass rate, train.parquet has the published file's rows in its order.
    """

    root: str | None = None
    digest: str | None = None
    n_unique: int | None = None
    weights: Mapping[str, float] = field(default_factory=lambda: {"math": 1.0})
    n_val_per_domain: int = 8
    n_eval_per_domain: int | None = 32
    eval_domains: tuple[str, ...] | None = None
    tasks: Tasks = Tasks.answers
    seed: int = 0
    order: Order = Order.mixed
    order_by: str | None = None
    stages: tuple[str, ...] = ()
    stratify_by: str | None = None
    filters: tuple[PassRateRange, ...] = ()
    sft_share: float = 0.0
    sft_solutions: str | None = None
    annotations: tuple[str, ...] = ()
    cleaning: Cleaning = field(default_factory=Cleaning)
    recipe: Recipe | None = None
    own_rewards: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuses values that mean nothing.

        Raises:
            DataError: Unknown domains, negative or all-zero weights, counts below 1, synthetic data without n_unique.
        """
        unknown = sorted({*self.weights, *(self.eval_domains or ())} - set(Domain))
        if unknown:
            raise DataError(
                f"unknown domains {unknown} (domain_mix.weights, eval.domains). Known: {', '.join(Domain)}."
            )
        if not self.train_domains or any(not 0 <= weight < float("inf") for weight in self.weights.values()):
            raise DataError(
                f"domain_mix.weights={dict(self.weights)} must be >= 0 and at least one > 0. Set one, e.g. math: 1."
            )
        if self.n_unique is not None and self.n_unique < 1:
            raise DataError(f"data_scale.n_unique={self.n_unique} must be at least 1.")
        if self.n_val_per_domain < 1 or (self.n_eval_per_domain is not None and self.n_eval_per_domain < 1):
            raise DataError(
                f"eval.val_problems_per_domain={self.n_val_per_domain} and eval.problems_per_domain="
                f"{self.n_eval_per_domain} must be at least 1."
            )
        if self.root is None and (self.n_unique is None or self.n_eval_per_domain is None):
            raise DataError(
                "synthetic tasks are endless: data_scale.n_unique and eval.problems_per_domain must be numbers. "
                "Set them, or data_root to a folder."
            )
        if self.root is not None and self.tasks is not Tasks.answers:
            raise DataError(
                f"data.tasks={self.tasks} chooses synthetic tasks, and data_root={self.root} has its own problems. Set "
                "one of them back."
            )
        self._check_order()
        self._check_selection()

    def _check_order(self) -> None:
        if self.order is Order.staged and sorted(self.stages) != sorted(self.train_domains):
            raise DataError(
                f"curriculum.order=staged with curriculum.stages={list(self.stages)}: name each training domain once, "
                f"here {', '.join(self.train_domains)}."
            )
        if self.order is not Order.staged and self.stages:
            raise DataError(
                f"curriculum.stages={list(self.stages)} mean something only with curriculum.order=staged, not "
                f"{self.order}."
            )
        if self.order is Order.mixed and self.order_by is not None:
            raise DataError(
                f"curriculum.order_by={self.order_by} has no meaning with curriculum.order=mixed. Set the order to "
                "easy_to_hard, hard_to_easy or staged, or order_by to null."
            )

    def _check_selection(self) -> None:
        if not 0.0 <= self.sft_share < 1.0:
            raise DataError(f"data.sft_share={self.sft_share} must be at least 0 and below 1: RL needs problems too.")
        if self.recipe is None:
            return
        others = self.stratify_by or self.filters or self.annotations
        if self.root is None or self.train_domains != (Domain.MATH,) or self.n_unique is None or others:
            raise DataError(
                f"data.recipe={self.recipe} chooses math rows of a folder itself: set data_root, a mix of math alone "
                "and data_scale.n_unique, and no data.filters, data.stratify_by or data.annotations."
            )

    @property
    def train_domains(self) -> tuple[Domain, ...]:
        """Domains with a positive weight, in the enumeration's order."""
        return tuple(domain for domain in Domain if self.weights.get(domain, 0.0) > 0)

    @property
    def evaluated_domains(self) -> tuple[Domain, ...]:
        """Domains that are validated and evaluated, in the enumeration's order."""
        if self.eval_domains is None:
            return self.train_domains
        return tuple(domain for domain in Domain if domain in self.eval_domains)


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's content."""
    with open_regular(Path(path)) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
