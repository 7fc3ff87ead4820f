"""Fetches a source from the Hugging Face hub into a folder that `data_root` can point at."""

import itertools
import json
import shutil
from dataclasses import asdict
from functools import partial
from pathlib import Path

from data_prep.files.atomic_folder import make_once
from data_prep.sources.column_mapping import FILE_NAME
from data_prep.sources.layout import source_layout
from data_prep.sources.source import Source
from data_prep.spec import DataError
from rewards.bounded_file import read_json
from rewards.bounded_parquet import Decoded, DecodesTooFar

CARD = "source.json"
_BATCH = 1024


def fetch(
    source: Source, out: Path, *, revision: str | None = None, offline: bool = False, cache: Path | None = None
) -> str:
    """Fetches `source` into `out` and returns the commit it is at.

    An interrupted fetch goes on where it stopped; what the hub's cache (HF_HOME) holds is not fetched again. `out`
    appears whole: the files, `columns.yaml` where the source needs one, and `source.json` with licence and revision.

    Args:
        source: One with a repository.
        out: Folder to make; if it is a finished fetch of this source and revision, it is left as it is.
        revision: Commit, branch or tag; None: that of an earlier fetch to `out`, else the source's.
        offline: Take everything from the hub's cache.
        cache: The hub's cache; None: where HF_HOME says.

    Raises:
        DataError: Not reachable and not in the cache, no such revision, no files, or `out` holds something else.
    """
    if source.repository is None:
        raise DataError(f"{source.name} is not on the hub. How to get it: {source.how}.")
    card = _card(out)
    if card is not None:
        known = str(card["revision"])
        if card["name"] == source.name and revision in (None, known):
            return known
        raise DataError(f"{out} holds {card['name']} at {known}. Give another folder (--out).")
    if out.exists() and any(out.iterdir()):
        raise DataError(f"{out} is not empty and was not made by a fetch. Give another folder (--out).")
    snapshot = _snapshot(source, revision or source.revision, offline=offline, cache=cache)
    make_once(out, done=CARD, make=partial(_copy if source.patterns else _write_splits, source, snapshot))
    return snapshot.name


def _copy(source: Source, snapshot: Path, out: Path) -> None:
    files = [file.path for file in source_layout(snapshot).files]
    if not files:
        raise DataError(f"{source.repository} at {snapshot.name} has no files {', '.join(source.patterns)}.")
    for path in files:
        target = out / path.relative_to(snapshot)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    _write_columns(source, out / FILE_NAME)
    _write_card(source, snapshot, out)


def _write_splits(source: Source, snapshot: Path, out: Path) -> None:
    """One parquet file per split, named by it, a batch at a time, however large it is."""
    import datasets
    import pyarrow as pa
    import pyarrow.parquet as pq

    what = f"{source.repository} at {snapshot.name}"
    decoded = Decoded(what, sum(path.stat().st_size for path in snapshot.rglob("*") if path.is_file()))
    try:
        datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False  # the files are here: nobody is asked
        found = datasets.load_dataset(str(snapshot), name=source.subset, streaming=True)
        unknown = sorted(set(source.splits) - set(found))
        if unknown:
            raise DataError(f"{what} has no split {unknown[0]}. It has {', '.join(found)}.")
        for split in source.splits or found:
            tables = found[split].with_format("arrow").iter(batch_size=_BATCH)
            first = next(tables)
            with pq.ParquetWriter(out / f"{split}.parquet", first.schema, compression="zstd") as writer:
                for table in itertools.chain([first], tables):
                    decoded.add(table)
                    writer.write_table(table.cast(first.schema))
    except (ValueError, OSError, StopIteration, pa.ArrowException, datasets.exceptions.DatasetsError) as error:
        if isinstance(error, DataError | DecodesTooFar):
            raise
        raise DataError(
            f"{what} cannot be read by datasets: {error}. Name a subset with --subset, or a split."
        ) from error
    _write_card(source, snapshot, out)


def _write_card(source: Source, snapshot: Path, out: Path) -> None:
    about = {"name": source.name, "licence": source.licence, "repository": source.repository}
    (out / CARD).write_text(json.dumps(about | {"revision": snapshot.name}, indent=2, sort_keys=True) + "\n")


def _snapshot(source: Source, revision: str | None, *, offline: bool, cache: Path | None) -> Path:
    """The hub's cached folder of a revision; its name is the commit."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            str(source.repository),
            repo_type="dataset",
            revision=revision,
            allow_patterns=list(source.patterns) or None,
            local_files_only=offline,
            cache_dir=cache,
        )
    except LocalEntryNotFoundError as error:
        raise DataError(
            f"{source.repository} at {revision or 'its newest revision'} is not in the Hugging Face cache and the hub "
            "cannot be reached. Fetch it on a machine with a network and copy the folder, or set HF_HOME to the cache "
            "that has it."
        ) from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise DataError(
            f"{source.repository} at {revision or 'its newest revision'} cannot be fetched: {error}. Run it again to "
            "go on where it stopped, or give another --revision."
        ) from error
    return Path(folder)


def _card(out: Path) -> dict[str, object] | None:
    path = out / CARD
    if not path.is_file():
        return None
    card: dict[str, object] = read_json(path)
    return card


def _write_columns(source: Source, path: Path) -> None:
    import yaml

    if source.columns:
        columns = {pattern: asdict(mapping) for pattern, mapping in source.columns.items()}
        set_only = {
            pattern: {name: value for name, value in values.items() if value not in (None, {}, False)}
            for pattern, values in columns.items()
        }
        path.write_text(yaml.safe_dump(set_only, sort_keys=False))
