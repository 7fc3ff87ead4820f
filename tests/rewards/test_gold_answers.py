"""Every gold answer scores 1.0 and a wrong one 0.0, for every source: generated tasks and rows in Guru's encodings."""

import itertools
import json

import pytest

from data_prep.synthetic.tasks import DOMAINS, Split, problems
from rewards import Domain, Outcome, ScoreItem, check_gold, compute_score, score_batch

_HUMANEVAL = json.dumps(
    {
        "functional": "\n\nMETADATA = {'author': 'us', 'dataset': 'test'}\n\n\ndef check(candidate):\n"
        "    assert candidate([3, 1, 2]) == [1, 2, 3]\n    assert candidate([]) == []\n    assert True\n\n\n"
        "check(sort_it)"
    }
)
_MBPP = json.dumps({"functional": "assert is_even(4) == True\nassert not is_even(3)\nassert abs(half(3) - 1.5) < 1e-6"})
_SORT = "Here:\n```python\ndef sort_it(xs):\n    return sorted(xs)\n```\nDone."
_WRONG_SORT = "```python\ndef sort_it(xs):\n    return xs\n```"
_EVEN = "```python\ndef is_even(n):\n    return n % 2 == 0\ndef half(n):\n    return n / 2\n```"

_ZEBRA = {"header": ["Position", "Job"], "rows": [["1", "cook"], ["2", "vet"]]}
_CRUX = json.dumps({"functional": "def f(x):\n    return x * 2"})

# (data_source, a right response, a wrong response, ground truth)
GURU_ROWS: list[tuple[str, str, str, object]] = [
    ("math__deepscaler_preview", r"so \boxed{-\frac{1}{4}}", r"so \boxed{\frac{1}{4}}", r"-\frac{1}{4}"),
    ("math__merged_deduped_dapo_or1_dataset", r"\boxed{\frac{5}{4}}", r"\boxed{\frac{4}{5}}", r"\\frac{5}{4}"),
    ("math__math", r"\boxed{(3, \frac{\pi}{2})}", r"\boxed{(3, \pi)}", r"\left( 3, \frac{\pi}{2} \right)"),
    ("openai/gsm8k", r"\boxed{18}", r"\boxed{81}", "18"),
    ("aime2024", r"\boxed{204}", r"\boxed{205}", "204"),
    ("aimeamc2023", r"\boxed{27}", r"\boxed{-27}", "27"),
    ("stem__supergpqa", r"\boxed{I}", r"\boxed{J}", "I"),
    ("stem__gpqa_diamond", r"\boxed{\text{B}}", "B", "B"),
    ("logic__ordering_puzzle_dataset", "<answer>Red, blue</answer>", "<answer>blue, red</answer>", ["red", "blue"]),
    (
        "logic__zebra_puzzle_dataset",
        f"<answer>{json.dumps(_ZEBRA, indent=1)}</answer>",
        '<answer>{"rows": "xy"}</answer>',
        _ZEBRA,
    ),
    ("logic__graph_logical_dataset", "<answer>\nfdebme\n</answer>", "<answer>fdebm</answer>", "fdebme"),
    ("logic__arcagi2", "<answer>[[1, 0]]</answer>", "<answer>[[0, 1]]</answer>", [[1, 0]]),
    ("simulation__barc", "<answer>[[1, 0]]</answer>", "<answer>[[1.9, 0]]</answer>", [[1, 0]]),
    ("simulation__codeio", '```json\n{"output": [1]}\n```', '```json\n{"output": 1}\n```', '"output": [1]'),
    ("simulation__cruxeval-o", "```python\nassert f(2) == 4\n```", "```python\nassert f(2) == 5\n```", _CRUX),
    ("simulation__cruxeval-i", "```python\nassert f(2) == 4\n```", "```python\nassert f(2) == 5\n```", _CRUX),
    ("table__hitab", r"\boxed{b | 2,019}", r"\boxed{b | 2020}", "2019|b"),
    ("stem__web", r"\boxed{5\,\text{cm}}", r"\boxed{5\,\text{m}}", "0.05 m"),
    ("stem__gpqa_diamond_no_box", "Answer: A\nAnswer: (B)", "Answer: B\nAnswer: A", "B"),
    ("codegen__humaneval", _SORT, _WRONG_SORT, _HUMANEVAL),
    ("codegen__mbpp", _EVEN, _EVEN.replace("== 0", "== 1"), _MBPP),
]


@pytest.mark.parametrize("domain", DOMAINS)
def test_reference_solutions_are_correct_and_mistakes_are_wrong(domain: Domain) -> None:
    sample = list(itertools.islice(problems(domain, Split.TRAIN, seed=7), 120))
    right = [ScoreItem(data_source=p.data_source, solution_str=p.solution, ground_truth=p.ground_truth) for p in sample]
    wrong = [
        ScoreItem(data_source=p.data_source, solution_str=mistake, ground_truth=p.ground_truth)
        for p in sample
        for mistake in p.mistakes
    ]
    assert {score["outcome"] for score in score_batch(right)} == {Outcome.CORRECT}
    assert {score["outcome"] for score in score_batch(wrong)} == {Outcome.WRONG}


@pytest.mark.parametrize(("source", "right", "wrong", "gold"), GURU_ROWS)
def test_guru_encodings_score_one_for_gold_and_zero_for_wrong(
    source: str, right: str, wrong: str, gold: object
) -> None:
    check_gold(source, gold)
    assert compute_score(source, right, gold)["score"] == 1.0
    assert compute_score(source, wrong, gold)["score"] == 0.0


@pytest.mark.parametrize(("source", "right", "wrong", "gold"), GURU_ROWS)
def test_all_sources_return_the_same_keys_and_types(source: str, right: str, wrong: str, gold: object) -> None:
    for response in (right, wrong, "", "nothing to see"):
        scored = compute_score(source, response, gold, {"num_turns": 2}, reward_router_address=None)
        assert {key: type(value) for key, value in scored.items()} == {
            "score": float,
            "acc": float,
            "outcome": str,
            "pred": str,
            "judge_error": float,
            "late": str,
        }


@pytest.mark.parametrize(("source", "right", "wrong", "gold"), GURU_ROWS)
def test_no_answer_is_never_right(source: str, right: str, wrong: str, gold: object) -> None:
    for response in ("", "I do not know.", "\\boxed{}", "<answer></answer>", "```python\n```"):
        assert compute_score(source, response, gold)["score"] == 0.0
