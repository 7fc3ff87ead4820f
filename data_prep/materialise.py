"""Turns a `DataSpec` into files: train, val, evaluation and a manifest, in a folder named by their content.

The same spec gives the same folder and the same bytes; a finished folder is used as it is; several processes may
prepare the same one at once (each writes its own temporary folder, the first rename wins).
"""

import hashlib
import itertools
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data_prep.folder import read_folder
from data_prep.mix import domain_counts, domain_sequence
from data_prep.row import Row, row_of_problem, write_rows
from data_prep.spec import DataError, DataSpec, folder_digest
from data_prep.synthetic import GENERATOR_VERSION, Split, problems
from rewards import Domain, check_source

# Changes whenever the same spec would give other rows.
FORMAT_VERSION = "1"
# Held-out synthetic problems do not depend on the data seed: all runs share one evaluation.
_HELD_OUT_SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedData:
    """Paths of the prepared files.

    `val` and `evaluation` are held-out problems, disjoint from `train`; the smaller is a part of the larger.

    Attributes:
        digest: SHA-256 of all three files' content.
        evaluation_digest: SHA-256 of the evaluation file alone; the same for all scales, mixes and seeds of training
            data that are evaluated on the same problems.
    """

    train: Path
    val: Path
    evaluation: Path
    manifest: Path
    digest: str
    evaluation_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paths:
    train: Path
    val: Path
    evaluation: Path
    manifest: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Selection:
    train: list[Row]
    val: list[Row]
    evaluation: list[Row]
    set_aside: dict[str, int]


def data_identity(spec: DataSpec) -> dict[str, object]:
    """The values that decide the files' content, JSON-ready; the folder's path is not among them.

    Raises:
        DataError: The folder is missing, or its content is not `spec.digest`.
    """
    digest: str | None = None
    if spec.root is not None:
        digest = folder_digest(spec.root)
        if spec.digest is not None and spec.digest != digest:
            raise DataError(
                f"data_root={spec.root} has digest {digest[:16]}..., but the run was planned with "
                f"{spec.digest[:16]}.... Restore the files, or plan again."
            )
    return {
        "format_version": FORMAT_VERSION,
        "generator_version": GENERATOR_VERSION if spec.root is None else None,
        "digest": digest,
        "n_unique": spec.n_unique,
        "weights": {str(domain): spec.weights[domain] for domain in spec.train_domains},
        "n_val_per_domain": spec.n_val_per_domain,
        "n_eval_per_domain": spec.n_eval_per_domain,
        "eval_domains": [str(domain) for domain in spec.evaluated_domains],
        "seed": spec.seed,
    }


def materialise(spec: DataSpec, out_root: Path) -> PreparedData:
    """Prepares the files of `spec` below `out_root`, or finds them there.

    Raises:
        DataError: Too few problems (how many there are, and the key), a malformed row, an unknown or unsupported
            data_source (the file and the source), or a changed folder.
    """
    identity = data_identity(spec)
    canonical = json.dumps(identity, sort_keys=True)
    name = hashlib.sha256(canonical.encode()).hexdigest()[:20]
    folder = out_root / name
    if _paths(folder).manifest.is_file():
        return _prepared(folder)
    selection = _select(spec)
    out_root.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=out_root))
    try:
        _write(selection, identity, _paths(temporary))
        temporary.chmod(0o755)  # mkdtemp makes it private; jobs of other users of a cluster may have to read it
        try:
            temporary.rename(folder)
        except OSError:
            # Another process was first: a non-empty folder cannot be renamed over, and its content is the same.
            if not _paths(folder).manifest.is_file():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return _prepared(folder)


def _prepared(folder: Path) -> PreparedData:
    paths = _paths(folder)
    files = json.loads(paths.manifest.read_text())["files"]
    content = "".join(f"{split}:{files[split]['sha256']}\n" for split in sorted(files))
    return PreparedData(
        train=paths.train,
        val=paths.val,
        evaluation=paths.evaluation,
        manifest=paths.manifest,
        digest=hashlib.sha256(content.encode()).hexdigest(),
        evaluation_digest=files["evaluation"]["sha256"],
    )


def _paths(folder: Path) -> _Paths:
    return _Paths(
        train=folder / "train.parquet",
        val=folder / "val.parquet",
        evaluation=folder / "evaluation.parquet",
        manifest=folder / "manifest.json",
    )


def _write(selection: _Selection, identity: dict[str, object], paths: _Paths) -> None:
    import pyarrow as pa

    files: dict[str, dict[str, object]] = {}
    for split, path, rows in (
        ("train", paths.train, selection.train),
        ("val", paths.val, selection.val),
        ("evaluation", paths.evaluation, selection.evaluation),
    ):
        write_rows(rows, path, split)
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        files[split] = {
            "file": path.name,
            "sha256": digest,
            "rows": len(rows),
            "by_domain": dict(sorted(Counter(str(row.domain) for row in rows).items())),
            "by_data_source": dict(sorted(Counter(row.data_source for row in rows).items())),
        }
    manifest = {
        "identity": identity,
        "files": files,
        "set_aside": selection.set_aside,
        "pyarrow_version": pa.__version__,
    }
    paths.manifest.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")


def _select(spec: DataSpec) -> _Selection:
    if spec.root is None:
        train_of, held_out_of, set_aside = _synthetic(spec)
    else:
        train_of, held_out_of, set_aside = _from_folder(spec, Path(spec.root))
    evaluation = [row for domain in spec.evaluated_domains for row in held_out_of[domain][: spec.n_eval_per_domain]]
    val = [row for domain in spec.evaluated_domains for row in held_out_of[domain][: spec.n_val_per_domain]]
    if not evaluation:
        raise DataError("no held-out problem is left to evaluate on (eval_domains). Choose domains that data_root has.")
    return _Selection(train=_mixed(spec, train_of), val=val, evaluation=evaluation, set_aside=set_aside)


def _mixed(spec: DataSpec, rows_of: dict[Domain, list[Row]]) -> list[Row]:
    if spec.n_unique is None:
        everything = [row for domain in spec.train_domains for row in rows_of[domain]]
        return sorted(
            everything,
            key=lambda row: hashlib.sha256(f"{spec.seed}|{row.problem_id}".encode()).digest(),
        )
    for domain, count in domain_counts(spec.weights, spec.n_unique).items():
        available = len(rows_of[domain])
        if available < count:
            raise DataError(
                f"data_scale.n_unique={spec.n_unique} needs {count} different {domain} problems, "
                f"but data_root={spec.root} has {available} for training. "
                f"Lower data_scale.n_unique or the weight of {domain} (domain_mix)."
            )
    streams = {domain: iter(rows) for domain, rows in rows_of.items()}
    return [next(streams[domain]) for domain in domain_sequence(spec.weights, spec.n_unique)]


_Sides = tuple[dict[Domain, list[Row]], dict[Domain, list[Row]], dict[str, int]]


def _synthetic(spec: DataSpec) -> _Sides:
    if spec.n_unique is None or spec.n_eval_per_domain is None:
        raise DataError("synthetic data needs data_scale.n_unique and n_eval_per_domain.")
    train = {
        domain: _generated(domain, Split.TRAIN, count, spec.seed)
        for domain, count in domain_counts(spec.weights, spec.n_unique).items()
    }
    n_held_out = max(spec.n_eval_per_domain, spec.n_val_per_domain)
    held_out = {
        domain: _generated(domain, Split.HELD_OUT, n_held_out, _HELD_OUT_SEED) for domain in spec.evaluated_domains
    }
    return train, held_out, {}


def _generated(domain: Domain, split: Split, count: int, seed: int) -> list[Row]:
    rows = [row_of_problem(p) for p in itertools.islice(problems(domain, split, seed=seed), count)]
    for source in {row.data_source for row in rows}:
        check_source(source)
    return rows


def _from_folder(spec: DataSpec, root: Path) -> _Sides:
    domains: Sequence[Domain] = [d for d in Domain if d in {*spec.train_domains, *spec.evaluated_domains}]
    n_held_out = None
    if spec.n_eval_per_domain is not None:
        n_held_out = max(spec.n_eval_per_domain, spec.n_val_per_domain)
    found = read_folder(root, domains=domains, n_held_out=n_held_out, seed=spec.seed)
    for domain in spec.train_domains:
        if not found.train[domain]:
            raise DataError(
                f"data_root={spec.root} has no {domain} problem for training (domain_mix weight of {domain}, "
                f"{len(found.held_out[domain])} held out). Set that weight to 0 or add rows."
            )
    return found.train, found.held_out, dict(sorted(found.set_aside.items()))
