"""Reward functions of the user's own: what is read of their file, how they score, and how they fail."""

import asyncio
import logging
from pathlib import Path

import pytest

import rewards
from rewards import (
    BadRewardFile,
    Domain,
    OwnRewardError,
    ScoreItem,
    UnknownDataSource,
    check_gold,
    check_source,
    compute_score,
    compute_score_async,
    domain_of,
    score_batch,
)
from rewards.own.covering import covering
from rewards.own.own_scorer import OwnScorer, examine
from rewards.own.reward_file import RewardFile
from rewards.sandbox.execution import Limits
from rewards.sandbox.worker import pool_size

SIGNATURE = "def score(data_source, solution_str, ground_truth, extra_info):\n"


def written(folder: Path, body: str, before: str = "") -> str:
    """The reference of a function with this body."""
    path = folder / "my_rewards.py"
    path.write_text(before + SIGNATURE + "".join(f"    {line}\n" for line in body.splitlines()))
    return f"{path}:score"


@pytest.fixture
def exact(tmp_path: Path) -> str:
    return written(tmp_path, "return 1.0 if solution_str == ground_truth else 0.25")


@pytest.mark.parametrize(
    ("body", "score", "acc", "outcome", "pred"),
    [
        ("return 1", 1.0, 1.0, "correct", ""),
        ("return True", 1.0, 1.0, "correct", ""),
        ("return 0.9", 0.9, 0.0, "wrong", ""),
        ("return -2.5", -2.5, 0.0, "wrong", ""),
        ("import numpy\nreturn numpy.float32(0.5)", 0.5, 0.0, "wrong", ""),
        ("import numpy\nreturn numpy.array([1.0])", 1.0, 1.0, "correct", ""),
        ("import torch\nreturn torch.tensor(0.5)", 0.5, 0.0, "wrong", ""),
        ("import fractions\nreturn fractions.Fraction(1, 2)", 0.5, 0.0, "wrong", ""),
        ("import decimal\nreturn decimal.Decimal('0.5')", 0.5, 0.0, "wrong", ""),
        ("return {'score': 0.5, 'acc': True, 'pred': 7, 'more': []}", 0.5, 1.0, "correct", "7"),
        ("return {'score': 3.0, 'acc': 0}", 3.0, 0.0, "wrong", ""),
        ("return {'score': 1.0}", 1.0, 1.0, "correct", ""),
        ("return extra_info['level'] + extra_info['deep']", 5.0, 1.0, "correct", ""),
        ("return float('num_turns' in extra_info or 'rest' in extra_info)", 0.0, 0.0, "wrong", ""),
        ("return float(ground_truth == '[1, 2]')", 1.0, 1.0, "correct", ""),
        ("import rewards\nreturn rewards.compute_score('math__x', solution_str, '2')", 1.0, 1.0, "correct", "2"),
    ],
)  # fmt: skip
def test_what_a_function_returns_is_the_reward_and_says_whether_the_answer_is_right(
    body: str, score: float, acc: float, outcome: str, pred: str, tmp_path: Path
) -> None:
    extra = {"level": 2, "rest": '{"deep": 3, "level": 9}', "num_turns": 4}
    found = compute_score("poetry", "\\boxed{2}", [1, 2], extra, own=[written(tmp_path, body)])
    assert found == {"score": score, "acc": acc, "outcome": outcome, "pred": pred, "judge_error": 0.0, "late": ""}


@pytest.mark.parametrize(
    ("body", "outcome", "words"),
    [
        ("raise ValueError('no\\n good')", "error", "ValueError: no good (line 2)"),
        ("return float('nan')", "error", "ValueError: the score is nan, not a finite number"),
        ("return float('inf')", "error", "ValueError: the score is inf, not a finite number"),
        ("return None", "error", "TypeError: the score is 'None' of type NoneType, not a number"),
        ("return 'right'", "error", "TypeError: the score is 'right' of type str, not a number"),
        ("return (1.0, 'why')", "error", "of type tuple, not a number"),
        ("import numpy\nreturn numpy.array([1.0, 2.0])", "error", "of type ndarray, not a number"),
        ("return {'reward': 1}", "error", "TypeError: returned a dictionary without 'score', with ['reward']"),
        ("return {'score': 1, 'acc': 0.5}", "error", "ValueError: acc is 0.5, not 0 or 1"),
        ("exit(3)", "error", "SystemExit: 3 (line 2)"),
        ("return len(bytearray(2 << 30))", "error", "MemoryError"),
        ("import os\nos._exit(3)", "error", "its process died"),
        ("while True: pass", "timeout", "TimeoutError: no result within 1 s"),
    ],
)
def test_a_function_that_fails_costs_its_answer_the_score_and_is_counted_with_its_class(
    body: str,
    outcome: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("rewards.own.own_scorer.LIMITS", Limits(wall_s=1.0))
    with caplog.at_level(logging.WARNING):
        found = compute_score("poetry", "x", "y", own=[written(tmp_path, body)])
    assert (found["score"], found["acc"], found["outcome"]) == (0.0, 0.0, outcome)
    assert words in str(found["pred"])
    assert "my_rewards.py:score failed for 1 of 1 answers" in caplog.text
    assert words.split(" (")[0] in caplog.text


def test_a_failure_now_and_then_is_told_at_the_first_and_the_tenth_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = [written(tmp_path, "return 1 / (int(solution_str) % 4)")]
    with caplog.at_level(logging.WARNING):
        scores = score_batch(
            [ScoreItem(data_source="x", solution_str=str(n), ground_truth="") for n in range(1, 61)], own=own
        )
    assert sum(score["outcome"] == "error" for score in scores) == 15
    told = [record.getMessage().partition(" failed for ")[2] for record in caplog.records]
    assert [text.split(" of ")[0] for text in told] == ["1", "10"]
    assert all("ZeroDivisionError: division by zero (line 2)" in text for text in told)


def test_a_function_that_fails_for_most_answers_ends_the_run_after_ten(tmp_path: Path) -> None:
    own = [written(tmp_path, "return undefined")]
    for number in range(9):
        assert compute_score("x", str(number), "", own=own)["outcome"] == "error"
    with pytest.raises(OwnRewardError, match=r"failed for 10 of the last 10 answers; the last: NameError: .*undefined"):
        compute_score("x", "9", "", own=own)


@pytest.mark.parametrize("before", ["", "import os\nos.fork()\n"])
def test_a_process_that_a_function_forks_and_lets_run_on_answers_nothing(tmp_path: Path, before: str) -> None:
    own = [written(tmp_path, "import os\nos.fork()\nreturn float(solution_str)", before)]
    scores = [compute_score("x", str(number), "", own=own)["score"] for number in range(12)]
    assert scores == [float(number) for number in range(12)]


def test_a_process_that_a_function_forks_keeps_its_files_when_it_forks_again_or_runs_on(tmp_path: Path) -> None:
    told = tmp_path / "told"
    body = f"""
import os
first = os.fork()
if first:
    os.waitpid(first, 0)
    return 1.0
files = [open(f"{tmp_path}/{{number}}", "w") for number in range(32)]
second = os.fork()
if second:
    os.waitpid(second, 0)
    return 0.0
links = " ".join(str(os.fstat(one.fileno()).st_nlink) for one in files)
with open("{told}", "w") as file:
    file.write(links)
os._exit(0)
"""
    assert compute_score("x", "", "", own=[written(tmp_path, body.strip())])["score"] == 1.0
    assert told.read_text() == " ".join(["1"] * 32)
    assert {path.stat().st_size for path in tmp_path.iterdir() if path.name.isdigit()} == {0}


def test_one_call_a_batch_and_an_awaited_call_score_alike(exact: str) -> None:
    items = [ScoreItem(data_source="poetry", solution_str=text, ground_truth="a") for text in ("a", "b", "a")]
    single = [compute_score(i.data_source, i.solution_str, i.ground_truth, own=[exact]) for i in items]

    async def awaited() -> list[dict[str, float | str]]:
        return [await compute_score_async(i.data_source, i.solution_str, i.ground_truth, own=[exact]) for i in items]

    assert score_batch(items, own=[exact]) == single == asyncio.run(awaited())
    assert [score["score"] for score in single] == [1.0, 0.25, 1.0]


def test_a_coroutine_is_awaited_and_two_functions_do_not_share_what_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "both.py"
    path.write_text(f"async {SIGNATURE}    return 1.0\n" + SIGNATURE.replace("score", "other") + "    return 0.5\n")
    assert [compute_score("x", "a", "b", own=[f"{path}:{name}"])["score"] for name in ("score", "other")] == [1.0, 0.5]


def test_the_function_of_the_longest_beginning_scores_and_every_other_source_is_ours() -> None:
    own = ("mycorp__x=a.py:f", "mycorp/Other=b.py:f", "mycorp__x_hard=c.py:f")
    found = {
        name: covering(name, own)
        for name in ("mycorp__x", "MyCorp__x", "mycorp__x2", "mycorp__xy", "other", "mycorp__x_hard_2", "math__math")
    }
    assert list(found.values()) == ["a.py:f", "a.py:f", "a.py:f", None, "b.py:f", "c.py:f", None]
    assert covering("math__math", (*own, "d.py:f")) == covering("math__math", (*own, "*=d.py:f")) == "d.py:f"


def test_an_own_function_goes_before_our_scorer_of_a_source(exact: str) -> None:
    assert compute_score("math__math", "17", "17", own=[f"math__math={exact}"])["score"] == 1.0
    assert compute_score("math__other", "17", "17", own=[f"math__math={exact}"])["outcome"] == "no_answer"


def test_a_source_that_nobody_knows_is_of_the_domain_own_once_a_function_covers_it(exact: str) -> None:
    for check in (domain_of, check_source):
        with pytest.raises(UnknownDataSource, match=r"'poetry' is unknown.*reward\.path"):
            check("poetry", [f"prose={exact}"])
    check_source("poetry", [exact])
    check_gold("poetry", ["any", "gold"], own=[exact])
    assert domain_of("poetry", [exact]) is Domain.OWN
    assert domain_of("math__mine", [exact]) is Domain.MATH


def test_a_file_is_known_by_its_bytes_and_those_that_it_imports_from_its_folder(tmp_path: Path) -> None:
    before = "VERSION: str = '1.2'\nimport json, helper\nfrom parts.one import two\n"
    written(tmp_path, "from late import x\nreturn 1", before=before)
    (tmp_path / "helper.py").write_text("import deeper\n")
    (tmp_path / "parts").mkdir()
    for name in ("deeper.py", "late.py", "parts/__init__.py", "parts/one.py", "stranger.py"):
        (tmp_path / name).write_text("x = two = 1\n")
    file = RewardFile.read(tmp_path / "my_rewards.py")
    names = file.names
    assert names == ["deeper.py", "helper.py", "late.py", "my_rewards.py", "parts/__init__.py", "parts/one.py"]
    assert file.version == "1.2"
    assert examine(f"{tmp_path}/my_rewards.py:score") == file
    for name in names:
        before_edit = (tmp_path / name).read_text()
        (tmp_path / name).write_text(before_edit + "# edited\n")
        assert RewardFile.read(tmp_path / "my_rewards.py").digest != file.digest
        (tmp_path / name).write_text(before_edit)
    (tmp_path / "stranger.py").write_text("x = 2\n")
    assert RewardFile.read(tmp_path / "my_rewards.py").digest == file.digest
    file.write(tmp_path / "elsewhere")
    assert RewardFile.read(tmp_path / "elsewhere" / "my_rewards.py") == file


def test_our_own_package_beside_the_file_is_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "rewards").symlink_to(Path(rewards.__file__).parent)
    written(
        tmp_path, "return compute_score(data_source, solution_str, '1')", before="from rewards import compute_score\n"
    )
    assert RewardFile.read(tmp_path / "my_rewards.py").names == ["my_rewards.py"]
    assert compute_score("math__math", "\\boxed{1}", "2", own=[f"{tmp_path}/my_rewards.py:score"])["score"] == 1.0


def test_a_file_that_is_not_there_is_answered_with_the_one_that_nearly_has_its_name(tmp_path: Path) -> None:
    (tmp_path / "my_rewards.py").touch()
    with pytest.raises(BadRewardFile, match=r"No such file or directory; did you mean .*/my_rewards\.py\?"):
        RewardFile.read(tmp_path / "my_reward.py")


@pytest.mark.parametrize(
    ("text", "function", "words"),
    [
        (None, "score", "No such file or directory"),
        ("def score(:\n", "score", r"my_rewards.py line 1: not Python: "),
        ("VERSION = str(1)\n", "score", r'line 1: VERSION must be written out, as in VERSION = "1"'),
        ("def other(): pass\n", "score", "no function score; there are: other"),
        ("score = 1\n", "score", "no function score; there are: none"),
        ("def score(answer, gold): pass\n", "score", r"score\(answer, gold\) must take data_source, solution_str, "),
        ("import no_such_package\n", "score", r"ModuleNotFoundError: No module named 'no_such_package' \(line 1\)"),
        ("1 / 0\n", "score", "ZeroDivisionError: division by zero"),
        ("exit(0)\n", "score", "SystemExit"),
        ("import os\nos._exit(0)\n", "score", "its code ended the process that loads it"),
        ("while True: pass\n", "score", "its code did not come to its end within 1 s of loading"),
        (
            "open(__file__[:-3])\n",
            "score",
            r"No such file or directory: 'my_rewards' \(line 1\); a run loads a copy of it",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line_that_names_the_file(
    text: str | None, function: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text == "while True: pass\n":
        for module in ("rewards.sandbox.worker", "rewards.own.own_scorer"):
            monkeypatch.setattr(f"{module}.START_LIMIT_S", 1.0)
    path = tmp_path / "my_rewards.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BadRewardFile, match=words) as caught:
        examine(f"{path}:{function}")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("reference", ["", "my_rewards.py", "score", "my_rewards:score", "a.py:", "a.py:b.c"])
def test_what_names_no_function_is_refused_with_the_form(reference: str) -> None:
    with pytest.raises(BadRewardFile, match=r"write FILE\.py:FUNCTION"):
        examine(reference)


def test_a_function_that_no_longer_loads_ends_the_run_at_its_first_answer(tmp_path: Path) -> None:
    with pytest.raises(OwnRewardError, match="does not load: FileNotFoundError"):
        compute_score("x", "a", "b", own=[f"{tmp_path}/gone.py:score"])


def test_helpers_of_a_function_are_the_pools_and_end_with_it(exact: str) -> None:
    scorer = OwnScorer(exact)
    assert scorer.pool.size == pool_size()
    with scorer.pool.borrow() as worker:
        pid = worker.pid
    scorer.pool.close()
    assert not Path(f"/proc/{pid}").exists()
