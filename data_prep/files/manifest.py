"""`manifest.json` of prepared files: what they are made from, what they hold, what was left out."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data_prep.files.dropped_file import DroppedRecord, dropped_counts
from data_prep.spec import file_digest

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class FileCard:
    """What one prepared file, `<split>.parquet`, holds: the domain and the data_source of each row."""

    split: str
    domains: Sequence[str]
    sources: Sequence[str]


def write_manifest(
    folder: Path,
    identity: dict[str, object],
    files: Sequence[FileCard],
    dropped: Sequence[DroppedRecord],
    about: dict[str, object],
) -> None:
    """Writes the manifest of the files in `folder`.

    Args:
        folder: With all files.
        identity: The values that decide them.
        files: One per file.
        dropped: Counted by step.
        about: Further entries: inputs with their digests, licence and revision.
    """
    import pyarrow as pa

    manifest = {
        "identity": identity,
        "files": {
            card.split: {
                "file": f"{card.split}.parquet",
                "sha256": file_digest(folder / f"{card.split}.parquet"),
                "rows": len(card.domains),
                "by_domain": dict(sorted(Counter(card.domains).items())),
                "by_data_source": dict(sorted(Counter(card.sources).items())),
            }
            for card in files
        },
        "dropped": dropped_counts(dropped),
        "pyarrow_version": pa.__version__,
        **about,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
