"""What the runs of a plan would train on, as far as it is at hand: a folder's rows, and files that are made already."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from data_prep.files.manifest import read_manifest
from data_prep.materialise import found
from data_prep.sources.glance import Glance
from data_prep.sources.role import Role
from rewards import BadRewardFile
from sweeper.inputs.data import data_spec, glance_at
from sweeper.inputs.models import folder_at_hand
from sweeper.inputs.prompt_limit import prompt_limit
from sweeper.spec.model import ModelSource
from sweeper.spec.reward import FOLDER
from sweeper.spec.run import RunSpec

_SHOWN = 4
_LOOKED_AT = 64  # a look takes a millisecond
_USES = {"train": "to train on", "val": "to validate on", "evaluation": "for pass@k", "sft": "to fine-tune on"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLook:
    """One data set of a plan.

    Attributes:
        root: Its folder; None: synthetic tasks.
        folder: Rows by use, before cleaning; None of synthetic tasks.
        notes: What lies in the folder and is not read or not counted here.
        prepared: Rows by file; None where the files are not made yet.
        dropped: Rows that preparation left out, by step; None likewise.
        uncounted: Why prompts were not held against `training.max_prompt_length`, as a launch does; None: they were, or
            one that fits was seen.
        runs: How many runs have this data.
    """

    root: str | None
    folder: dict[str, int] | None
    notes: tuple[str, ...]
    prepared: dict[str, int] | None
    dropped: dict[str, int] | None
    uncounted: str | None
    runs: int

    def lines(self) -> list[str]:
        """For a person."""
        words = []
        if self.folder is not None:
            uses = {"train": "training"}
            rows = [f"{n:,} rows for {uses.get(use, use.replace('_', ' '))}" for use, n in self.folder.items() if n]
            words.append(f"{self.root}: {', '.join(rows) or 'not counted'}")
        if self.prepared is not None:
            rows = [f"{self.prepared[name]:,} {use}" for name, use in _USES.items() if name in self.prepared]
            words.append(f"made: {', '.join(rows)}")
            if self.dropped:
                words.append("left out: " + ", ".join(f"{n:,} {step}" for step, n in self.dropped.items()))
        if self.uncounted is not None:
            words.append(f"prompts not counted: {self.uncounted}")
        return [f"data: {'; '.join(words)}" if words else "", *(f"      {note}" for note in self.notes)]


def looks(specs: Sequence[RunSpec], results_dir: Path) -> list[DataLook]:
    """The different data sets of some runs, those of most runs first; of very many the first."""
    alike: dict[tuple[object, ...], list[RunSpec]] = {}
    for spec in specs:
        # The maker of specs shares equal parts among them.
        parts = (
            spec.data,
            spec.data_scale,
            spec.domain_mix,
            spec.curriculum,
            spec.eval,
            spec.model,
            spec.reward,
            spec.agent,
        )
        alike.setdefault((*map(id, parts), spec.n_unique, spec.training.max_prompt_length), []).append(spec)
    merged: dict[str, DataLook] = {}
    for same in sorted(alike.values(), key=len, reverse=True)[:_LOOKED_AT]:
        look = _look(same[0], results_dir, len(same))
        key = repr(asdict(look) | {"runs": 0})
        known = merged.get(key)
        merged[key] = look if known is None else DataLook(**{**asdict(look), "runs": known.runs + look.runs})
    return sorted(merged.values(), key=lambda look: -look.runs)


def look_lines(found_looks: Sequence[DataLook]) -> list[str]:
    """For a person; of many data sets the first few."""
    lines = [line for look in found_looks[:_SHOWN] for line in look.lines() if line]
    more = len(found_looks) - _SHOWN
    return [*lines, f"data: and {more} more"] if more > 0 and lines else lines


def _look(spec: RunSpec, results_dir: Path, runs: int) -> DataLook:
    folder: dict[str, int] | None = None
    notes: tuple[str, ...] = ()
    if spec.data.root is not None:
        seen = glance_at(spec.data.root, spec.data.digest)
        folder = {str(role): seen.rows.get(role, 0) for role in Role}
        notes = (*seen.said, *_measured(spec, seen))
        if seen.uncounted:
            notes += (f"{len(seen.uncounted)} files are counted when the data are made: {seen.uncounted[0]}",)
    tokenizer = folder_at_hand(spec.model, results_dir)
    limit = None
    if tokenizer is not None:
        limit = prompt_limit(spec, tokenizer, results_dir)
    own = spec.reward.references(results_dir / FOLDER)
    try:
        made = found(replace(data_spec(spec), own_rewards=own), results_dir / "data", limit)
    except BadRewardFile:  # a function whose file no launch has kept yet has made no data
        made = None
    about = None if made is None else read_manifest(made[0].manifest)
    return DataLook(
        root=spec.data.root,
        folder=folder,
        notes=notes,
        prepared=None if about is None else {split: file["rows"] for split, file in about["files"].items()},
        dropped=None if about is None else about["dropped"],
        uncounted=_uncounted(spec, tokenizer, made is None or made[1]),
        runs=runs,
    )


def _measured(spec: RunSpec, seen: Glance) -> Iterator[str]:
    """What is held out for evaluation, and which domains have nothing to measure."""
    if seen.train is None or seen.evaluation is None:
        return
    if not seen.evaluation and not seen.unscored[1]:
        aside = max(spec.eval.problems_per_domain or 0, spec.eval.val_problems_per_domain)
        yield f"no file is for evaluation: {aside} problems of each domain are held out for it"
    has = seen.evaluation or seen.train
    absent = [str(domain) for domain in data_spec(spec).evaluated_domains if not has.get(domain)]
    if absent and not any(seen.unscored):
        yield f"no {' or '.join(absent)} problem to measure, which eval.domains asks for"


def _uncounted(spec: RunSpec, tokenizer: Path | None, is_looked_at: bool) -> str | None:
    if tokenizer is None and spec.model.source is not ModelSource.tiny:
        return "the model is not on this machine"
    if find_spec("transformers") is None:
        return "transformers is not installed here; a launch counts them"
    return None if is_looked_at else "a launch counts them"
