from dataclasses import replace
from pathlib import Path

import pytest
from pyarrow import parquet

from data_prep.materialise import materialise
from sweeper.evaluation.screen import candidates, keep_solved
from sweeper.host.errors import ConfigError, RunFailedError
from sweeper.inputs.data import data_spec
from sweeper.plan.refusals import check
from sweeper.rows.counts import ProblemCount
from sweeper.spec.run import RunSpec
from tests.sweeper.points import spec


def screened(*overrides: str) -> RunSpec:
    return spec("data_scale=n64", "data.screen.n_samples=4", "data.screen.max_problems=20", *overrides)


def ids(file: Path) -> list[str]:
    return [extra["problem_id"] for extra in parquet.read_table(file).column("extra_info").to_pylist()]


def screen(run: RunSpec, train_file: Path, out: Path, solved_of_4: list[int]) -> None:
    """What a run does, with these counts of the candidates, in file order."""
    asked = candidates(train_file, run.data.screen.max_problems, out)
    keep_solved(run, asked, counts_with(asked, solved_of_4), out)


def counts_with(asked: Path, solved_of_4: list[int]) -> list[ProblemCount]:
    return [
        ProblemCount(
            problem_id=problem,
            data_source="math__synthetic",
            domain="math",
            n=4,
            c=c,
            outcomes={"correct": c, "wrong": 4 - c},
            prompt_tokens=1,
            response_tokens=4,
        )
        for problem, c in zip(ids(asked), solved_of_4, strict=True)
    ]


@pytest.fixture
def train_file(tmp_path: Path) -> Path:
    return materialise(data_spec(screened()), tmp_path / "data").train


def test_only_problems_solved_sometimes_are_kept_in_training_order(train_file: Path, tmp_path: Path) -> None:
    solved, out = [0, 1, 2, 3, 4] * 4, tmp_path / "train.parquet"
    screen(screened("training.train_batch_size=8", "training.ppo_mini_batch_size=8"), train_file, out, solved)
    first_20 = ids(train_file)[:20]
    assert ids(out) == [problem for problem, c in zip(first_20, solved, strict=True) if 0 < c < 4]


def test_too_few_sometimes_solved_problems_end_the_run_with_the_keys_to_change(
    train_file: Path, tmp_path: Path
) -> None:
    with pytest.raises(RunFailedError, match=r"only 1 of 20 .*data\.screen\.max_problems"):
        screen(screened(), train_file, tmp_path / "train.parquet", [0] * 19 + [2])
    assert not (tmp_path / "train.parquet").exists()


def test_screening_is_part_of_the_identity_only_when_it_is_on() -> None:
    data = spec().data
    changed = replace(spec(), data=replace(data, screen=replace(data.screen, max_problems=7)))
    assert changed.run_id == spec().run_id
    assert screened().run_id != spec("data_scale=n64").run_id


@pytest.mark.parametrize("wrong", ["n_samples=1", "min_pass_rate=1.0", "max_problems=3"])
def test_a_screen_that_keeps_nothing_is_refused_in_the_plan(wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"data\.screen"):
        check(screened(f"data.screen.{wrong}"), family="tiny")


def test_the_real_smoke_run_is_screened() -> None:
    assert spec("model_family=smollm2").data.screen.n_samples > 1
