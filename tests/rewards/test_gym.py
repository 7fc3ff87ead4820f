"""Answers to problems of reasoning-gym: scored by the package, isolated, whatever a model writes."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from rewards import check_gold, compute_score
from rewards.gym import package, scorer, task
from rewards.gym.answer_form import EXECUTING, has_its_numbers, is_of_its_form
from rewards.gym.package import LEFT_OUT, RELEASE, GymMissing
from rewards.gym.scorer import GymProblem, _executed, _pool, _run
from rewards.problem.question import BadGroundTruth, question_of
from rewards.route.scorers import scorer_of
from rewards.sandbox.execution import memory_file


def row(name: str, level: int | None = 1, number: int = 0) -> tuple[str, str, dict[str, Any]]:
    """Source, gold and extra_info of a problem, as `data_prep reasoning-gym` writes them."""
    from data_prep.sources.reasoning_gym import make

    made = make([name], n=number + 1, split="test", seed=0, levels=[] if level is None else [level]).rows[number]
    return made.data_source, made.ground_truth, {"rest": made.rest}


def outcome(answer: str, of: tuple[str, str, dict[str, Any]]) -> str:
    source, gold, extra = of
    score = compute_score(source, f"Let me see. <answer>{answer}</answer>", gold, extra)
    assert score["acc"] == score["score"] == float(score["outcome"] == "correct")
    return str(score["outcome"])


@pytest.mark.parametrize("name", ["basic_arithmetic", "countdown", "n_queens", "word_ladder", "codeio", "knight_swap"])
def test_the_gold_is_right_and_nothing_and_nonsense_are_not(name: str) -> None:
    problem = row(name, None if name == "knight_swap" else 1)
    assert outcome(problem[1], problem) == "correct"
    assert outcome("", problem) == "no_answer"
    assert outcome("nonsense", problem) == "wrong"


@pytest.mark.parametrize("name", ["number_sorting", "pool_matrix"])
def test_numbers_near_the_golds_are_wrong_though_the_package_takes_them(name: str) -> None:
    source, gold, extra = row(name)
    first = next(one for one in re.findall(r"\d+(?:\.\d+)?", gold) if float(one))
    assert has_its_numbers(name, gold, gold)
    assert not has_its_numbers(name, gold.replace(first, str(float(first) + 1), 1), gold)
    assert not has_its_numbers(name, gold + " 1", gold)
    assert outcome(gold.replace(first, str(float(first) + 0.01), 1), (source, gold, extra)) == "wrong"
    assert has_its_numbers("basic_arithmetic", "1", "2")


def test_an_answer_outside_of_its_tags_is_none() -> None:
    source, gold, extra = row("basic_arithmetic")
    assert compute_score(source, gold, gold, extra)["outcome"] == "no_answer"
    assert compute_score(source, f"<answer>{gold}", gold, extra)["outcome"] == "no_answer"


def test_partial_credit_of_the_package_is_no_right_answer() -> None:
    problem = row("basic_arithmetic")
    assert outcome(f"it is {problem[1]}", problem) == "wrong"


def test_a_scorer_that_raises_is_an_error_with_its_words() -> None:
    source, gold, extra = row("prime_factorization")
    score = compute_score(source, "<answer>seven</answer>", gold, extra)
    assert (score["outcome"], score["score"]) == ("error", 0.0)
    assert "ValueError: invalid literal" in str(score["pred"])


def _all(text: str, about: dict[str, Any]) -> str:
    return f"[{', '.join([text] * len(about['original_numbers']))}]"


def _unseen(one: str, none: str, about: dict[str, Any]) -> str:
    """The target made of texts that are no numbers to the scorer, and the given numbers times nothing."""
    return f"{one} + {none}*({' + '.join(map(str, about['numbers']))})"


@pytest.mark.parametrize(
    ("name", "forged"),
    [
        ("complex_arithmetic", lambda _: "nan"),
        ("complex_arithmetic", lambda _: "n a n"),
        ("number_sorting", lambda about: _all("NaN", about)),
        ("number_sorting", lambda about: _all(r'"\u006ean"', about)),
        ("countdown", lambda about: _unseen(f"{about['target']}e0", "0e0", about)),
        ("countdown", lambda about: _unseen("+".join(["x/x"] * about["target"]), "(x - x)", about)),
        ("simple_integration", lambda about: f"Integral({about['integrand']}, {about['variable']})"),
        ("intermediate_integration", lambda about: f"Integral({about['integrand']}, {about['variable']})"),
    ],
)
def test_text_that_a_scorer_takes_for_right_whatever_was_asked_is_wrong(
    name: str, forged: Callable[[dict[str, Any]], str]
) -> None:
    data = task.dataset(name, 1, seed=0)
    problem = data[0]
    answer = forged(problem["metadata"])
    assert data.score_answer(answer, problem) == 1.0
    assert not is_of_its_form(name, answer)
    assert is_of_its_form(name, problem["answer"])


PAYLOADS = (
    "[open('{file}','w').close()]",
    "(lambda: open('{file}','w').close())()",
    "__import__('pathlib').Path('{file}').touch()",
    "[x for x in [print] if __import__('os').mkdir('{file}')]",
)


@pytest.mark.parametrize("name", sorted(EXECUTING - set(LEFT_OUT)))
def test_text_that_a_scorer_would_execute_never_reaches_it(name: str, tmp_path: Path) -> None:
    problem = row(name)
    for payload in PAYLOADS:
        assert outcome(payload.format(file=tmp_path / "written"), problem) == "wrong"
    assert list(tmp_path.iterdir()) == []
    assert outcome(problem[1], problem) == "correct"


@pytest.mark.parametrize("name", ["string_insertion", "countdown"])
def test_where_it_does_it_writes_no_file_opens_no_socket_and_starts_no_process(name: str, tmp_path: Path) -> None:
    """Past our own reading of the answer: what the sandbox holds by itself."""
    _, _, extra = row(name)
    about = json.loads(extra["rest"])
    for payload in (*PAYLOADS, "__import__('os').fork()", "__import__('socket').socket()"):
        request = {"task": name, "level": 1, "problem": about["gym_problem"]}
        ended = _run([json.dumps(request | {"answer": payload.format(file=tmp_path / "written")}).encode()])
        assert ended is not None
        assert json.loads(ended.output)["score"] < 1.0
    assert list(tmp_path.iterdir()) == []


def test_an_answer_that_would_write_its_own_verdict_is_wrong() -> None:
    """It would get it where the scorer is let execute it: the process that reports is the one that executes."""
    problem = row("string_insertion")
    about = json.loads(problem[2]["rest"])
    forged = []
    for descriptor in range(3, 12):
        write = f"__import__('os').write({descriptor}, b'{{\"score\": 1.0}}')"
        answer = f"[{write}, __import__('os')._exit(0)]"
        request = {"task": "string_insertion", "level": 1, "problem": about["gym_problem"], "answer": answer}
        ended = _run([json.dumps(request).encode()])
        assert ended is not None
        forged.append(json.loads(ended.output).get("score") == 1.0)
        assert outcome(answer, problem) == "wrong"
    assert any(forged)


def test_a_scorer_is_as_it_was_after_an_answer_has_changed_it() -> None:
    _, _, extra = row("string_insertion")
    about = json.loads(extra["rest"])
    patch = "setattr(__import__('reasoning_gym').dataset.ProceduralDataset, 'score_answer', lambda *_: 1.0)"
    request = {"task": "string_insertion", "level": 1, "problem": about["gym_problem"], "answer": patch}
    with _pool.borrow() as worker:
        _executed(worker, [memory_file(json.dumps(request).encode())])
        again = _executed(worker, [memory_file(json.dumps(request | {"answer": "nonsense"}).encode())])
    assert json.loads(again.output) == {"score": 0.0}


def test_an_endless_computation_is_late_and_the_next_answer_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = row("countdown")
    monkeypatch.setattr(scorer, "LIMITS", replace(scorer.LIMITS, cpu_s=1))
    assert outcome("9**9**9**9", problem) == "timeout"
    assert outcome(problem[1], problem) == "correct"


@pytest.mark.parametrize(
    ("name", "answer", "reaches"),
    [
        ("countdown", "(3 + 4) * 2 - 15", True),
        ("countdown", "(3 + 4) * 2 - 1.5e3", False),  # the scorer does not see that 1.5e3 is a number
        ("simple_integration", "x**2/2 - sin(3*X)*exp(x) + log(x) + C", True),
        ("simple_integration", "2x^2 + C", False),  # juxtaposed: sympy refuses it as well
        ("intermediate_integration", "eval(x)", False),
        ("countdown", "x.y", False),
        ("countdown", "'a'", False),
        ("spiral_matrix", "[1, 2, 3]", True),
        ("spiral_matrix", "f(1)", False),
        ("basic_arithmetic", "eval(open('x'))", True),  # its scorer compares texts
    ],
)
def test_what_reaches_a_scorer(name: str, answer: str, reaches: bool) -> None:
    assert is_of_its_form(name, answer) is reaches


def test_a_row_of_another_release_and_one_without_its_problem_are_refused() -> None:
    source, gold, extra = row("basic_arithmetic")
    about = json.loads(extra["rest"])
    with pytest.raises(BadGroundTruth, match=r"made with reasoning-gym==0\.1\.24, .* make the files again"):
        check_gold(source, gold, about | {"gym_release": "reasoning-gym==0.1.24"})
    with pytest.raises(BadGroundTruth, match="data_prep reasoning-gym writes them"):
        check_gold(source, gold, {})
    with pytest.raises(BadGroundTruth, match="accepts any four numbers"):
        check_gold(source, gold, about | {"gym_task": "puzzle24"})
    check_gold(source, gold, about)


@pytest.mark.parametrize("found", [None, "0.1.24"])
def test_without_the_package_the_command_that_installs_it_is_named(
    found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if found is None:
            raise metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(metadata, "version", version)
    package.require.cache_clear()
    with pytest.raises(GymMissing, match=rf"pip install '{RELEASE}'"):
        check_gold("math__reasoning_gym__gcd", "1", {})
    monkeypatch.undo()
    package.require.cache_clear()
    package.require()


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_task_at_every_level_rewards_its_gold_and_neither_nothing_nor_nonsense(seed: int) -> None:
    from data_prep.sources.reasoning_gym import make, usable_tasks

    for name in usable_tasks():
        for made in make([name], n=2 * len(task.levels(name)), split="test", seed=seed).rows:
            problem = made.data_source, made.ground_truth, {"rest": made.rest}
            where = f"{name} {made.difficulty}"
            assert outcome(made.ground_truth, problem) == "correct", where
            assert outcome(" ", problem) == "no_answer", where
            assert outcome("nonsense", problem) in ("wrong", "error"), where
            assert outcome("-", problem) in ("wrong", "error"), where


def test_every_task_that_is_left_out_is_left_out_for_a_reason_that_holds() -> None:
    for name, why in LEFT_OUT.items():
        if name == "composite":
            continue
        data = task.dataset(name, None, seed=0)
        if "pycosat" in why:
            with pytest.raises(AttributeError, match="pycosat"):
                data[0]
            continue
        one, other = islice((entry for entry in map(data.__getitem__, count()) if entry["answer"] != "1"), 2)
        if why.startswith("states no"):
            assert not isinstance(one["answer"], str) or data.score_answer(one["answer"], one) != 1.0, name
        else:
            wrong = {"coin_flip": "0", "game_of_life_halting": "nonsense", "puzzle24": other["answer"]}[name]
            assert data.score_answer(wrong, one) == 1.0, name


def test_a_problem_knows_its_level() -> None:
    source, gold, extra = row("decimal_arithmetic", 3)
    gym = scorer_of(source)
    parsed = gym.read(question_of(gold, extra, gym.fields))
    assert isinstance(parsed, GymProblem)
    assert (parsed.task, parsed.level) == ("decimal_arithmetic", 3)
