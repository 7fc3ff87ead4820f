"""`manifest.json` of prepared files: what they are made from, what they hold, what was left out."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data_prep.files.dropped_file import DroppedRecord, dropped_counts
from data_prep.spec import DataError, file_digest
from rewards.bounded_file import open_regular, read_json

MANIFEST = "manifest.json"


def write_manifest(
    folder: Path,
    identity: dict[str, object],
    splits: Sequence[str],
    dropped: Sequence[DroppedRecord],
    about: dict[str, object],
) -> None:
    """Writes the manifest of the files in `folder`.

    Args:
        folder: With all files.
        identity: The values that decide them.
        splits: Of the prepared files, `<split>.parquet` each; what they hold is read from them.
        dropped: Counted by step.
        about: Further entries: inputs with their digests, licence and revision.
    """
    import pyarrow as pa

    manifest = {
        "identity": identity,
        "files": {split: _about(folder / f"{split}.parquet") for split in splits},
        "dropped": dropped_counts(dropped),
        "pyarrow_version": pa.__version__,
        **about,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")


def read_manifest(path: Path, *keys: str) -> dict[str, Any]:
    """What `write_manifest` wrote, or whoever made a pool.

    Args:
        path: Of the manifest.
        keys: That it has to have; none: those of prepared files.

    Raises:
        DataError: it is not that any more.
    """
    try:
        about: dict[str, Any] = read_json(path)
        about = {key: about[key] for key in keys or ("files", "dropped")} | about
        _ = [(int(file["rows"]), str(file["sha256"])) for file in about.get("files", {}).values()]
        return about
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        why = f"{getattr(error, 'strerror', None) or type(error).__name__}"
        raise DataError(f"{path} is damaged ({why}); remove {path.parent}: the next launch makes it anew") from error


def _about(file: Path) -> dict[str, object]:
    from pyarrow import parquet

    with parquet.ParquetFile(open_regular(file)) as read:
        place = "problem_id" if "problem_id" in read.schema_arrow.names else "extra_info.problem_id"
        rows = read.read(columns=["data_source", place]).flatten().to_pydict()
    domains = Counter(str(name).partition("-")[0] for name in rows[place])  # with which an id begins
    return {
        "file": file.name,
        "sha256": file_digest(file),
        "rows": domains.total(),
        "by_domain": dict(sorted(domains.items())),
        "by_data_source": dict(sorted(Counter(rows["data_source"]).items())),
    }
