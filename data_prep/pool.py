"""The pool: all usable rows of a folder, converted and cleaned once, from which every scale, mix and order is cut."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from data_prep.choosing.rank import content_rank
from data_prep.choosing.row_index import RowIndex, index_of, write_index
from data_prep.cleaning.contamination import CONTAMINATION, contaminated
from data_prep.cleaning.duplicates import EXACT, NEAR, nearly_repeated, repeated, same_problem
from data_prep.cleaning.lengths import TOO_LONG, PromptLengths, PromptLimit, tokenizer_digest
from data_prep.files.atomic_folder import make_once
from data_prep.files.dropped_file import EXCERPT, DroppedRecord, dropped_counts, record_of, write_dropped
from data_prep.files.prepared_file import prompts_of
from data_prep.files.row import Row, write_rows
from data_prep.sources.folder import FolderRows, read_folder
from data_prep.sources.role import Role
from data_prep.spec import Cleaning, DataError, DataSpec, file_digest
from rewards import SUITE_VERSION, Domain
from rewards.bounded_file import read_json
from rewards.own.covering import source_and_reference
from rewards.own.reward_file import RewardFile, split_reference
from rewards.route.scorers import raised_versions

# Changes whenever the same folder would give another pool.
POOL_VERSION = "2"
_MANIFEST = "manifest.json"
_ROW_GROUP = 4096


class Pool:
    """Paths of a pool's files. `train` and `held_out` have the columns of prepared files."""

    def __init__(self, folder: Path) -> None:
        self.train, self.train_index = folder / "train.parquet", folder / "train.index.parquet"
        self.held_out, self.held_out_index = folder / "held_out.parquet", folder / "held_out.index.parquet"
        self.dropped, self.manifest = folder / "dropped.parquet", folder / _MANIFEST


def domains_in_use(spec: DataSpec) -> tuple[Domain, ...]:
    """Domains that are trained or evaluated on."""
    return tuple(domain for domain in Domain if domain in {*spec.train_domains, *spec.evaluated_domains})


def cleaning_identity(cleaning: Cleaning) -> dict[str, object]:
    """The values of `cleaning` that decide rows; the tokenizer by its content."""
    values = asdict(cleaning)
    if cleaning.max_prompt_tokens is None:
        values["tokenizer"] = None
    elif cleaning.tokenizer is not None:
        values["tokenizer"] = tokenizer_digest(cleaning.tokenizer)
    return values


def own_identity(spec: DataSpec) -> dict[str, object]:
    """What the user's own reward functions decide: which sources are let in, and which golds pass if that is asked."""
    found: dict[str, str | None] = {}
    for reward in spec.own_rewards:
        source, reference = source_and_reference(reward)
        golds = spec.cleaning.golds and spec.recipe is None
        found[source] = RewardFile.read(split_reference(reference)[0]).digest if golds else None
    return {"own_rewards": found} if found else {}


def pool_of(spec: DataSpec, digest: str, out_root: Path) -> Pool:
    """The pool of `spec`'s folder below `out_root`, made if it is not there.

    Args:
        spec: With a folder.
        digest: The folder's.
        out_root: Where pools lie, by the hash of all that decides their rows.

    Raises:
        DataError: See `read_folder`.
    """
    if spec.root is None:
        raise ValueError("synthetic tasks have no pool")
    root = Path(spec.root)
    identity: dict[str, object] = {
        "pool_version": POOL_VERSION,
        "reward_suite": SUITE_VERSION if not raised_versions() else [SUITE_VERSION, raised_versions()],
        "digest": digest,
        "domains": [str(domain) for domain in domains_in_use(spec)],
        "n_held_out": _n_held_out(spec),
        "cleaning": None if spec.recipe is not None else cleaning_identity(spec.cleaning),
    } | own_identity(spec)
    name = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:20]
    folder = out_root / name
    make_once(folder, done=_MANIFEST, make=lambda temporary: _make(temporary, spec, root, identity))
    return Pool(folder)


def too_long_rows(
    file: Path, index: RowIndex, rows: Sequence[int], limit: PromptLimit | None, step: str
) -> tuple[set[int], list[DroppedRecord]]:
    """Which of a pool's rows are, and their records."""
    if limit is None:
        return set(), []
    prompts = prompts_of(file)
    reasons = limit.too_long([prompts[row] for row in rows])
    found = {rows[number]: reason for number, reason in reasons.items()}
    return set(found), [
        DroppedRecord(
            problem_id=index.problem_id[row],
            data_source=index.data_source[row],
            step=step,
            reason=reason,
            text=prompts[row][-1].content[:EXCERPT],
        )
        for row, reason in found.items()
    ]


def _n_held_out(spec: DataSpec) -> int | None:
    return None if spec.n_eval_per_domain is None else max(spec.n_eval_per_domain, spec.n_val_per_domain)


def _make(folder: Path, spec: DataSpec, root: Path, identity: dict[str, object]) -> None:
    found = read_folder(
        root, domains=domains_in_use(spec), bad_rows=spec.cleaning.bad_rows, own_rewards=spec.own_rewards
    )
    dropped = list(found.bad)
    if spec.recipe is not None:
        # The published selection counts rows of the published file, leaks and repetitions included.
        train, held_out = found.rows[Role.train], _distinct(found.rows[Role.evaluation], dropped)
    else:
        train, held_out = _cleaned(found, spec, dropped)
    pool = Pool(folder)
    for rows, path, index, split in (
        (train, pool.train, pool.train_index, "train"),
        (held_out, pool.held_out, pool.held_out_index, "held_out"),
    ):
        write_rows(rows, path, split, row_group_size=_ROW_GROUP)
        write_index(index_of(rows), index)
    write_dropped(dropped, pool.dropped)
    manifest = {
        "identity": identity,
        "source": _source_card(root),
        "inputs": [asdict(file) for file in found.files],
        "notes": dict(sorted(found.notes.items())),
        "dropped": dropped_counts(dropped),
        "rows": {"train": len(train), "held_out": len(held_out)},
        "sha256": {path.name: file_digest(path) for path in (pool.train, pool.held_out, pool.dropped)},
    }
    pool.manifest.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")


def _cleaned(found: FolderRows, spec: DataSpec, dropped: list[DroppedRecord]) -> tuple[list[Row], list[Row]]:
    train, options = found.rows[Role.train], spec.cleaning
    if options.exact_duplicates:  # before rows are held out, so that no problem is on both sides
        train = _without(train, repeated(train), EXACT, dropped)
    train = _distinct(train, dropped)
    measured = _distinct(found.rows[Role.evaluation] or found.rows[Role.offline_evaluation], dropped)
    never_trained = [*found.rows[Role.evaluation], *found.rows[Role.offline_evaluation]]
    if not never_trained:
        train, measured = _hold_out(train, spec)
        never_trained = measured
    # Cheap steps first, so that costly ones see fewer rows.
    if options.contamination and never_trained:
        train = _without(train, contaminated(train, never_trained), CONTAMINATION, dropped)
    if options.max_prompt_tokens is not None:
        lengths = PromptLengths(options.tokenizer)
        reasons = lengths.too_long([row.prompt for row in train], options.max_prompt_tokens)
        train = _without(train, reasons, TOO_LONG, dropped)
    if options.near_duplicates is not None:
        train = _without(train, nearly_repeated(train, threshold=options.near_duplicates), NEAR, dropped)
    if options.golds:
        from data_prep.cleaning.gold import BAD_GOLD, bad_golds

        train = _without(train, bad_golds(train, spec.own_rewards), BAD_GOLD, dropped)
    forbidden: dict[str, list[Row]] = {}
    for row in never_trained:
        forbidden.setdefault(row.problem_id, []).append(row)
    kept = []
    for row in train:
        namesakes = forbidden.get(row.problem_id, ())
        if any(same_problem(row, other) for other in namesakes):
            dropped.append(record_of(row, CONTAMINATION, "the problem is in an evaluation set"))
        else:
            kept.append(_renamed(row) if namesakes else row)
    return kept, measured


def _without(rows: Sequence[Row], reasons: Mapping[int, str], step: str, dropped: list[DroppedRecord]) -> list[Row]:
    """The rows that have no reason to go; the records of the others go to `dropped`."""
    dropped += [record_of(rows[number], step, reasons[number]) for number in sorted(reasons)]
    return [row for number, row in enumerate(rows) if number not in reasons]


def _hold_out(rows: Sequence[Row], spec: DataSpec) -> tuple[list[Row], list[Row]]:
    """Takes the first problems of each domain, in an order that depends on their content alone."""
    n = _n_held_out(spec)
    if n is None:
        raise DataError(
            f"data_root={spec.root} has no files for evaluation (online_eval/), so some rows must be held out of its "
            "flat files: set eval.problems_per_domain to a number."
        )
    held_out: set[str] = set()
    for domain in domains_in_use(spec):
        held_out.update(sorted(_of(rows, domain), key=lambda name: content_rank("held out", name))[:n])
    return (
        [row for row in rows if row.problem_id not in held_out],
        [row for row in rows if row.problem_id in held_out],
    )


def _of(rows: Iterable[Row], domain: Domain) -> list[str]:
    return [row.problem_id for row in rows if row.domain is domain]


def _distinct(rows: Collection[Row], dropped: list[DroppedRecord]) -> list[Row]:
    """The first row of each problem; which is first depends on file names and row order only.

    Ids are of letters and digits. Problems that differ in symbols alone (HumanEval's two on brackets of two shapes) are
    different: the later gets an id of its own.
    """
    of_id: dict[str, list[Row]] = {}
    kept = []
    for row in rows:
        namesakes = of_id.setdefault(row.problem_id, [])
        twin = next((other for other in namesakes if same_problem(row, other)), None)
        if twin is None:
            kept.append(_renamed(row) if namesakes else row)
            namesakes.append(row)
        else:
            same = twin.ground_truth == row.ground_truth
            reason = "the same problem came before" + ("" if same else " with another gold answer")
            dropped.append(record_of(row, "repeated problem", reason))
    return kept


def _renamed(row: Row) -> Row:
    """The row with an id of its whole text and gold."""
    text = "\0".join([row.problem_id, *(message.content for message in row.prompt), row.ground_truth])
    return replace(row, problem_id=f"{row.domain}-{hashlib.sha256(text.encode()).hexdigest()[:16]}")


def _source_card(root: Path) -> dict[str, object] | None:
    """Licence and revision, where `python -m data_prep fetch` fetched the folder."""
    path = root / "source.json"
    if not path.is_file():
        return None
    card: dict[str, object] = read_json(path)
    return card
