"""The audit finds what a scorer pays and must not, and a gold that it does not pay."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rewards import compute_score
from rewards.audit.agent_probes import UNFINISHED
from rewards.audit.audit import audit, sampled
from rewards.audit.example_rows import _EXAMPLES
from rewards.audit.probes import MUST_NOT_PASS, OF_AGENTS, Kind, probes
from rewards.check.gold_check import GoldRow
from rewards.cli import main
from sweeper.rows.trajectories import LIMITS

SOURCES = ("math__math", "openai/gsm8k", "stem__supergpqa", "stem__web", "logic__zebra", "logic__ordering", "table__x")
LENIENT = """
def score(data_source, solution_str, ground_truth, extra_info=None):
    if not solution_str.strip():
        return 0.25
    return float(ground_truth in solution_str)

def right_answer(data_source, ground_truth, extra_info):
    return "It is " + ground_truth
"""


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = main(["audit", "--json", *arguments])
    return status, json.loads(capsys.readouterr().out)


def kinds(source: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in source["kinds"]}


def test_our_scorers_pay_every_gold_of_the_examples_and_no_probe(capsys: pytest.CaptureFixture[str]) -> None:
    status, found = told(capsys, *SOURCES)
    assert (status, found["passed"], len(found["sources"])) == (0, True, len(SOURCES))
    for source in found["sources"]:
        by_kind = kinds(source)
        assert by_kind["gold"]["rate"] == 1.0
        assert sum(by_kind[kind]["paid"] for kind in MUST_NOT_PASS - OF_AGENTS) == 0
        assert by_kind["known cheat"]["tried"] >= 26


def test_programs_that_cheat_or_do_nothing_are_paid_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    status, found = told(capsys, "codegen__mbpp", "--limit", "2")
    by_kind = kinds(found["sources"][0])
    assert (status, by_kind["gold"]["paid"], by_kind["known cheat"]["paid"]) == (0, 2, 0)
    assert (by_kind["known cheat"]["tried"], by_kind["no-op program"]["tried"]) == (
        18 + 10,
        10 + 4,
    )  # of what is printed only whole programs


def test_a_lenient_function_of_the_users_own_fails_with_an_example(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    reward = tmp_path / "lenient.py"
    reward.write_text(LENIENT)
    arguments = ("math__math", "--reward", f"{reward}:score")
    status, found = told(capsys, *arguments)
    by_kind = kinds(found["sources"][0])
    assert (status, by_kind["gold"]["rate"], by_kind["tool's words only"]["rate"]) == (1, 1.0, 1.0)
    assert "<tool_response>" in by_kind["tool's words only"]["example"]["response"]
    assert (by_kind["empty"]["paid"], by_kind["empty"]["highest"]) == (0, 0.25)
    assert main(["audit", *arguments]) == 1
    assert "tool's words only" in (said := capsys.readouterr().out)
    assert "<- WRONG" in said
    assert main(["audit", *arguments, "--threshold", "1"]) == 0


def test_rows_of_a_file_bring_their_prompts_and_a_gold_that_cannot_be_read_fails(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "rows.parquet"
    rows = [
        {
            "data_source": "math__math",
            "prompt": [{"role": "user", "content": text}],
            "reward_model": {"ground_truth": gold},
        }
        for text, gold in (("Say \\boxed{4}.", "4"), ("What is 2 + 2?", ""))
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    status, found = told(capsys, str(path))
    by_kind = kinds(found["sources"][0])
    assert (status, by_kind["prompt copied"]["paid"]) == (1, 1)
    assert (by_kind["gold"]["tried"], by_kind["gold"]["paid"]) == (2, 1)
    assert "ground_truth is empty" in by_kind["gold"]["note"]


def test_a_name_that_nobody_knows_and_a_wrong_threshold_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "poetry__rhymes"]) == 2
    assert "poetry__rhymes" in capsys.readouterr().err
    assert main(["audit", "math__math", "--threshold", "2"]) == 2
    assert "'2' is no share from 0 to 1" in capsys.readouterr().err


def test_rows_are_drawn_by_source_with_a_fixed_seed() -> None:
    rows = [GoldRow(where=str(n), data_source="ab"[n % 2], ground_truth="1") for n in range(40)]
    found = sampled(rows, 5)
    assert found == sampled(rows, 5)
    assert [sum(row.data_source == source for row in found) for source in "ab"] == [5, 5]
    assert [int(row.where) for row in found] == sorted(int(row.where) for row in found)
    assert sampled(rows, None) == rows


def test_all_options_of_a_choice_are_a_probe_and_every_example_is_readable() -> None:
    made = probes(is_code=False, gold="B", prompt="", question="?\n(A) 1\n(B) 2\n(C) 3", rendering=None)
    assert "\\boxed{A, B, C}" in [one.response for one in made if one.kind is Kind.OPTIONS]
    names = {"integer": "math__synthetic", "arc": "logic__arcagi1", "graph": "logic__graph"}
    for family, source in names.items():
        rows = [GoldRow(where="", data_source=source, ground_truth=g, extra_info=e) for g, e in _EXAMPLES[family]]
        gold = audit(rows)[0].kinds[0]
        assert (gold.kind, gold.rate) == (Kind.GOLD, 1.0), family


def test_of_an_agent_only_the_last_turn_is_paid_and_no_tools_words(capsys: pytest.CaptureFixture[str]) -> None:
    status, found = told(
        capsys, "--agent", "math__synthetic", "logic__synthetic_higher_lower", "stem__synthetic_lookup"
    )
    assert (status, found["passed"]) == (0, True)
    for source in found["sources"]:
        by_kind = kinds(source)
        rows = by_kind["gold"]["tried"]
        assert by_kind["gold"]["rate"] == 1.0
        assert by_kind["tool's words only"]["tried"] >= rows * 2 * (len(UNFINISHED) + 3)
        assert by_kind["right but unfinished"]["tried"] == rows * len(UNFINISHED)
        assert by_kind["right but lost by the environment"]["tried"] == rows
    assert tuple(map(str, LIMITS)) == UNFINISHED


def test_a_scorer_of_the_whole_transcript_is_caught_paying_a_tools_boxed_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_all(source: str, transcript: str, gold: object, extra: Any, **options: Any) -> Any:
        return compute_score(source, transcript, gold, extra)

    monkeypatch.setattr("rewards.route.trajectory.compute_score", of_all)
    status, found = told(capsys, "--agent", "math__synthetic")
    by_kind = kinds(found["sources"][0])
    assert status == 1
    assert min(by_kind[kind]["paid"] for kind in ("tool's words only", "right but unfinished", "empty")) > 0
    assert "<tool_response>" in by_kind["tool's words only"]["example"]["response"]
