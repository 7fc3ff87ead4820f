"""What data a run uses, as values; and the digest that names a folder's content."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rewards import Domain


class DataError(ValueError):
    """The data cannot be prepared as asked: what happened, which key, what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSpec:
    """Everything that decides the prepared files, and nothing else.

    Attributes:
        root: Folder of parquet files in Guru's format, flat or with `train/` and `online_eval/`; None: synthetic
            tasks. The path itself is not part of the identity.
        digest: `folder_digest(root)` as planned, checked when preparing; None: whatever is there.
        n_unique: Different training problems in all. None: every row of a folder that the weighted domains
            have, in their natural proportions (weights then only choose domains).
        weights: Share of each domain, by name, in training, in any unit; zero leaves a domain out.
        n_val_per_domain: Problems that verl validates on during training, per domain; taken from the held-out ones.
        n_eval_per_domain: Held-out problems that pass@k is measured on, per domain; None: all that a folder's
            `online_eval/` has.
        eval_domains: Domains that are evaluated; None: those with a positive weight.
        seed: Decides which problems are drawn for training; never which are held out, so that all seeds and
            scales share one evaluation.
    """

    root: str | None = None
    digest: str | None = None
    n_unique: int | None = None
    weights: Mapping[str, float] = field(default_factory=lambda: {"math": 1.0})
    n_val_per_domain: int = 8
    n_eval_per_domain: int | None = 32
    eval_domains: tuple[str, ...] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuses values that mean nothing.

        Raises:
            DataError: Unknown domains, negative or all-zero weights, counts below 1, synthetic data without n_unique.
        """
        unknown = sorted({*self.weights, *(self.eval_domains or ())} - set(Domain))
        if unknown:
            raise DataError(
                f"unknown domains {unknown} (domain_mix weights, eval_domains). Known: {', '.join(Domain)}."
            )
        if not self.train_domains or any(not 0 <= weight < float("inf") for weight in self.weights.values()):
            raise DataError(
                f"domain_mix weights {dict(self.weights)} must be >= 0 and at least one > 0. Set one, e.g. math: 1."
            )
        if self.n_unique is not None and self.n_unique < 1:
            raise DataError(f"data_scale.n_unique={self.n_unique} must be at least 1.")
        if self.n_val_per_domain < 1 or (self.n_eval_per_domain is not None and self.n_eval_per_domain < 1):
            raise DataError(
                f"n_val_per_domain={self.n_val_per_domain} and n_eval_per_domain={self.n_eval_per_domain} "
                "must be at least 1."
            )
        if self.root is None and (self.n_unique is None or self.n_eval_per_domain is None):
            raise DataError(
                "synthetic tasks are endless: data_scale.n_unique and n_eval_per_domain must be numbers. "
                "Set them, or data_root to a folder."
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


def parquet_files(root: Path) -> Iterator[Path]:
    """The folder's parquet files at any depth, sorted by relative path."""
    yield from sorted(root.rglob("*.parquet"), key=lambda path: path.relative_to(root).as_posix())


def folder_digest(root: str | Path) -> str:
    """SHA-256 over the relative names and contents of the parquet files below `root`; where it lies is irrelevant.

    Raises:
        DataError: No such folder, or no parquet file in it.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise DataError(f"data_root={root} is not a folder. Point it at a folder of parquet files.")
    total = hashlib.sha256()
    files = list(parquet_files(folder))
    if not files:
        raise DataError(f"data_root={root} holds no .parquet file. Point it at a folder in Guru's format.")
    for path in files:
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return total.hexdigest()
