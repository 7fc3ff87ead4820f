"""Transcripts of agents where people read samples: what training learns is told apart, hostile text is only text."""

import json
from pathlib import Path

import pytest

from rewards.program import EXIT_FAILED, EXIT_OK, run_main
from sweeper.cli import sample_text
from sweeper.dashboard.sample_list import listed
from sweeper.rows.sample import Turn, halves
from sweeper.runs.folder import RunDir
from tests.sweeper.kept_run import kept_run
from tests.sweeper.kept_transcripts import ANSWER, with_turns


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return kept_run(tmp_path)


def printed(run: RunDir, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = run_main("sweeper.cli.main", ["samples", run.run_id, *words, "--results", str(run.results_dir)])
    return code, capsys.readouterr().out


def test_turns_are_indented_and_what_was_observed_is_marked(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    with_turns(run)
    code, out = printed(run, capsys, "--limit", "1")
    assert code == EXIT_OK
    assert '16 tokens generated, which training learns, and 7 tokens observed (">"), which it does' in out
    lines = out.splitlines()
    assert [line[2:12].strip() for line in lines if line[2:12].strip() in ("assistant"[:7], "tool")] == [
        *("assista", "tool", "assista")
    ]
    (seen,) = [line for line in lines if "3901 <script>" in line]
    assert seen.startswith("    tool    > 3901 <script>alert(1)</script>\\u001b[2J\\u202e")
    assert "\x1b" not in out
    assert f"            {ANSWER}"[2:] in out.replace("    assista ", "            ")
    assert "(3 characters of its middle were not kept)" in out


def test_on_a_terminal_what_was_observed_is_dim(
    run: RunDir, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_turns(run)
    monkeypatch.setattr(sample_text, "_has_colours", lambda: True)
    _, out = printed(run, capsys, "--limit", "1")
    (seen,) = [line for line in out.splitlines() if "3901 <script>" in line]
    assert seen.startswith("\x1b[2m    tool    3901 <script>")
    assert seen.endswith("\x1b[0m")
    assert "7 tokens observed (dim)" in " ".join(out.split())


def test_the_output_keeps_its_width(
    run: RunDir, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = with_turns(run)
    path.write_text(path.read_text().replace("3901 <script>", f"{'39 ' * 80}<script>"))
    monkeypatch.setattr(sample_text, "screen_width", lambda **_: 60)
    _, out = printed(run, capsys)
    assert max(map(len, out.splitlines())) <= 60


def test_a_pair_of_samples_shows_turns_as_well(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    with_turns(run)
    _, out = printed(run, capsys, "--diff", "base")
    assert "> 3901" in out


def test_what_was_left_out_of_a_transcript_stands_in_its_middle(
    run: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    with_turns(run, left_out=4)
    _, out = printed(run, capsys, "--limit", "1")
    assert out.index("> 3901") < out.index("(4 parts of its middle were not kept)") < out.index(ANSWER)
    turns = [Turn(role="tool", text=str(i), tokens=1, trained=False) for i in range(32)]
    first, last = halves(turns, 5)
    assert (len(first), len(last)) == (16, 16)
    assert halves(turns, 0) == (turns, [])


def test_the_pages_of_samples_show_turns_with_control_characters_told(run: RunDir) -> None:
    with_turns(run, left_out=4)
    sample = listed(run, {})["samples"][0]
    assert [turn["trained"] for turn in (*sample["turns"], *sample["last_turns"])] == [True, False, True]
    observed = sample["turns"][1]
    assert observed["kind"] == "observed, which training does not learn"
    assert "\x1b" not in observed["text"]
    assert "\\u001b[2J\\u202e" in observed["text"]
    assert sample["turns_left_out"] == 4


def test_a_sample_of_one_response_has_no_turns(run: RunDir) -> None:
    sample = listed(run, {})["samples"][0]
    assert (sample["turns"], sample["last_turns"]) == ([], [])
    assert sample["response"]


@pytest.mark.parametrize("change", [{"text": 7}, {"tokens": "many"}, {"trained": None}, {"role": ["x"]}])
def test_a_turn_that_is_none_costs_its_line_and_is_told(
    run: RunDir, change: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    path = with_turns(run)
    lines = path.read_text().splitlines()
    first = json.loads(lines[0])
    first["verdicts"][0]["turns"][1] |= change
    path.write_text("".join(f"{line}\n" for line in (json.dumps(first), *lines[1:])))
    code, out = printed(run, capsys, "--json")
    assert code == EXIT_FAILED
    assert json.loads(out)["data"]["damaged_lines"] == 1
