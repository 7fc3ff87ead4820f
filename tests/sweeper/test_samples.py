"""The samples of a run, read back from every file that keeps some."""

import json
from pathlib import Path

import pytest

from rewards import Outcome
from sweeper.evaluation import scoring
from sweeper.evaluation.problems import Problem
from sweeper.evaluation.scoring import Answered
from sweeper.host.errors import DamagedError, ResultsError, RunFailedError
from sweeper.rows.counts import samples_path
from sweeper.rows.row import row_path
from sweeper.rows.sample import TRUNCATED, Origin, Sample, Wanted
from sweeper.runs.folder import RunDir, find_run
from sweeper.runs.samples import kept_samples, origins
from sweeper.spec.run_id import RunId
from tests.sweeper.kept_run import HOSTILE, kept_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    return kept_run(tmp_path_factory.mktemp("results"))


def of_first_problem(run: RunDir) -> list[Sample]:
    samples = list(kept_samples(run))
    return [sample for sample in samples if sample.problem_id == samples[0].problem_id]


def test_an_evaluation_keeps_the_first_samples_and_one_of_each_verdict_with_all_that_is_known(run: RunDir) -> None:
    cut, hostile, wrong = of_first_problem(run)
    assert [sample.verdict for sample in (cut, hostile, wrong)] == [TRUNCATED, Outcome.NO_ANSWER, Outcome.WRONG]
    assert [sample.place for sample in (cut, hostile, wrong)] == [0, 1, 2]
    assert (cut.finish, hostile.finish) == ("length", "stop")
    assert cut.why == "cut off at the limit of 20 tokens"
    assert hostile.why == "nothing in the required format was found"
    assert wrong.why is None
    assert hostile.response == HOSTILE
    assert wrong.parsed
    assert (wrong.score, wrong.n, wrong.c, wrong.tokens) == (0.0, 4, 0, len(wrong.response))
    assert wrong.prompt
    assert wrong.gold
    assert (wrong.domain, wrong.origin, wrong.step) == ("logic", Origin.evaluation, None)


def test_what_was_not_kept_is_said_with_counts(run: RunDir) -> None:
    assert str(kept_samples(run).coverage()) == "18 of 24 samples are kept, of 6 problems"
    assert str(kept_samples(run, step=10).coverage()) == "4 of 4 samples are kept, of 4 problems"


def test_a_validation_is_joined_by_right_answer_and_wording_and_not_by_its_order(run: RunDir) -> None:
    evaluated = {sample.problem_id: sample for sample in kept_samples(run)}
    validated = list(kept_samples(run, step=10))
    assert len(validated) == 4
    for sample in validated:
        same = evaluated[sample.problem_id]  # the validation's problems are some of the evaluation's
        assert (sample.prompt, sample.gold, sample.data_source) == (same.prompt, same.gold, same.data_source)
        assert (sample.verdict, sample.score, sample.step) == (Outcome.CORRECT, 1.0, 10)
    assert {sample.verdict for sample in kept_samples(run, step=0)} == {Outcome.NO_ANSWER}


def test_a_validation_of_two_problems_that_cannot_be_told_apart_names_neither(tmp_path: Path) -> None:
    run = kept_run(tmp_path)
    path = run.path / "val" / "10.jsonl"
    first = json.loads(path.read_text().splitlines()[0])
    path.write_text(json.dumps(first | {"gts": "another"}) + "\n")
    (sample,) = kept_samples(run, step=10)
    assert (sample.problem_id, sample.gold, sample.prompt) == (None, "another", first["input"])
    assert "1 of them of problems that are not in the run's data here" not in str(kept_samples(run, step=10).coverage())


def test_the_base_models_samples_are_found_by_model_data_and_sampling(run: RunDir) -> None:
    base = list(kept_samples(run, Origin.base))
    assert {sample.c for sample in base} == {0, 4}
    assert origins(run) == [
        (Origin.base, None),
        (Origin.validation, 0),
        (Origin.validation, 10),
        (Origin.evaluation, None),
    ]


def test_a_run_that_has_no_such_samples_says_which_it_has(run: RunDir, tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="no samples of step 7 here; there are validations of steps 0, 10"):
        kept_samples(run, step=7)
    with pytest.raises(ResultsError, match="no samples of its evaluation here; it has validated nothing yet"):
        kept_samples(RunDir(results_dir=tmp_path, run_id=run.run_id))


def test_a_running_run_shows_its_last_validation_without_the_line_that_is_being_written(tmp_path: Path) -> None:
    run = kept_run(tmp_path)
    row_path(tmp_path, run.run_id).unlink()
    (run.path / "counts.jsonl").unlink()
    data = next((tmp_path / "data").iterdir())
    run.overrides_path.write_text(f"data.val_files=/moved/since/data/{data.name}/val.parquet\n")
    with (run.path / "val" / "10.jsonl").open("a") as file:
        file.write('{"input": "wh')
    samples = list(kept_samples(run))
    assert [sample.step for sample in samples] == [10] * 4
    assert all(sample.problem_id for sample in samples)


def test_samples_of_an_earlier_version_have_the_verdicts_that_follow_and_no_other(tmp_path: Path) -> None:
    run = kept_run(tmp_path)
    path = samples_path(run.path / "counts.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({k: v for k, v in line.items() if k != "verdicts"}) + "\n" for line in lines))
    samples = list(kept_samples(run))
    assert {sample.verdict for sample in samples} == {Outcome.CORRECT, None}
    assert [sample.verdict for sample in samples if sample.response == lines[1]["correct"]] == ["correct"] * 2
    lines[2]["correct"] = "the third answer"
    path.write_text("".join(json.dumps({k: v for k, v in line.items() if k != "verdicts"}) + "\n" for line in lines))
    (third,) = Wanted(text="the third answer").among(kept_samples(run))
    assert (third.verdict, third.place) == ("correct", None)
    assert "10 of them without a verdict, by an earlier version" in str(kept_samples(run).coverage())


def test_the_nearest_runs_are_named_where_none_fits(run: RunDir) -> None:
    other = RunDir(results_dir=run.results_dir, run_id=RunId("qwen2.5-0.5b_grpo_math_n64_s0-0123456789ab"))
    other.path.mkdir()
    with pytest.raises(RunFailedError, match=r"the nearest:\n  qwen2\.5-0\.5b_grpo") as error:
        find_run(run.results_dir, "qwen2-0.5")
    assert run.run_id in str(error.value)
    assert "; did you mean qwen2.5-0.5b_grpo_math_n64_s0?" in str(error.value)  # the first of them, by the same measure
    with pytest.raises(RunFailedError, match=r"; did you mean ladder\? the nearest"):
        find_run(run.results_dir, "laddr", ["ladder", "kl"])
    with pytest.raises(RunFailedError, match="; the nearest"):
        find_run(run.results_dir, "//////")
    other.path.rmdir()


def test_a_file_of_something_else_is_damaged_and_named(tmp_path: Path) -> None:
    run = kept_run(tmp_path)
    samples_path(run.path / "counts.jsonl").write_text('{"problem_id": "a"}\n')
    with pytest.raises(DamagedError, match=r"counts\.samples\.jsonl is damaged: line 1: 'correct' is missing"):
        list(kept_samples(run))


def test_without_its_data_a_run_still_shows_what_it_answered(tmp_path: Path) -> None:
    run = kept_run(tmp_path)
    (tmp_path / "data").rename(tmp_path / "moved")
    samples = list(kept_samples(run))
    assert {(sample.prompt, sample.gold) for sample in samples} == {(None, None)}
    assert {sample.domain for sample in samples} == {"math", "logic"}
    assert "18 of them of problems that are not in the run's data here" in str(kept_samples(run).coverage())


@pytest.mark.parametrize(
    ("wanted", "n"),
    [
        (Wanted(), 18),
        (Wanted(verdict="truncated"), 6),
        (Wanted(source="math"), 9),
        (Wanted(source="logic__"), 9),
        (Wanted(text="ALERT(1)"), 1),
        (Wanted(text="no such words"), 0),
        (Wanted(verdict="wrong", source="math"), 0),
    ],
)
def test_samples_are_chosen_by_verdict_source_and_words(run: RunDir, wanted: Wanted, n: int) -> None:
    assert len(list(wanted.among(kept_samples(run)))) == n


def test_a_problem_is_found_by_the_beginning_or_the_end_of_its_name(run: RunDir) -> None:
    name = str(of_first_problem(run)[0].problem_id)
    for part in (name, name[:10], name[-8:]):
        assert {sample.problem_id for sample in Wanted(problem=part).among(kept_samples(run))} == {name}


def test_a_long_answer_is_kept_without_its_middle_and_says_how_much_that_was() -> None:
    row = {
        "data_source": "math__synthetic",
        "extra_info": {"domain": "math"},
        "reward_model": {"ground_truth": "1"},
    }
    long = "a" * 9_000 + "\\boxed{1}"
    asked = Problem(problem_id="p", row=row, prompt_ids=[1])
    (found,) = scoring.scored([Answered(problem=asked, texts=[long], finished=[True], tokens=[9_009])], [])
    (text,), (said,) = found.kept.completions, found.kept.verdicts
    assert (len(text), said["left_out"], found.kept.correct) == (scoring.KEPT_CHARACTERS, 1_009, long)
    assert text.endswith("\\boxed{1}")
    assert found.count.response_tokens == 9_009
