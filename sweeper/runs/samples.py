"""The samples that a run kept: of its evaluation, of verl's validations, and of the base model on its problems.

    runs/<id>/counts.samples.jsonl        a few of each problem, with the evaluation's verdicts
    runs/<id>/val/STEP.jsonl              all of a validation, as verl writes them
    base/<model>-<digest>.samples.jsonl   as the first, of the model before RL

Prompts and right answers lie in the run's data and are joined by the problem's name; a validation names no problem and
is joined by right answer and wording. Files are read line by line, and again at each pass.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rewards.bounded_file import read_json, read_text
from sweeper.host.errors import DamagedError, ResultsError
from sweeper.host.files import undamaged
from sweeper.host.json_lines import CutLineError, json_lines
from sweeper.rows.asked import Asked, by_gold, gold_digest, read_asked
from sweeper.rows.base_counts import base_counts_path
from sweeper.rows.counts import ProblemCount, read_counts, samples_path
from sweeper.rows.row import base_problems_path, problems_path
from sweeper.rows.sample import Named, Origin, Sample, Turn, why
from sweeper.runs.coverage import Coverage
from sweeper.runs.folder import RunDir
from sweeper.runs.unread import Unread
from sweeper.spec.bounds import adapter
from sweeper.spec.run import RunSpec

_CURE = "move it away: nothing but samples to read is in it"
_VAL_FILES = "data.val_files="


@dataclass(frozen=True, kw_only=True)
class KeptSamples:
    """The samples of one measurement; iterating over them reads their file.

    Attributes:
        run_dir: Of the run.
        origin: Which measurement.
        step: Of a validation.
        file: Where they lie.
    """

    run_dir: RunDir
    origin: Origin
    step: int | None
    file: Path
    _unread: list[Unread] = field(default_factory=list, init=False, repr=False, compare=False)

    def __iter__(self) -> Iterator[Sample]:
        """One by one, in the order of the file: of an evaluation that of the problems' names.

        A line that cannot be read costs itself, and is in `damaged` when the pass is over.

        Raises:
            DamagedError: no line is what was written, or the run's data are not.
        """
        read = self._validated if self.origin is Origin.validation else self._evaluated
        # Read before any line: what is wrong with them is not wrong with a line.
        _ = self._limit, self._by_gold, self.counts
        unread, n_read = Unread(), 0

        def refuse(number: int, error: ValueError) -> None:
            # verl may be writing the last line now, or was killed at it.
            if not (isinstance(error, CutLineError) and self._is_unfinished):
                unread.add(number, error)

        with undamaged(self.file, cure=_CURE):
            for number, line in json_lines(self.file, damaged=refuse):
                try:
                    found = list(read(line))
                except (ValueError, LookupError, TypeError, AttributeError) as error:
                    unread.add(number, error)
                else:
                    n_read += 1
                    yield from found
        self._unread[:] = [unread] if unread.n else []
        if unread.n and not n_read:
            raise unread.error(self.file, _CURE)

    @property
    def damaged(self) -> list[DamagedError]:
        """What the last whole pass could not read; empty: nothing."""
        return [unread.error(self.file) for unread in self._unread]

    def about(self) -> Sequence[Named]:
        """The problems of this measurement, by whatever of them is there."""
        return [*self._problems.values(), *self.counts.values()] or list(self)

    def coverage(self) -> Coverage:
        """How much was kept; reads all of it."""
        kept = judged = joined = 0
        problems = set[object]()
        for sample in self:
            kept += 1
            judged += sample.verdict is not None
            joined += sample.gold is not None
            problems.add(sample.problem_id or sample.prompt)
        drawn = kept if self.origin is Origin.validation else sum(item.n for item in self.counts.values())
        lost = sum(unread.n for unread in self._unread)
        return Coverage(
            kept=kept, drawn=drawn or None, problems=len(problems), judged=judged, joined=joined, damaged=lost
        )

    @cached_property
    def counts(self) -> Mapping[str, ProblemCount]:
        """What was measured of each problem, by its name; empty of a validation, or where it is gone."""
        return {item.problem_id: item for item in counts(self.run_dir, self.origin)}

    def _evaluated(self, line: Mapping[str, Any]) -> Iterator[Sample]:
        name, correct = str(line["problem_id"]), line["correct"]
        count, asked = self.counts.get(name), self._problems.get(name)
        texts = list(line["completions"])
        if not (verdicts := line.get("verdicts")):  # kept by an earlier version
            verdicts = [{"place": i, "verdict": _implied(text, correct, count)} for i, text in enumerate(texts)]
            if correct is not None and correct not in texts:
                texts, verdicts = [*texts, correct], [*verdicts, {"place": None, "verdict": "correct"}]
        for text, said in zip(texts, verdicts, strict=True):
            yield Sample(
                run_id=self.run_dir.run_id,
                origin=self.origin,
                problem_id=name,
                data_source=asked.data_source if asked else count.data_source if count else None,
                domain=asked.domain if asked else count.domain if count else None,
                prompt=asked.prompt if asked else None,
                response=str(text),
                left_out=said.get("left_out", 0),
                gold=asked.gold if asked else None,
                parsed=said.get("parsed"),
                score=said.get("score"),
                verdict=said["verdict"],
                why=why(said["verdict"], judge_failed=bool(said.get("judge_error")), limit=self._limit),
                tokens=said.get("tokens"),
                finish=said.get("finish"),
                place=said["place"],
                n=count.n if count else None,
                c=count.c if count else None,
                turns=tuple(map(adapter(Turn).validate_python, said.get("turns", ()))),
                turns_left_out=said.get("turns_left_out", 0),
            )

    def _validated(self, line: Mapping[str, Any]) -> Iterator[Sample]:
        prompt, verdict = str(line["input"]), line.get("outcome")
        alike = [item for item in self._by_gold.get(gold_digest(line["gts"]), ()) if item.was_asked_in(prompt)]
        asked = alike[0] if len(alike) == 1 else None
        yield Sample(
            run_id=self.run_dir.run_id,
            origin=self.origin,
            step=self.step,
            problem_id=asked.problem_id if asked else None,
            data_source=asked.data_source if asked else None,
            domain=asked.domain if asked else None,
            prompt=asked.prompt if asked else prompt,
            response=str(line["output"]),
            gold=asked.gold if asked else str(line["gts"]),
            parsed=None if line.get("pred") is None else str(line["pred"]),
            score=line["score"],
            verdict=verdict,
            why=why(verdict, judge_failed=bool(line.get("judge_error")), limit=self._limit),
        )

    @cached_property
    def _problems(self) -> Mapping[str, Asked]:
        folder = data_folder(self.run_dir)
        if folder is None:
            return {}
        path = folder / ("val.parquet" if self.origin is Origin.validation else "evaluation.parquet")
        with undamaged(path, cure="remove its folder: the next launch makes it anew"):
            return {item.problem_id: item for item in read_asked(path)}

    @cached_property
    def _by_gold(self) -> Mapping[str, list[Asked]]:
        return by_gold(list(self._problems.values()))

    @cached_property
    def _is_unfinished(self) -> bool:
        """Whether verl may still write into its validations."""
        return self.origin is Origin.validation and self.run_dir.row() is None

    @cached_property
    def _limit(self) -> int | None:
        spec = _spec(self.run_dir)
        return spec.training.max_response_length if spec else None


def _implied(text: str, correct: str | None, count: ProblemCount | None) -> str | None:
    """The verdict on a sample of an earlier version, where what it did keep leaves only one."""
    if text == correct:
        return "correct"
    return next(iter(count.outcomes)) if count is not None and len(count.outcomes) == 1 else None


def kept_samples(run_dir: RunDir, origin: Origin | None = None, step: int | None = None) -> KeptSamples:
    """The samples of one measurement of a run.

    Args:
        run_dir: Of the run.
        origin: Which; None: the validation of `step`, else the evaluation, else the last validation.
        step: Of a validation; None: the last.

    Raises:
        ResultsError: they are not there; says which are.
        DamagedError: the run's row or specification is not what was written.
    """
    steps = validation_steps(run_dir)
    if origin is None:
        has_evaluation = _counts_file(run_dir, Origin.evaluation) is not None
        origin = Origin.evaluation if step is None and (has_evaluation or not steps) else Origin.validation
    if origin is Origin.validation:
        chosen = step if step is not None else steps[-1] if steps else None
        if chosen in steps:
            file = _val_folder(run_dir) / f"{chosen}.jsonl"
            return KeptSamples(run_dir=run_dir, origin=origin, step=chosen, file=file)
    else:
        counts_file = _counts_file(run_dir, origin)
        if counts_file is not None and samples_path(counts_file).exists():
            return KeptSamples(run_dir=run_dir, origin=origin, step=None, file=samples_path(counts_file))
    what = f"of step {step}" if step is not None else f"of its {origin}" if origin is not Origin.base else "of its base"
    there = f"there are validations of steps {', '.join(map(str, steps))}" if steps else "it has validated nothing yet"
    raise ResultsError(f"{run_dir.run_id} has no samples {what} here; {there}")


def origins(run_dir: RunDir) -> list[tuple[Origin, int | None]]:
    """The measurements whose samples are there: base, validations by step, evaluation."""
    found: list[tuple[Origin, int | None]] = [(Origin.validation, step) for step in validation_steps(run_dir)]
    for origin, place in ((Origin.base, 0), (Origin.evaluation, len(found) + 1)):
        path = _counts_file(run_dir, origin)
        if path is not None and samples_path(path).exists():
            found.insert(place, (origin, None))
    return found


def validation_steps(run_dir: RunDir) -> list[int]:
    """The steps whose validations are there, ascending."""
    names = (path.stem for path in _val_folder(run_dir).glob("*.jsonl"))
    return sorted(int(name) for name in names if name.isdecimal())


def counts(run_dir: RunDir, origin: Origin) -> list[ProblemCount]:
    """Per-problem counts of an evaluation of a run; empty of a validation, or where it was not made or is gone.

    Raises:
        ResultsError: the file is not what was written.
    """
    beside = {Origin.evaluation: problems_path, Origin.base: base_problems_path}
    if origin not in beside:
        return []
    with_row = beside[origin](run_dir.results_dir, run_dir.run_id)
    for path in (with_row, _counts_file(run_dir, origin)):
        if path is not None and path.exists():
            return read_counts(path)
    return []


def data_folder(run_dir: RunDir) -> Path | None:
    """The prepared data of a run, where they still are below its results folder."""
    row = run_dir.row()
    name = row.provenance.data_digest if row and row.provenance else None
    if name is None:
        with suppress(FileNotFoundError):
            lines = read_text(run_dir.overrides_path).splitlines()
            # The name alone: a results folder may have been moved.
            name = next((Path(line).parent.name for line in lines if line.startswith(_VAL_FILES)), None)
    folder = run_dir.results_dir / "data" / name if name else None
    return folder if folder is not None and folder.is_dir() else None


def _val_folder(run_dir: RunDir) -> Path:
    return run_dir.path / "val"


def _counts_file(run_dir: RunDir, origin: Origin) -> Path | None:
    """The counts file that an evaluation's samples lie beside; None: not known."""
    if origin is Origin.evaluation:
        path = run_dir.path / "counts.jsonl"
        return path if path.exists() else None
    row, spec, folder = run_dir.row(), _spec(run_dir), data_folder(run_dir)
    if origin is Origin.validation or not (row and row.provenance and row.provenance.model_digest and spec and folder):
        return None
    manifest = folder / "manifest.json"
    with undamaged(manifest, cure="remove its folder: the next launch makes it anew"):
        digest = read_json(manifest)["files"]["evaluation"]["sha256"]
    return base_counts_path(
        run_dir.results_dir, spec, model_digest=row.provenance.model_digest, data_digest=str(digest)
    )


def _spec(run_dir: RunDir) -> RunSpec | None:
    return RunSpec.read(run_dir.spec_path) if run_dir.spec_path.exists() else None
