"""Turns a `DataSpec` into files: train, val, evaluation and a manifest, in a folder named by their content.

The same spec gives the same folder and the same bytes; a finished folder is used as it is; several processes may
prepare the same one at once. A folder's rows are converted and cleaned once, into a pool (`data_prep.pool`), from
which each spec only cuts its rows.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from data_prep.choosing.annotations import annotated, read_pass_rates, read_solutions, side_file
from data_prep.choosing.curriculum_recipe import recipe_rows
from data_prep.choosing.order import in_order
from data_prep.choosing.rank import content_rank
from data_prep.choosing.row_index import RowIndex, index_of, read_index
from data_prep.choosing.scale import chosen, passing
from data_prep.choosing.split import Parts, Rows, sft_and_rl
from data_prep.files.atomic_folder import make_once
from data_prep.files.dropped_file import DroppedRecord, read_dropped, write_dropped
from data_prep.files.manifest import MANIFEST, FileCard, write_manifest
from data_prep.files.prepared_file import write_conversations, write_cut, write_messages
from data_prep.files.row import Row, write_rows
from data_prep.pool import Pool, cleaning_identity, own_identity, pool_of
from data_prep.sources.layout import folder_digest
from data_prep.spec import DataError, DataSpec, Order, file_digest
from data_prep.synthetic.rows import held_out_rows, train_rows
from data_prep.synthetic.tasks import GENERATOR_VERSION

# Change whenever the same spec would give other rows; a folder's version also covers its pool's conversion.
SYNTHETIC_VERSION = "1"
FORMAT_VERSION = "2"
POOLS = "pools"


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


def data_identity(spec: DataSpec) -> dict[str, object]:
    """The values that decide the files' content, JSON-ready; paths are not among them, the content there is.

    Options that are off are left out, so that adding an option changes no old name.

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
    optional: dict[str, object] = {
        "order": None if spec.order is Order.mixed else str(spec.order),
        "order_by": spec.order_by,
        "stages": list(spec.stages),
        "stratify_by": spec.stratify_by,
        "filters": [asdict(wanted) for wanted in spec.filters],
        "sft_share": spec.sft_share,
        "sft_solutions": None if spec.sft_solutions is None else file_digest(side_file(spec.sft_solutions)),
        "annotations": [file_digest(side_file(path)) for path in spec.annotations],
        "cleaning": None if spec.root is None or spec.recipe else cleaning_identity(spec.cleaning),
        "recipe": None if spec.recipe is None else str(spec.recipe),
    }
    return {
        "format_version": SYNTHETIC_VERSION if spec.root is None else FORMAT_VERSION,
        "generator_version": GENERATOR_VERSION if spec.root is None else None,
        "digest": digest,
        "n_unique": spec.n_unique,
        "weights": {str(domain): spec.weights[domain] for domain in spec.train_domains},
        "n_val_per_domain": spec.n_val_per_domain,
        "n_eval_per_domain": spec.n_eval_per_domain,
        "eval_domains": [str(domain) for domain in spec.evaluated_domains],
        "seed": spec.seed,
    } | {name: value for name, value in (optional | own_identity(spec)).items() if value}


def materialise(spec: DataSpec, out_root: Path) -> PreparedData:
    """Prepares the files of `spec` below `out_root`, or finds them there.

    Raises:
        DataError: Too few problems (how many there are, and the key), a malformed row, an unknown or unsupported
            data_source (the file and the source), or a changed folder.
    """
    identity = data_identity(spec)
    canonical = json.dumps(identity, sort_keys=True)
    folder = out_root / hashlib.sha256(canonical.encode()).hexdigest()[:20]
    if not (folder / MANIFEST).is_file():
        make: Callable[[Path], None]
        if spec.root is None:
            make = partial(_from_generators, spec, identity)
        else:
            pool = pool_of(spec, str(identity["digest"]), out_root / POOLS)
            make = partial(_from_pool, spec, identity, pool)
        make_once(folder, done=MANIFEST, make=make)
    return _prepared(folder)


def _prepared(folder: Path) -> PreparedData:
    files = json.loads((folder / MANIFEST).read_text())["files"]
    content = "".join(f"{split}:{files[split]['sha256']}\n" for split in sorted(files))
    dropped = folder / "dropped.parquet"
    return PreparedData(
        train=folder / "train.parquet",
        val=folder / "val.parquet",
        evaluation=folder / "evaluation.parquet",
        manifest=folder / MANIFEST,
        sft=folder / "sft.parquet" if "sft" in files else None,
        dropped=dropped if dropped.is_file() else None,
        digest=hashlib.sha256(content.encode()).hexdigest(),
    )


def _from_generators(spec: DataSpec, identity: dict[str, object], folder: Path) -> None:
    candidates = train_rows(spec)
    index = annotated(index_of(candidates), read_pass_rates(spec.annotations))
    # Candidates come in mixed order already, each level with the same share at every scale.
    kept, dropped = _filtered(spec, index)
    if len(kept) < len(candidates):
        raise DataError(
            f"filters leave {len(kept)} of the {len(candidates)} synthetic problems that data_scale.n_unique asks for, "
            "and no others have been measured. Set no filter, or data_root, or data.screen."
        )
    parts = _parts(spec, index, np.array(kept, dtype=np.intp), {})
    held_out = held_out_rows(spec)
    evaluation = [row for domain in spec.evaluated_domains for row in held_out[domain][: spec.n_eval_per_domain]]
    val = [row for domain in spec.evaluated_domains for row in held_out[domain][: spec.n_val_per_domain]]
    files = []
    train = [candidates[number] for number in parts.rl.tolist()]
    for split, rows in (("train", train), ("val", val), ("evaluation", evaluation)):
        write_rows(rows, folder / f"{split}.parquet", split)
        files.append(FileCard(split, [str(row.domain) for row in rows], [row.data_source for row in rows]))
    if spec.sft_share:
        sft = [candidates[number] for number in parts.sft.tolist()]
        write_messages([_conversation(row) for row in sft], folder / "sft.parquet")
        files.append(FileCard("sft", [str(row.domain) for row in sft], [row.data_source for row in sft]))
    write_manifest(folder, identity, files, dropped, {})


def _conversation(row: Row) -> tuple[list[dict[str, str]], str, str, str]:
    prompt = [{"role": message.role, "content": message.content} for message in row.prompt]
    return prompt, row.solution or "", row.data_source, row.problem_id


def _from_pool(spec: DataSpec, identity: dict[str, object], pool: Pool, folder: Path) -> None:
    rates = read_pass_rates(spec.annotations)
    index = annotated(read_index(pool.train_index), rates)
    held_out = read_index(pool.held_out_index)
    rows, dropped = _filtered(spec, index)
    if spec.recipe is None:
        selected = chosen(spec, index, rows)
    else:
        selected = recipe_rows(index.position, spec.n_unique or 0)
        if spec.order is Order.mixed:
            ranks = {row: content_rank(f"train|{spec.seed}", index.problem_id[row]) for row in selected.tolist()}
            selected = np.array(sorted(ranks, key=ranks.__getitem__), dtype=np.intp)
    solutions = {} if spec.sft_solutions is None else read_solutions(spec.sft_solutions)
    parts = _parts(spec, index, selected, solutions)
    evaluation = _measured(spec, held_out, spec.n_eval_per_domain)
    if not len(evaluation):
        raise DataError("no held-out problem is left to evaluate on (eval_domains). Choose domains that data_root has.")
    val = _measured(spec, held_out, spec.n_val_per_domain)
    write_cut(pool.train, parts.rl, folder / "train.parquet", "train", rates)
    files = [_card("train", index, parts.rl)]
    for split, numbers in (("val", val), ("evaluation", evaluation)):
        write_cut(pool.held_out, numbers, folder / f"{split}.parquet", split, {})
        files.append(_card(split, held_out, numbers))
    if spec.sft_share:
        write_conversations(pool.train, parts.sft, folder / "sft.parquet", solutions)
        files.append(_card("sft", index, parts.sft))
    dropped = [*read_dropped(pool.dropped), *dropped]
    write_dropped(dropped, folder / "dropped.parquet")
    about = json.loads(pool.manifest.read_text())
    write_manifest(
        folder,
        identity,
        files,
        dropped,
        {"source": about["source"], "inputs": about["inputs"], "notes": about["notes"], "pool": about["identity"]},
    )


def _filtered(spec: DataSpec, index: RowIndex) -> tuple[list[int], list[DroppedRecord]]:
    rows, reasons = passing(index, spec.filters)
    return rows, [
        DroppedRecord(
            problem_id=index.problem_id[row],
            data_source=index.data_source[row],
            step="pass rate",
            reason=reason,
            text=None,
        )
        for row, reason in sorted(reasons.items())
    ]


def _parts(spec: DataSpec, index: RowIndex, rows: Rows, solutions: dict[str, str]) -> Parts:
    return sft_and_rl(spec, index, in_order(spec, index, rows), set(solutions))


def _measured(spec: DataSpec, held_out: RowIndex, n: int | None) -> Rows:
    """The first `n` held-out problems of each evaluated domain, in the order of their content."""
    names = held_out.problem_id
    rows: list[int] = []
    for domain in spec.evaluated_domains:
        here = [row for row in range(len(names)) if held_out.domain[row] is domain]
        rows += sorted(here, key=lambda row: content_rank("held out", names[row]))[:n]
    return np.array(rows, dtype=np.intp)


def _card(split: str, index: RowIndex, rows: Rows) -> FileCard:
    numbers = rows.tolist()
    return FileCard(split, [str(index.domain[row]) for row in numbers], [index.data_source[row] for row in numbers])
