"""`sweeper samples`: what people read of a run."""

import json
from pathlib import Path

import pytest

from rewards.program import EXIT_OK, EXIT_USAGE, run_main
from sweeper.cli import sample_text
from sweeper.rows.counts import samples_path
from sweeper.rows.row import problems_path
from sweeper.runs.folder import RunDir
from sweeper.runs.gained_lost import compared
from tests.sweeper.kept_run import kept_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    return kept_run(tmp_path_factory.mktemp("results"))


class Said:
    """What the verb printed."""

    def __init__(self, run: RunDir, capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
        which = arguments if arguments and "tiny" in arguments[0] else (run.run_id[-8:], *arguments)
        self.code = run_main("sweeper.cli.main", ["samples", *which, "--results", str(run.results_dir)])
        self.out, self.err = capsys.readouterr()

    @property
    def data(self) -> dict[str, object]:
        return dict(json.loads(self.out)["data"])


def test_each_sample_shows_prompt_response_gold_parsed_verdict_and_why(
    run: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Said(run, capsys, "--limit", "3")
    assert said.code == EXIT_OK
    head, first, _, third, more = said.out.split("\n\n")
    assert "18 of 24 samples are kept, of 6 problems" in " ".join(head.split())
    assert [line.split()[0] for line in first.splitlines()[1:]] == [
        *("prompt", "response", "gold", "parsed", "verdict")
    ]
    assert "  parsed    (empty)\n" in first
    assert "truncated: cut off at the limit of 20 tokens" in first
    assert "0 of 4 correct, sample 1" in first
    assert "  parsed    Z," in third
    assert more == "15 more fit; --limit shows more.\n"


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize("arguments", [(), ("--diff", "base"), ("--step", "10")])
def test_the_output_fits_the_width_and_shows_control_characters_in_place_of_sending_them(
    run: RunDir,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setattr(sample_text, "screen_width", lambda **_: columns)
    said = Said(run, capsys, *arguments)
    assert max(map(len, said.out.splitlines())) <= columns
    assert "\x1b" not in said.out
    if not arguments:
        assert "\\u001b[2J\\u202e" in said.out


def test_json_has_every_field_and_says_what_was_left_out(run: RunDir, capsys: pytest.CaptureFixture[str]) -> None:
    said = Said(run, capsys, "--json", "--outcome", "wrong", "--source", "logic", "--limit", "1")
    assert (said.data["kept"], said.data["drawn"], said.data["fitting"]) == (18, 24, 1)
    (sample,) = said.data["samples"]  # type: ignore[misc, attr-defined]
    assert sample["verdict"] == "wrong"
    assert {"prompt", "response", "gold", "parsed", "why", "tokens", "finish", "step"} <= set(sample)


def test_problems_gained_and_lost_against_the_base_have_a_sample_of_each_side(
    run: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Said(run, capsys, "--diff", "base")
    text = " ".join(said.out.split())
    assert "6 problems in common; 3 gained, 1 lost, 2 solved by both, 0 by neither" in text
    gained = next(part for part in said.out.split("\n\n")[1:] if "gained" in part.splitlines()[0])
    assert "0/4 -> 3/4" in gained
    assert [line.split()[1] for line in gained.splitlines() if "verdict" in line] == ["truncated:", "correct"]
    data = Said(run, capsys, "--diff", "base", "--json").data
    assert (data["gained"], data["lost"], data["n_problems"]) == (3, 1, 6)


def test_two_runs_are_compared_as_a_run_and_its_base_are(tmp_path: Path) -> None:
    first, second = kept_run(tmp_path), kept_run(tmp_path, "seed=1")
    assert set(compared(second, first).kinds().items()) >= {("both", 5), ("neither", 1), ("gained", 0)}


def test_the_samples_of_two_runs_stand_below_the_names_of_the_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = kept_run(tmp_path), kept_run(tmp_path, "seed=1")
    samples_path(first.path / "counts.jsonl").unlink()
    path = problems_path(tmp_path, first.run_id)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**line, "c": 0}) + "\n" for line in lines))
    said = Said(second, capsys, second.run_id, "--diff", first.run_id)
    labels = {line.split()[0] for line in said.out.splitlines() if "(no sample was kept)" in line}
    assert labels == {first.run_id[-12:][:8]}
    assert f"  {second.run_id[-12:][:8]}  " in said.out
    assert not {"before", "after"} & set(said.out.split())


@pytest.mark.parametrize("verb", ["samples", "why", "logs", "export"])
def test_a_verb_of_one_run_without_its_name_lists_the_runs_there_are(
    run: RunDir, capsys: pytest.CaptureFixture[str], verb: str, tmp_path: Path
) -> None:
    more = ["--to", str(tmp_path / "out")] if verb == "export" else []
    assert run_main("sweeper.cli.main", [verb, "--results", str(run.results_dir), *more]) == EXIT_USAGE
    assert f"which run? {run.results_dir} has these:\n  {run.run_id}\n" in capsys.readouterr().err


@pytest.mark.parametrize(("runs", "lines"), [(8, 9), (10, 11), (13, 12)])
def test_an_ambiguous_name_lists_ten_runs_and_counts_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], runs: int, lines: int
) -> None:
    for number in range(runs):
        (tmp_path / "runs" / f"tiny-{number:012d}").mkdir(parents=True)
    assert run_main("sweeper.cli.main", ["samples", "tiny", "--results", str(tmp_path)]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert len(said.splitlines()) == lines
    assert "SWEEPER_TRACEBACK" not in said
    assert ("  and 3 more\n" in said) is (runs == 13)


def test_counts_without_texts_are_compared_and_the_missing_pair_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kept_run(tmp_path)
    samples_path(run.path / "counts.jsonl").unlink()
    said = Said(run, capsys, "--diff", "base")
    assert said.code == EXIT_OK
    assert said.out.count("after     (no sample was kept)") == said.out.count("before    ") == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tiny-0",), "names 0 runs"),
        (("--step", "7"), "has no samples of step 7 here; there are validations of steps 0, 10"),
        (("--diff", "base", "--outcome", "wrong"), "--outcome is of samples, --diff of problems"),
        (("--outcome", "rong"), "did you mean wrong?"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(
    run: RunDir, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    said = Said(run, capsys, *arguments)
    assert said.code == EXIT_USAGE
    assert message in said.err


def test_a_run_without_counts_is_not_compared_in_silence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = kept_run(tmp_path)
    problems_path(tmp_path, run.run_id).unlink()
    (run.path / "counts.jsonl").unlink()
    said = Said(run, capsys, "--diff", "base")
    assert said.code == EXIT_USAGE
    assert "has no per-problem counts here: it was not evaluated, or they are gone" in said.err


@pytest.mark.parametrize(
    ("arguments", "near"), [(("--problem", "nope"), "logic"), (("--source", "mathz"), "the nearest: math")]
)
@pytest.mark.parametrize("of", [(), ("--step", "10"), ("--diff", "base")])
def test_a_name_that_the_run_does_not_have_is_refused_with_the_nearest(
    run: RunDir, arguments: tuple[str, ...], near: str, of: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    said = Said(run, capsys, *arguments, *of)
    assert (said.code, said.out) == (EXIT_USAGE, "")
    assert f"{arguments[0]} {arguments[1]!r}: there is none of that name here; the nearest: " in said.err
    assert near in said.err
