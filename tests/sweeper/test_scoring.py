"""Scoring beside generation; what a verdict is, is tested in test_measure."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from sweeper.evaluation import scoring
from sweeper.evaluation.dealing import Deal
from sweeper.evaluation.kept_blocks import Kept, Measured, measured, shard_path
from sweeper.evaluation.problems import Problem
from sweeper.evaluation.scoring import Answered, Scoring
from sweeper.host.errors import RunFailedError
from sweeper.rows.counts import ProblemCount


def answered(name: str, samples: int = 1) -> Answered:
    row = {"data_source": "synthetic_math", "extra_info": {"domain": "math"}, "reward_model": {"ground_truth": "1"}}
    problem = Problem(problem_id=name, row=row, prompt_ids=[1])
    return Answered(problem=problem, texts=["1"] * samples, finished=[True] * samples, tokens=[1] * samples)


def slowly(answers: Sequence[Answered], own: Sequence[str], limits: Sequence[str]) -> list[Measured]:
    """Half a second for a batch, whose size is told as the tokens of a response."""
    del own, limits
    time.sleep(0.5)
    return [
        Measured(
            count=ProblemCount(
                problem_id=one.problem.problem_id,
                data_source="synthetic_math",
                domain="math",
                n=1,
                c=1,
                outcomes={"correct": 1},
                prompt_tokens=1,
                response_tokens=len(answers),
            ),
            kept=Kept(problem_id=one.problem.problem_id, completions=[], correct=None),
        )
        for one in answers
    ]


def fails(answers: Sequence[Answered], own: Sequence[str], limits: Sequence[str]) -> list[Measured]:
    del answers, own, limits
    raise ValueError("no verdict")


class Begun:
    """An evaluation of six problems, and its one process that scores."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "counts.jsonl"
        self.deal = Deal.begin(folder / "counts.a.deal", settings="said", left=tuple(range(6)), total=6, workers=1)
        self.scoring = Scoring(shard_path(self.out, "a", "0"), self.deal, [])

    def batches(self) -> dict[str, int]:
        """For each problem that is kept, how many were scored with it."""
        return {name: one.count.response_tokens for name, one in measured(self.out, "said").items()}


def test_generation_goes_on_while_answers_are_scored_and_what_gathers_is_scored_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "scored", slowly)
    begun = Begun(tmp_path)
    with begun.scoring:
        start = time.monotonic()
        for name in "abc":
            begun.scoring.add([answered(name)])
        assert time.monotonic() - start < 0.4
        begun.scoring.finish()
        assert begun.scoring.seconds >= 1.0
    assert begun.batches() == {"a": 1, "b": 2, "c": 2}


def test_answers_are_kept_as_they_are_scored_without_the_one_who_generates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "scored", slowly)
    begun = Begun(tmp_path)
    with begun.scoring:
        begun.scoring.add([answered("a")])
        time.sleep(1.5)
        assert begun.batches() == {"a": 1}


def test_generation_waits_when_too_much_is_unscored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "scored", slowly)
    monkeypatch.setattr(scoring, "MOST_UNSCORED", 3)
    begun = Begun(tmp_path)
    with begun.scoring:
        begun.scoring.add([answered("a")])
        start = time.monotonic()
        begun.scoring.add([answered("b", samples=4)])
        assert time.monotonic() - start > 0.3
        begun.scoring.finish()


def test_an_error_of_scoring_ends_the_evaluation_and_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scoring, "scored", fails)
    begun = Begun(tmp_path)
    begun.scoring.add([answered("a")])
    with pytest.raises(RunFailedError, match="the process that scores answers has ended"):
        begun.scoring.finish()
    assert "ValueError: no verdict" in capfd.readouterr().err
