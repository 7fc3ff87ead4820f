"""The verdicts of a run on the samples that it kept, with all that a second scorer needs to judge them again."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from rewards import Domain, Outcome
from rewards.audit.second_scorer import second_scorer
from rewards.check.gold_check import GoldRow
from rewards.check.gold_file import rows_of
from rewards.problem.domains import domain_of
from rewards.route.router import ScoreItem
from sweeper.rows.sample import Origin, Sample
from sweeper.rows.trajectories import LIMITS
from sweeper.runs.folder import RunDir
from sweeper.runs.samples import data_folder, kept_samples, origins
from sweeper.spec.run import RunSpec

DRAWN_FIRST = 2  # of a problem's samples: an evaluation keeps these of every problem, and others for their verdict
_PARSED = 200  # characters from which the answer as read is cut


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptVerdict:
    """One verdict: of which problem and measurement, whether the run paid the answer, and what to score again."""

    origin: Origin
    step: int | None
    problem: str
    paid: bool
    item: ScoreItem


@dataclass(frozen=True, kw_only=True)
class KeptVerdicts:
    """All of a run; iterating over them reads the files. Then `left_out` has those that cannot be judged again, by why.

    Attributes:
        run_dir: Of the run.
        left_out: How many, by reason.
        alone: How many of each data source without a second scorer.
        damaged: What could not be read.
    """

    run_dir: RunDir
    left_out: Counter[str] = field(default_factory=Counter)
    alone: Counter[str] = field(default_factory=Counter)
    damaged: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[KeptVerdict]:
        """In the order of the measurements: base, validations by step, evaluation."""
        for found in (self.left_out, self.alone, self.damaged):
            found.clear()
        for origin, step in origins(self.run_dir):
            kept, rows = kept_samples(self.run_dir, origin, step), self._rows(origin)
            for sample in kept:
                row = rows.get(sample.problem_id or "")
                why = self._why_not(sample, row)
                if why is not None:
                    self.left_out[why] += 1
                elif row is not None and second_scorer(row.data_source) is None:
                    self.alone[row.data_source] += 1
                elif row is not None:
                    yield self._verdict(sample, row)
            self.damaged.extend(map(str, kept.damaged))

    @cached_property
    def limits(self) -> tuple[str, ...]:
        """Of programs, as the run set them."""
        return self._spec.reward.program_limits if self._spec else ()

    @cached_property
    def _spec(self) -> RunSpec | None:
        return RunSpec.read(self.run_dir.spec_path) if self.run_dir.spec_path.exists() else None

    def _verdict(self, sample: Sample, row: GoldRow) -> KeptVerdict:
        item = ScoreItem(
            data_source=row.data_source,
            solution_str=self._answer(sample),
            ground_truth=row.ground_truth,
            extra_info=row.extra_info,
        )
        return KeptVerdict(
            origin=sample.origin,
            step=sample.step,
            problem=str(sample.problem_id),
            paid=sample.verdict == Outcome.CORRECT,
            item=item,
        )

    def _why_not(self, sample: Sample, row: GoldRow | None) -> str | None:
        """Why a sample cannot be judged again; None: it can."""
        if sample.verdict is None:
            return "no verdict was kept"
        if sample.verdict in LIMITS:
            return "unfinished trajectories, which no scorer saw"
        if sample.verdict == Outcome.ERROR:
            return "their scorer failed"
        if sample.origin is not Origin.validation and (sample.place is None or sample.place >= DRAWN_FIRST):
            return f"kept for their verdict, not as one of the first {DRAWN_FIRST} of their problem"
        if row is None:
            return "of no one problem of the run's data here"
        if sample.left_out or any(turn.left_out for turn in sample.turns[-1:]):
            return "kept without their middle"
        return self._why_no_turn(sample, row)

    def _why_no_turn(self, sample: Sample, row: GoldRow) -> str | None:
        """Of an agent's sample, why it is not known what was scored."""
        agent = self._spec.agent if self._spec else None
        if agent is None or not agent.acts:
            return None
        if agent.environment is not None:
            return "decided by their environment"
        if sample.turns:
            return None if sample.turns[-1].trained else "trajectories that end without a turn of the model"
        is_read = sample.parsed is not None and 0 < len(sample.parsed) < _PARSED
        if not is_read or domain_of(row.data_source) is not Domain.MATH:
            return "transcripts in which the last turn is not told apart, without an answer that was read"
        return None

    def _answer(self, sample: Sample) -> str:
        """What was scored: the response, of an agent its last turn, or the answer that was read there."""
        if sample.turns:
            return sample.turns[-1].text
        is_agent = self._spec is not None and self._spec.agent.acts
        return f"\\boxed{{{sample.parsed}}}" if is_agent else sample.response

    def _rows(self, origin: Origin) -> Mapping[str, GoldRow]:
        """The run's data by the problems' names, with golds and fields as scorers get them."""
        return self._of_validation if origin is Origin.validation else self._of_evaluation

    @cached_property
    def _of_validation(self) -> Mapping[str, GoldRow]:
        return self._named("val.parquet")

    @cached_property
    def _of_evaluation(self) -> Mapping[str, GoldRow]:
        return self._named("evaluation.parquet")

    def _named(self, name: str) -> Mapping[str, GoldRow]:
        folder = data_folder(self.run_dir)
        if folder is None or not (folder / name).exists():
            return {}
        return {str((row.extra_info or {}).get("problem_id")): row for row in rows_of([folder / name])}
