"""Transcripts of an agent in the report: three of one run per agent, told apart by what training learns."""

import json
from dataclasses import replace
from pathlib import Path

from analysis.report.evidence import Evidence
from analysis.report.report import write_report
from analysis.report.run_sections import run_sections
from analysis.report.transcripts import transcribed, transcripts
from analysis.runs.selection import select
from sweeper.rows.row import read_row, row_path
from sweeper.runs.folder import RunDir
from tests.analysis.questions.planted_agents import PlantedAgent, agents
from tests.sweeper.kept_run import kept_run
from tests.sweeper.kept_transcripts import ANSWER, with_turns


def of_an_agent(results: Path) -> RunDir:
    run = kept_run(results)
    path = row_path(results, run.run_id)
    path.write_text(replace(read_row(path), agent="calculator").to_json())
    return run


def test_three_transcripts_are_shown_one_of_each_kind_with_what_training_learns(tmp_path: Path) -> None:
    run = of_an_agent(tmp_path)
    path = with_turns(run)
    path.write_text(path.read_text().replace('"verdict": "truncated"', '"verdict": "turn_limit"'))
    (section,) = run_sections(Evidence(selection=select(tmp_path), results_dir=tmp_path))
    shown = [sample for sample in section.samples if sample.verdict.startswith("Transcript")]
    assert [sample.verdict for sample in shown[:2]] == ["Transcript: correct", "Transcript: turn limit"]
    assert len(shown) == 3
    assert [turn.trained for turn in shown[0].turns] == [True, False, True]
    assert shown[0].turns[0].said == "assistant: 11 tokens generated, which training learns"
    assert shown[0].turns[1].said == "tool: 7 tokens observed, which training does not learn"
    assert "no answer within agent.max_turns" in shown[1].why


def test_the_page_escapes_what_a_tool_said_and_marks_it_as_observed(tmp_path: Path) -> None:
    with_turns(of_an_agent(tmp_path))
    page = write_report(tmp_path, grid=None, out=tmp_path / "out.html").html.read_text()
    assert '<dd class="turn observed"><pre>3901 &lt;script&gt;alert(1)&lt;/script&gt;' in page
    assert "<script>alert(1)" not in page
    assert ANSWER in page
    assert "3 transcripts below" in page or "2 transcripts below" in page


def test_an_agent_whose_turns_were_not_kept_is_said_to_have_none(tmp_path: Path) -> None:
    of_an_agent(tmp_path)
    (section,) = run_sections(Evidence(selection=select(tmp_path), results_dir=tmp_path))
    assert section.settings is not None
    (told,) = [line.cells[1] for line in section.settings.lines if line.cells[0] == "Transcripts"]
    assert told == "None was kept with its turns"
    (run,) = select(tmp_path).runs
    assert transcripts(None, run) == ((), "Not read.")


def test_a_run_without_an_agent_has_no_line_about_transcripts(tmp_path: Path) -> None:
    kept_run(tmp_path)
    (section,) = run_sections(Evidence(selection=select(tmp_path), results_dir=tmp_path))
    assert section.settings is not None
    assert "Transcripts" not in [line.cells[0] for line in section.settings.lines]


def test_of_each_agent_the_run_of_the_largest_model_is_shown() -> None:
    runs = [
        PlantedAgent(agent=agent, model=f"m-{size}", size=size, seed=seed)
        for agent in ("calculator", "python", None)
        for size in (1000, 2000)
        for seed in (1, 0)
    ]
    chosen = agents(runs).runs
    shown = transcribed(chosen)
    assert {(run.row.agent, run.row.model, run.row.seed) for run in chosen if run.row.run_id in shown} == {
        ("calculator", "m-2000", 0),
        ("python", "m-2000", 0),
    }


def test_counts_with_trajectories_are_read_from_a_folder_and_bad_ones_cost_their_run(tmp_path: Path) -> None:
    run = of_an_agent(tmp_path)
    path = tmp_path / "rows" / f"{run.run_id}.problems.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line["trajectories"] = trajectories(line["n"], line["c"])
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (found,) = select(tmp_path).runs
    assert found.trained is not None
    assert [item.correct_at_turns[-1] for item in found.trained.trajectories if item] == list(found.trained.c)
    lines[0]["trajectories"]["correct_at_turns"] = [0, lines[0]["n"] + 1]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    row = tmp_path / "rows" / "other.json"
    row.write_text(row_path(tmp_path, run.run_id).read_text().replace(run.run_id, "other"))
    chosen = select(tmp_path)
    assert [item.row.run_id for item in chosen.runs] == ["other"]
    assert "correct_at_turns" in chosen.damaged[0]


def trajectories(n: int, c: int) -> dict[str, object]:
    names = ("turns", "calls", "errors", "refused", "used_a_tool", "generated_tokens", "observed_tokens")
    sums = dict.fromkeys((*names, "prefilled_again_tokens", "tool_cpu_s"), n)
    return {"n": n, **sums, "ended": {"answered": n}, "correct_at_turns": [0, c]}
