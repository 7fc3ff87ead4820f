"""Routing by data_source, refusal before training, batches."""

import subprocess
import sys
import threading

import pytest

from rewards import (
    Domain,
    ScoreItem,
    UnknownDataSource,
    UnsupportedDataSource,
    check_source,
    compute_score,
    domain_of,
    gold_text,
    score_batch,
)


@pytest.mark.parametrize(
    ("source", "domain"),
    [
        ("math__deepscaler_preview", Domain.MATH),
        ("openai/gsm8k", Domain.MATH),
        ("codegen__taco", Domain.CODE),
        ("logic__arcagi1", Domain.LOGIC),
        ("simulation__arcagi1", Domain.LOGIC),
        ("simulation__codeio", Domain.SIMULATION),
        ("stem_web", Domain.STEM),
        ("stem__web", Domain.STEM),
        ("table__hitab", Domain.TABLE),
    ],
)
def test_every_guru_source_has_a_domain(source: str, domain: Domain) -> None:
    assert domain_of(source) is domain


def test_an_unknown_source_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownDataSource, match=r"'mathematics'.*openai/gsm8k"):
        check_source("mathematics")


@pytest.mark.parametrize(
    "source",
    ["codegen__taco", "codegen__livecodebench", "logic__zebra_puzzle_dataset", "logic__arcagi1", "simulation__codeio",
     "table__hitab", "stem__web"],
)  # fmt: skip
def test_a_source_without_a_scorer_is_refused_as_not_supported_yet(source: str) -> None:
    with pytest.raises(UnsupportedDataSource, match="not supported yet"):
        check_source(source)


def test_structured_golds_survive_any_parquet_reader() -> None:
    numpy = pytest.importorskip("numpy")
    nested = {"rows": numpy.array([numpy.array(["a", "b"], dtype=object)], dtype=object)}
    assert gold_text(nested) == '{"rows": [["a", "b"]]}'
    assert gold_text(b"42") == "42"
    assert gold_text(numpy.array(["x", "y"], dtype=object)) == '["x", "y"]'


def test_a_batch_keeps_its_order_and_repeats_agree() -> None:
    items = [
        ScoreItem(data_source="math__synthetic", solution_str=f"\\boxed{{{i % 3}}}", ground_truth="1") for i in range(9)
    ]
    assert [score["score"] for score in score_batch(items)] == [0.0, 1.0, 0.0] * 3


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


def test_importing_rewards_pulls_in_nothing_heavy() -> None:
    program = "import sys, rewards; print({'torch', 'numpy', 'sympy', 'math_verify'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_verl_loads_compute_score_by_package_path() -> None:
    import_utils = pytest.importorskip("verl.utils.import_utils", reason="needs verl")
    assert import_utils.load_extern_object("pkg://rewards", "compute_score") is compute_score
