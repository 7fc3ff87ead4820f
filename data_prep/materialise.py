"""Turns a `DataSpec` into files: train, val, evaluation and a manifest, in a folder named by their content.

The same spec gives the same folder and the same bytes; a finished folder is used as it is; several processes may
prepare the same one at once. A folder's rows are converted and cleaned once, into a pool (`data_prep.pool`), from
which each spec only cuts its rows.
"""

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from data_prep.choosing.annotations import annotated, read_pass_rates, read_solutions, side_file
from data_prep.choosing.curriculum_recipe import recipe_rows
from data_prep.choosing.order import in_order
from data_prep.choosing.rank import content_rank
from data_prep.choosing.row_index import RowIndex, index_of, read_index
from data_prep.choosing.scale import chosen, passing
from data_prep.choosing.split import Parts, Rows, sft_and_rl
from data_prep.cleaning.lengths import TOO_LONG, PromptLimit
from data_prep.files.atomic_folder import make_once
from data_prep.files.dropped_file import DroppedRecord, read_dropped, record_of, write_dropped
from data_prep.files.manifest import MANIFEST, read_manifest, write_manifest
from data_prep.files.prepared_file import prompts_of, write_conversations, write_cut, write_messages
from data_prep.files.prepared_folder import PreparedData
from data_prep.files.row import Row, write_rows
from data_prep.pool import Pool, cleaning_identity, own_identity, pool_of, too_long_rows
from data_prep.sources.layout import folder_digest
from data_prep.spec import FORMAT_VERSION, SYNTHETIC_VERSION, DataError, DataSpec, Order, file_digest
from data_prep.synthetic.rows import held_out_rows, train_rows
from data_prep.synthetic.tasks import VERSIONS
from rewards.bounded_file import read_json

POOLS = "pools"
LENGTHS = "lengths"  # how many prompts of a folder are too long for a tokenizer and a limit
TOO_LONG_TO_VALIDATE = "too long to validate on"
Kept = TypeVar("Kept", list[Row], Rows)


def data_identity(spec: DataSpec, limit: PromptLimit | None = None, *, digest: str | None = None) -> dict[str, object]:
    """The values that decide the files' content, JSON-ready; paths are not among them, the content there is.

    Options that are off are left out, so that adding an option changes no old name.

    Args:
        spec: The data.
        limit: Of prompts, where it takes any out; None: it takes none out.
        digest: Of the folder, where it is known; None: of what is there.

    Raises:
        DataError: The folder is missing, or its content is not `spec.digest`.
    """
    if spec.root is not None and digest is None:
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
        "prompt_limit": None if limit is None else limit.identity(),
    }
    return {
        "format_version": SYNTHETIC_VERSION if spec.root is None else FORMAT_VERSION,
        "generator_version": VERSIONS[spec.tasks] if spec.root is None else None,
        "digest": digest,
        "n_unique": spec.n_unique,
        "weights": {str(domain): spec.weights[domain] for domain in spec.train_domains},
        "n_val_per_domain": spec.n_val_per_domain,
        "n_eval_per_domain": spec.n_eval_per_domain,
        "eval_domains": [str(domain) for domain in spec.evaluated_domains],
        "seed": spec.seed,
    } | {name: value for name, value in (optional | own_identity(spec)).items() if value}


def materialise(spec: DataSpec, out_root: Path, limit: PromptLimit | None = None) -> PreparedData:
    """Prepares the files of `spec` below `out_root`, or finds them there.

    Where none of the chosen prompts is too long, the files and their folder are those without a limit. Else training
    problems of the same order take the places of those that are, and validation goes without them; what pass@k is
    measured on is the same for all models.

    Args:
        spec: The data.
        out_root: Where folders lie, by the hash of all that decides their files.
        limit: The longest prompts; None: any length.

    Raises:
        DataError: Too few problems (how many there are, and the key), a malformed row, an unknown or unsupported
            data_source (the file and the source), or a changed folder.
    """
    plain = _made(spec, out_root, None)
    if limit is None or not any(too_long_counts(plain, limit).values()):
        return plain
    return _made(spec, out_root, limit)


def too_long_counts(data: PreparedData, limit: PromptLimit) -> dict[str, int]:
    """How many prompts of the files that are trained and validated on are too long, by split; kept beside them."""
    known = _lengths_file(data, limit)
    if not known.is_file():
        files = {"train": data.train, "val": data.val} | ({} if data.sft is None else {"sft": data.sft})
        counts = {split: len(limit.too_long(prompts_of(path))) for split, path in files.items()}
        known.parent.mkdir(parents=True, exist_ok=True)
        temporary = known.with_name(f".{known.name}.{secrets.token_hex(6)}.tmp")
        with temporary.open("x") as file:  # never through what lies there
            json.dump(counts, file)
        temporary.replace(known)
    found: dict[str, int] = read_json(known)
    return found


def _lengths_file(data: PreparedData, limit: PromptLimit) -> Path:
    folder = data.manifest.parent
    return folder.parent / LENGTHS / f"{folder.name}-{folder_name(limit.identity())[:12]}.json"


def found(spec: DataSpec, out_root: Path, limit: PromptLimit | None) -> tuple[PreparedData, bool] | None:
    """What `materialise` gives, and whether its prompts were counted; None: it is not made yet. Nothing is read anew.

    Args:
        spec: With the digest of its folder.
        out_root: As for `materialise`.
        limit: As for `materialise`.
    """
    plain = out_root / folder_name(data_identity(spec, digest=spec.digest))
    if not (plain / MANIFEST).is_file():
        return None
    data = PreparedData.at(plain)
    if limit is None or not _lengths_file(data, limit).is_file():
        return data, False
    if not any(too_long_counts(data, limit).values()):
        return data, True
    limited = out_root / folder_name(data_identity(spec, limit, digest=spec.digest))
    return (PreparedData.at(limited), True) if (limited / MANIFEST).is_file() else None


def folder_name(identity: dict[str, object]) -> str:
    """The name of the folder with the files of an identity."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:20]


def _made(spec: DataSpec, out_root: Path, limit: PromptLimit | None) -> PreparedData:
    identity = data_identity(spec, limit)
    folder = out_root / folder_name(identity)
    if not (folder / MANIFEST).is_file():
        make: Callable[[Path], None]
        if spec.root is None:
            make = partial(_from_generators, spec, identity, limit)
        else:
            pool = pool_of(spec, str(identity["digest"]), out_root / POOLS)
            make = partial(_from_pool, spec, identity, pool, limit)
        make_once(folder, done=MANIFEST, make=make)
    return PreparedData.at(folder)


def _from_generators(spec: DataSpec, identity: dict[str, object], limit: PromptLimit | None, folder: Path) -> None:
    candidates, longer = train_rows(spec, limit)
    index = annotated(index_of(candidates), read_pass_rates(spec.annotations))
    # Candidates come in mixed order already, each level with the same share at every scale.
    kept, dropped = _filtered(spec, index)
    if len(kept) < len(candidates):
        raise DataError(
            f"data.filters leaves {len(kept)} of the {len(candidates)} synthetic problems that data_scale.n_unique "
            "asks for, and no others have been measured. Set no filter, or data_root, or data.screen."
        )
    parts = _parts(spec, index, np.array(kept, dtype=np.intp), {})
    held_out = held_out_rows(spec)
    evaluation = [row for domain in spec.evaluated_domains for row in held_out[domain][: spec.n_eval_per_domain]]
    val = [row for domain in spec.evaluated_domains for row in held_out[domain][: spec.n_val_per_domain]]
    reasons = {} if limit is None else limit.too_long([row.prompt for row in val])
    dropped += [record_of(row, TOO_LONG, reason) for row, reason in longer]
    dropped += [record_of(val[number], TOO_LONG_TO_VALIDATE, reason) for number, reason in reasons.items()]
    val = _some_left([row for number, row in enumerate(val) if number not in reasons], limit)
    splits = ["train", "val", "evaluation"]
    train = [candidates[number] for number in parts.rl.tolist()]
    for split, rows in zip(splits, (train, val, evaluation), strict=True):
        write_rows(rows, folder / f"{split}.parquet", split)
    if spec.sft_share:
        sft = [candidates[number] for number in parts.sft.tolist()]
        write_messages([_conversation(row) for row in sft], folder / "sft.parquet")
        splits.append("sft")
    if dropped:
        write_dropped(dropped, folder / "dropped.parquet")
    write_manifest(folder, identity, splits, dropped, {})


def _conversation(row: Row) -> tuple[list[dict[str, str]], str, str, str]:
    prompt = [{"role": message.role, "content": message.content} for message in row.prompt]
    return prompt, row.solution or "", row.data_source, row.problem_id


def _some_left(val: Kept, limit: PromptLimit | None) -> Kept:
    if limit is not None and not len(val):
        raise DataError(
            f"training.max_prompt_length={limit.max_tokens}: every problem to validate on is longer. Raise it."
        )
    return val


def _from_pool(
    spec: DataSpec, identity: dict[str, object], pool: Pool, limit: PromptLimit | None, folder: Path
) -> None:
    rates = read_pass_rates(spec.annotations)
    index = annotated(read_index(pool.train_index), rates)
    held_out = read_index(pool.held_out_index)
    rows, dropped = _filtered(spec, index)
    trained = [row for row in rows if index.domain[row] in spec.train_domains]
    too_long, longer = too_long_rows(pool.train, index, trained, limit, TOO_LONG)
    if spec.recipe is None:
        selected = chosen(spec, index, rows, too_long)
    else:
        selected = recipe_rows(index.position, spec.n_unique or 0)
        selected = selected[[row not in too_long for row in selected.tolist()]]
        if spec.order is Order.mixed:
            ranks = {row: content_rank(f"train|{spec.seed}", index.problem_id[row]) for row in selected.tolist()}
            selected = np.array(sorted(ranks, key=ranks.__getitem__), dtype=np.intp)
    solutions = {} if spec.sft_solutions is None else read_solutions(spec.sft_solutions)
    parts = _parts(spec, index, selected, solutions)
    evaluation = _measured(spec, held_out, spec.n_eval_per_domain)
    if not len(evaluation):
        raise DataError("no held-out problem is left to evaluate on (eval.domains). Choose domains that data_root has.")
    val = _measured(spec, held_out, spec.n_val_per_domain)
    too_long, to_validate = too_long_rows(pool.held_out, held_out, val.tolist(), limit, TOO_LONG_TO_VALIDATE)
    val = _some_left(val[[row not in too_long for row in val.tolist()]], limit)
    write_cut(pool.train, parts.rl, folder / "train.parquet", "train", rates)
    for split, numbers in (("val", val), ("evaluation", evaluation)):
        write_cut(pool.held_out, numbers, folder / f"{split}.parquet", split, {})
    if spec.sft_share:
        write_conversations(pool.train, parts.sft, folder / "sft.parquet", solutions)
    dropped = [*read_dropped(pool.dropped), *dropped, *longer, *to_validate]
    write_dropped(dropped, folder / "dropped.parquet")
    about = read_manifest(pool.manifest, "source", "inputs", "notes", "identity")
    write_manifest(
        folder,
        identity,
        ["train", "val", "evaluation", *(["sft"] if spec.sft_share else [])],
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
