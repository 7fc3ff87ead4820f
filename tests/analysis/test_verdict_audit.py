"""Kept samples judged by a second scorer: shares by step, what is not judged, and a flag where the share grows."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from analysis.cli import main
from analysis.report.evidence import Evidence
from analysis.report.sections import second_scorer as section_of
from analysis.runs.selection import select
from analysis.verdicts.kept_verdicts import KeptVerdict, KeptVerdicts
from analysis.verdicts.verdict_audit import Judged, audit_of, audit_path, growth, read_audit
from rewards import ScoreItem
from rewards.audit.second_scorer import other_isolation, second_scorer, second_verdicts
from sweeper.host.errors import DamagedError
from sweeper.rows.sample import Origin
from sweeper.runs.folder import RunDir
from tests.sweeper import kept_run as kept_runs
from tests.sweeper.kept_run import kept_run


def told(capsys: pytest.CaptureFixture[str], run: RunDir) -> tuple[int, dict[str, Any]]:
    status = main(["audit", run.run_id, "--results", str(run.results_dir), "--json"])
    return status, json.loads(capsys.readouterr().out)["data"][0]


def pays_for_nothing(run: RunDir, step: int) -> None:
    """Let a validation's verdicts stand and its answers be wrong."""
    path = run.path / "val" / f"{step}.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["outcome"] == "correct":
            line["output"] = "Surely \\boxed{0.5}."
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_of_an_honest_run_no_verdict_differs_and_what_is_not_judged_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kept_run(tmp_path)
    status, found = told(capsys, run)
    assert (status, found["grows"]) == (0, False)
    assert found["scorers"] == {"math__synthetic": "math-verify"}
    assert [(one["origin"], one["step"]) for one in found["measurements"]] == [
        ("base", None),
        ("validation", 0),
        ("validation", 10),
        ("evaluation", None),
    ]
    assert all(one["differ"]["value"] == 0 for one in found["measurements"])
    assert found["measurements"][1]["n"] == 2
    assert set(found["alone"]) == {"logic__ordering_puzzle_synthetic"}
    assert found["left_out"]["kept for their verdict, not as one of the first 2 of their problem"] > 0


def test_a_run_that_comes_to_pay_wrong_answers_is_flagged_in_its_audit_and_in_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    eight = [item.replace("val_problems_per_domain=2", "val_problems_per_domain=8") for item in kept_runs.SMALL]
    monkeypatch.setattr(kept_runs, "SMALL", tuple(eight))
    run = kept_run(tmp_path)
    evidence = Evidence(selection=select(tmp_path), results_dir=tmp_path)
    assert "sweeper audit RUN" in section_of.section(evidence).missing[0]
    pays_for_nothing(run, 10)
    status, found = told(capsys, run)
    assert (status, found["grows"], found["run_alone"]["value"]["value"]) == (1, True, 1.0)
    assert found["examples"][0]["answer"] == "Surely \\boxed{0.5}."
    evidence = Evidence(selection=select(tmp_path), results_dir=tmp_path)
    assert evidence.audits[run.run_id] == read_audit(run)
    (warning,) = section_of.warning(evidence)
    assert "in 1 of 1 audited runs" in warning.sentence
    shown = section_of.section(evidence)
    assert any("GROWS" in line for line in shown.lead)
    assert all(line.alarm for line in shown.tables[0].lines)
    assert main(["audit", run.run_id, "--results", str(tmp_path)]) == 1
    assert "paid by the run alone: GROWS, 1.000 (no interval)" in capsys.readouterr().out.replace("+", "")
    audit_path(run).write_text("{}")
    with pytest.raises(DamagedError, match="audit the run again"):
        read_audit(run)
    assert "audit the run again" in Evidence(selection=select(tmp_path), results_dir=tmp_path).damaged_audits[0]


def judged(paid: Sequence[bool], second: Sequence[bool | None], step: int) -> list[Judged]:
    item = ScoreItem(data_source="math__x", solution_str="", ground_truth="1")
    return [
        (KeptVerdict(origin=Origin.validation, step=step, problem=str(place), paid=one, item=item), two)
        for place, (one, two) in enumerate(zip(paid, second, strict=True))
    ]


def test_a_share_grows_where_the_interval_of_the_later_less_the_earlier_half_is_above_0() -> None:
    right, none = [True] * 20, [False] * 20
    hacked = [False] * 8 + [True] * 12
    steps = [judged(right, right, 0), judged(none, none, 5), judged(right, hacked, 10)]
    found = audit_of([item for step in steps for item in step], {}, {}, {})
    assert found.run_alone.grows
    assert found.grows
    assert found.run_alone.value is not None
    assert (found.run_alone.value.value, found.run_alone.n_problems) == (0.4, 20)
    assert (found.run_alone.value.low or 0) > 0
    assert not audit_of([item for step in reversed(steps) for item in step], {}, {}, {}).grows
    luck = [judged(right, [False] + [True] * 19, 0), judged(right, [True] * 19 + [False], 5)]
    assert not audit_of([item for step in luck for item in step], {}, {}, {}).grows


def test_what_cannot_be_told_of_growth_is_said() -> None:
    said = growth([judged([True], [True], 0)], lambda paid, second: paid is not second).reason
    assert said == "one validation with samples that both scorers judged"
    late = audit_of(judged([True, False], [None, None], 0), {}, {}, {}).measurements[0]
    assert (late.n, late.late, late.differ) == (0, 2, None)


def test_of_an_agent_the_last_turn_or_the_answer_as_read_is_judged(tmp_path: Path) -> None:
    run = kept_run(tmp_path)
    spec = json.loads(run.spec_path.read_text())
    spec["agent"] |= {"name": "calculator", "tools": ["calculator"], "max_turns": 4}
    run.spec_path.write_text(json.dumps(spec))
    kept = KeptVerdicts(run_dir=run)
    answers = {one.item.solution_str for one in kept if one.origin is Origin.validation}
    assert answers
    assert all(answer.startswith("\\boxed{") and answer.endswith("}") for answer in answers)
    assert kept.left_out["transcripts in which the last turn is not told apart, without an answer that was read"] > 0
    spec["agent"] |= {"tools": [], "environment": "higher_lower"}
    run.spec_path.write_text(json.dumps(spec))
    assert list(kept_again := KeptVerdicts(run_dir=run)) == []
    assert kept_again.left_out["decided by their environment"] > 0


def test_math_verify_judges_whole_responses_with_none_of_our_rules() -> None:
    items = [
        ScoreItem(data_source="openai/gsm8k", solution_str=text, ground_truth="#### 42")
        for text in ("So \\boxed{42}.", "So \\boxed{41}.", "The answer is 42", "#### 2 or 42")
    ]
    assert second_verdicts(items)[:3] == [True, False, True]
    assert second_scorer("stem__web") is None
    assert second_scorer("who__knows") is None


@pytest.mark.nightly
def test_programs_are_judged_again_in_another_isolation() -> None:
    tests = json.dumps({"functional": "assert f(2) == 4\nassert f(3) == 6"})
    items = [
        ScoreItem(data_source="codegen__mbpp", solution_str=f"```python\n{code}\n```", ground_truth=tests)
        for code in ("def f(x):\n    return 2 * x", "def f(x):\n    return 4", "import os\nos._exit(0)\ndef f(x): pass")
    ]
    assert other_isolation() is not None
    assert str(other_isolation()) in str(second_scorer("codegen__mbpp"))
    assert second_verdicts(items) == [True, False, False]
