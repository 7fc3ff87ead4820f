"""Routing by data_source, refusal before training, batches, threads, the event loop and verl's hook."""

import asyncio
import inspect
import json
import subprocess
import sys
import threading
import time

import pytest

from rewards import (
    BadGroundTruth,
    Domain,
    ScoreItem,
    UnknownDataSource,
    UnsupportedDataSource,
    check_gold,
    check_source,
    compute_score,
    compute_score_async,
    domain_of,
    gold_text,
    score_batch,
)
from rewards.route.scorers import scorer_of

_SPELLINGS = [
    ("math__merged_deduped_dapo_or1_dataset", Domain.MATH, "math"),
    ("math__deepscaler_preview", Domain.MATH, "math"),
    ("math__math", Domain.MATH, "math"),
    ("math__aime_repeated_8x", Domain.MATH, "math"),
    ("math__amc_repeated_4x", Domain.MATH, "math"),
    ("math__aime2025_repeated_8x", Domain.MATH, "math"),
    ("math__minerva", Domain.MATH, "math"),
    ("math__olympiad_bench", Domain.MATH, "math"),
    ("math__synthetic", Domain.MATH, "integer"),
    ("openai/gsm8k", Domain.MATH, "gsm8k"),
    ("gsm8k", Domain.MATH, "gsm8k"),
    ("aime2024", Domain.MATH, "math"),
    ("aime25", Domain.MATH, "math"),
    ("AIME_2024", Domain.MATH, "math"),
    ("Maxwell-Jia/AIME_2024", Domain.MATH, "math"),
    ("aimeamc2023", Domain.MATH, "math"),
    ("amc23", Domain.MATH, "math"),
    ("MATH-500", Domain.MATH, "math"),
    ("math_500", Domain.MATH, "math"),
    ("HuggingFaceH4/MATH-500", Domain.MATH, "math"),
    ("lighteval/MATH", Domain.MATH, "math"),
    ("DigitalLearningGmbH/MATH-lighteval", Domain.MATH, "math"),
    ("math_dapo", Domain.MATH, "math"),
    ("numina_olympiads", Domain.MATH, "math"),
    ("codegen__humaneval", Domain.CODE, "code"),
    ("codegen__humanevalplus", Domain.CODE, "code"),
    ("codegen__mbpp", Domain.CODE, "code"),
    ("codegen__leetcode2k", Domain.CODE, "code"),
    ("codegen__livecodebench", Domain.CODE, "code"),
    ("codegen__primeintellect", Domain.CODE, "code"),
    ("codegen__taco", Domain.CODE, "code"),
    ("codegen__synthetic", Domain.CODE, "synthetic code"),
    ("openai/openai_humaneval", Domain.CODE, "code"),
    ("logic__zebra_puzzle_dataset", Domain.LOGIC, "zebra"),
    ("zebra_puzzle_dataset", Domain.LOGIC, "zebra"),
    ("logic__ordering_puzzle_dataset", Domain.LOGIC, "ordering"),
    ("logic__ordering_puzzle_synthetic", Domain.LOGIC, "ordering"),
    ("logic__graph_logical_dataset", Domain.LOGIC, "graph"),
    ("logic__arcagi1", Domain.LOGIC, "arc"),
    ("logic__arcagi2", Domain.LOGIC, "arc"),
    ("logic__barc", Domain.LOGIC, "arc"),
    ("simulation__arcagi1", Domain.LOGIC, "arc"),
    ("simulation__arcagi2", Domain.LOGIC, "arc"),
    ("simulation__barc", Domain.LOGIC, "arc"),
    ("simulation__codeio", Domain.SIMULATION, "codeio"),
    ("simulation__cruxeval-i", Domain.SIMULATION, "cruxeval-i"),
    ("simulation__cruxeval-o", Domain.SIMULATION, "cruxeval-o"),
    ("simulation__cruxeval_o", Domain.SIMULATION, "cruxeval-o"),
    ("stem_web", Domain.STEM, "stem"),
    ("stem__web", Domain.STEM, "stem"),
    ("stem__supergpqa", Domain.STEM, "choice"),
    ("stem__gpqa", Domain.STEM, "choice"),
    ("stem__gpqa_diamond", Domain.STEM, "choice"),
    ("stem__gpqa_diamond_no_box", Domain.STEM, "stated choice"),
    ("stem__gpqa_no_box", Domain.STEM, "stated choice"),
    ("stem__synthetic", Domain.STEM, "choice"),
    ("table__hitab", Domain.TABLE, "table"),
    ("table__multihier", Domain.TABLE, "table"),
    ("table__finqa", Domain.TABLE, "table"),
]


@pytest.mark.parametrize(("source", "domain", "family"), _SPELLINGS)
def test_every_spelling_has_its_domain_and_scorer(source: str, domain: Domain, family: str) -> None:
    check_source(source)
    assert domain_of(source) is domain
    assert scorer_of(source).family == family


@pytest.mark.parametrize(
    "source", ["mathematics", "math", "math_typo", "", "ood__ifeval", "reasoning_gym", "tacos", "gsm", "stem"]
)
def test_an_unknown_source_is_refused_with_the_known_ones(source: str) -> None:
    with pytest.raises(UnknownDataSource, match=r"is unknown.*gsm8k"):
        check_source(source)
    with pytest.raises(UnknownDataSource):
        compute_score(source, "\\boxed{1}", "1")


@pytest.mark.parametrize("source", ["logic__sudoku", "stem__essay", "simulation__physics"])
def test_a_source_without_a_scorer_is_refused_although_its_domain_is_known(source: str) -> None:
    with pytest.raises(UnsupportedDataSource, match="no scorer"):
        check_source(source)


def test_structured_golds_survive_any_parquet_reader() -> None:
    numpy = pytest.importorskip("numpy")
    nested = {"rows": numpy.array([numpy.array(["a", b"b"], dtype=object)], dtype=object)}
    assert gold_text(nested) == '{"rows": [["a", "b"]]}'
    assert gold_text(b"42") == "42"
    assert gold_text(0.532) == "0.532"
    assert gold_text(numpy.int64(5)) == "5"
    assert gold_text(numpy.array(["x", "y"], dtype=object)) == '["x", "y"]'


@pytest.mark.parametrize("gold", [None, b"\xff", object(), {1, 2}])
def test_a_gold_of_no_known_form_is_a_data_error(gold: object) -> None:
    with pytest.raises(BadGroundTruth):
        check_gold("math__math", gold)


def test_a_batch_keeps_its_order_and_repeats_agree() -> None:
    items = [
        ScoreItem(data_source="math__synthetic", solution_str=f"\\boxed{{{i % 3}}}", ground_truth="1") for i in range(9)
    ]
    assert [score["score"] for score in score_batch(items)] == [0.0, 1.0, 0.0] * 3
    assert score_batch([]) == []


def test_rows_that_differ_only_in_what_the_scorer_reads_are_different() -> None:
    gold = json.dumps({"functional": "def f(x):\n    return x"})
    response = "```python\nassert f(1) == 1\n```"
    items = [
        ScoreItem(
            data_source="simulation__cruxeval-o", solution_str=response, ground_truth=gold, extra_info={"input": i}
        )
        for i in ("1", "2")
    ]
    assert [score["score"] for score in score_batch(items)] == [1.0, 0.0]


def test_the_returned_dictionary_is_the_callers_own() -> None:
    first = compute_score("math__synthetic", "\\boxed{5}", "5")
    first["score"] = 99.0
    assert compute_score("math__synthetic", "\\boxed{5}", "5")["score"] == 1.0


def test_scoring_works_off_the_main_thread() -> None:
    results: list[object] = []

    def score() -> None:
        results.append(compute_score("stem__synthetic", "\\boxed{A}", "A")["score"])

    threads = [threading.Thread(target=score) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1.0] * 8


def test_every_family_scores_alike_in_one_call_in_a_batch_and_awaited() -> None:
    items = [
        ScoreItem(data_source="math__math", solution_str=r"\boxed{\frac{1}{2}}", ground_truth="0.5"),
        ScoreItem(data_source="logic__arcagi1", solution_str="<answer>[[1]]</answer>", ground_truth=[[1]]),
        ScoreItem(data_source="stem__web", solution_str=r"\boxed{5 cm}", ground_truth="0.05 m"),
        ScoreItem(data_source="table__hitab", solution_str=r"\boxed{6}", ground_truth="5"),
        ScoreItem(data_source="simulation__codeio", solution_str="no", ground_truth='"output": 1'),
    ]
    single = [compute_score(i.data_source, i.solution_str, i.ground_truth, i.extra_info) for i in items]

    async def awaited() -> list[dict[str, float | str]]:
        return await asyncio.gather(
            *(compute_score_async(i.data_source, i.solution_str, i.ground_truth, i.extra_info) for i in items)
        )

    assert score_batch(items) == single == asyncio.run(awaited())
    assert [score["score"] for score in single] == [1.0, 1.0, 1.0, 0.0, 0.0]


def test_awaiting_a_slow_program_does_not_block_the_event_loop() -> None:
    gold = json.dumps({"functional": "def f(x):\n    while True:\n        pass"})

    async def both() -> int:
        slow = asyncio.create_task(
            compute_score_async("simulation__cruxeval-i", "```python\nassert f(1) == 1\n```", gold, {"reference": "1"})
        )
        ticks = 0
        while not slow.done():
            await asyncio.sleep(0.01)
            ticks += 1
        assert (await slow)["outcome"] == "timeout"
        return ticks

    assert asyncio.run(both()) > 20


def test_errors_of_the_data_reach_whoever_awaits() -> None:
    with pytest.raises(BadGroundTruth):
        asyncio.run(compute_score_async("logic__arcagi1", "x", "no grid"))


def test_importing_rewards_pulls_in_nothing_heavy() -> None:
    program = (
        "import sys, rewards; "
        "print({'torch', 'numpy', 'sympy', 'math_verify', 'httpx', 'pyarrow', 'requests'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_verl_loads_both_forms_by_package_path() -> None:
    import_utils = pytest.importorskip("verl.utils.import_utils", reason="needs verl")
    assert import_utils.load_extern_object("pkg://rewards", "compute_score") is compute_score
    assert import_utils.load_extern_object("pkg://rewards", "compute_score_async") is compute_score_async
    assert inspect.iscoroutinefunction(compute_score_async)


def test_verl_passes_partial_credit_by_its_own_option() -> None:
    reward = pytest.importorskip("verl.trainer.ppo.reward", reason="needs verl")
    omegaconf = pytest.importorskip("omegaconf")
    config = omegaconf.OmegaConf.create(
        {"reward": {"custom_reward_function": {"path": "pkg://rewards", "name": "compute_score",
                                               "reward_kwargs": {"partial_credit": True}}}}
    )  # fmt: skip
    score = reward.get_custom_reward_fn(config)
    gold = {"header": ["Position", "Job"], "rows": [["1", "cook"], ["2", "vet"]]}
    answer = json.dumps({"header": gold["header"], "rows": [["1", "cook"], ["2", "cook"]]})
    scored = score(
        data_source="logic__zebra_puzzle", solution_str=f"<answer>{answer}</answer>", ground_truth=gold, extra_info={}
    )
    assert (scored["score"], scored["acc"]) == (0.5, 0.0)


def test_scores_are_remembered_so_that_groups_that_agree_cost_little() -> None:
    gold = json.dumps({"functional": "def f(n):\n    return sum(i * i % 7 for i in range(n))"})
    response = "```python\nassert f(300000) == 0\n```"
    start = time.perf_counter()
    first = compute_score("simulation__cruxeval-o", response, gold, {"input": "300000"})
    middle = time.perf_counter()
    assert compute_score("simulation__cruxeval-o", response, gold, {"input": "300000"}) == first
    assert time.perf_counter() - middle < (middle - start) / 2
