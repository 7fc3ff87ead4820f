"""A prepared folder: the files that a run trains, validates and is measured on."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from data_prep.files.manifest import MANIFEST, read_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedData:
    """Paths of the prepared files.

    `val` and `evaluation` are held-out problems, disjoint from `train`; the smaller is a part of the larger.

    Attributes:
        sft: Conversations (`messages`) of the problems that went to supervised fine-tuning; None without `sft_share`.
        dropped: Every row that was left out, with its reason; None for synthetic tasks.
        digest: SHA-256 of all files' content.
    """

    train: Path
    val: Path
    evaluation: Path
    manifest: Path
    sft: Path | None = None
    dropped: Path | None = None
    digest: str

    @classmethod
    def at(cls, folder: Path) -> "PreparedData":
        """The files in a finished folder.

        Raises:
            DataError: its manifest is not what was written.
        """
        files = read_manifest(folder / MANIFEST)["files"]
        content = "".join(f"{split}:{files[split]['sha256']}\n" for split in sorted(files))
        dropped = folder / "dropped.parquet"
        return cls(
            train=folder / "train.parquet",
            val=folder / "val.parquet",
            evaluation=folder / "evaluation.parquet",
            manifest=folder / MANIFEST,
            sft=folder / "sft.parquet" if "sft" in files else None,
            dropped=dropped if dropped.is_file() else None,
            digest=hashlib.sha256(content.encode()).hexdigest(),
        )
