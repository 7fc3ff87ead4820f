"""What a launch shows of its runs while they are at work."""

import io
import json
from pathlib import Path

import pytest

from sweeper.launch.progress import Bars, Reporter
from sweeper.rows.differences import labels
from sweeper.rows.grid_file import Member, Membership
from sweeper.runs.attempt import Heartbeat
from sweeper.runs.folder import RunDir
from sweeper.runs.progress import progress_of
from sweeper.spec.run_id import RunId
from sweeper.training.sft import _telling

EVALUATED = "== x {}\nevaluated {}/64 problems x 128 samples\nload 1 s\n"
GRID = [("tiny-40k", "n64"), ("tiny-40k", "n320"), ("tiny-1.4m", "n64"), ("tiny-1.4m", "n320")]


def heartbeat(phase: str, step: int | None = None, **more: float) -> Heartbeat:
    values = {"reward": None, "val_pass1": None, "seconds_left": None} | more
    return Heartbeat(phase=phase, step=step, total_steps=20, time=0.0, pid=1, host="here", **values)  # type: ignore[arg-type]


@pytest.fixture
def runs(tmp_path: Path) -> list[RunDir]:
    """Four runs of a grid, each with an attempt that has begun."""
    members = tuple(
        Member(run_id=RunId(f"{model}_grpo_uniform_{scale}_s0-{number:012x}"), choice=(model, scale))
        for number, (model, scale) in enumerate(GRID)
    )
    axes = {"model": ("tiny-40k", "tiny-1.4m"), "data_scale": ("n64", "n320")}
    Membership(name="ladder", grid="ladder", axes=axes, members=members).write(tmp_path)
    found = [RunDir(results_dir=tmp_path, run_id=member.run_id) for member in members]
    for run_dir in found:
        run_dir.new_attempt()
    return found


def at(run_dir: RunDir, beat: Heartbeat, log: str = "") -> None:
    run_dir.attempts()[-1].beat(beat)
    run_dir.attempts()[-1].log.write_text(log)


def test_runs_are_called_by_what_tells_them_apart(runs: list[RunDir]) -> None:
    ids = [run_dir.run_id for run_dir in runs]
    assert list(labels(ids, runs[0].results_dir).values()) == [" ".join(pair) for pair in GRID]
    assert labels(ids[::2], runs[0].results_dir) == {ids[0]: "tiny-40k", ids[2]: "tiny-1.4m"}


@pytest.mark.parametrize(
    ("beat", "log", "text", "share"),
    [
        (heartbeat("model"), "== x model\nfine-tuning 240/800 steps\n", "making the model, 240/800 steps", 0.3),
        (heartbeat("evaluate base"), EVALUATED.format("evaluate base", 32), "base pass@k, 32/64 problems", 0.5),
        (heartbeat("evaluate"), EVALUATED.format("evaluate", 11), "pass@k, 11/64 problems", 11 / 64),
        (heartbeat("train", 5, reward=0.25), "", "step 5/20, reward 0.250", 0.25),
    ],
)
def test_every_phase_says_how_far_it_is(beat: Heartbeat, log: str, text: str, share: float, runs: list[RunDir]) -> None:
    at(runs[0], beat, log)
    now = progress_of(runs[0].attempts()[-1], beat)
    assert (now.text, now.share) == (text, share)


def test_what_an_earlier_phase_has_counted_is_not_taken_for_this_one(runs: list[RunDir]) -> None:
    beat = heartbeat("evaluate")
    at(runs[0], beat, "== x evaluate base\nevaluated 64/64 problems x 8 samples\n== x evaluate\n")
    now = progress_of(runs[0].attempts()[-1], beat)
    assert now.share is None
    assert now.text.startswith("pass@k, ")


def test_verl_is_said_to_take_a_while_before_its_first_step(runs: list[RunDir]) -> None:
    at(runs[0], heartbeat("train"))
    assert "starting verl, about a minute" in progress_of(runs[0].attempts()[-1], heartbeat("train")).text


def test_the_whole_grows_from_phase_to_phase(runs: list[RunDir]) -> None:
    half = "== x {}\nfine-tuning 4/8 steps\n"
    beats = [heartbeat(phase) for phase in ("data", "model", "evaluate base", "train")]
    beats += [heartbeat("train", step) for step in (1, 10, 20)] + [heartbeat("evaluate")]
    found = []
    for beat in beats:
        at(runs[0], beat, half.format(beat.phase))
        found.append(progress_of(runs[0].attempts()[-1], beat).whole)
    assert found == sorted(found)
    assert 0 <= found[0] < found[-1] < 1


def test_parts_of_runs_count_and_the_pace_says_when_all_end(
    runs: list[RunDir], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("sweeper.launch.progress.time.monotonic", lambda: clock[0])
    told = Reporter(runs, runs[0].results_dir, io.StringIO())
    assert told.seconds_left() is None
    at(runs[0], heartbeat("train", 20))
    clock[0] = 90.0
    told.beat(runs[0])
    assert told.whole == pytest.approx(0.9 / 4)
    assert told.seconds_left() == pytest.approx(90 * (1 - 0.225) / 0.225)
    assert told.sweep_text() == "0/4 runs, 23%, about 5m left"


def test_a_launch_ends_no_sooner_than_the_training_of_its_longest_run(
    runs: list[RunDir], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("sweeper.launch.progress.time.monotonic", lambda: clock[0])
    told = Reporter(runs[:1], runs[0].results_dir, io.StringIO())
    at(runs[0], heartbeat("train", 4, seconds_left=188.0))
    clock[0] = 60.0  # its base model was there, so the first half of its way took no time
    told.beat(runs[0])
    assert told.seconds_left() == 188
    told.ended(runs[0], 0)
    assert told.seconds_left() is None


def test_a_pipe_gets_a_line_at_a_phase_and_one_a_minute_and_each_id_once(
    runs: list[RunDir], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, lines = [0.0], io.StringIO()
    monkeypatch.setattr("sweeper.launch.progress.time.monotonic", lambda: clock[0])
    told = Reporter(runs, runs[0].results_dir, lines)
    told.started(runs[0])
    for second in range(130):
        clock[0] = float(second)
        at(runs[0], heartbeat("train", 1 + second // 10))
        told.beat(runs[0])
    said = lines.getvalue()
    assert said.count("\n") == 1 + 3  # its start; at 0, 60 and 120 s
    assert said.count("00000000") == 1
    assert "tiny-40k n64: step 13/20" in said


def test_bars_fit_80_columns(runs: list[RunDir], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    screen = io.StringIO()
    told = Bars(runs, runs[0].results_dir, screen)
    told.started(runs[2])
    at(runs[2], heartbeat("train", 12, reward=0.443, val_pass1=0.31, seconds_left=130))
    told.beat(runs[2])
    told._progress.stop()
    last = screen.getvalue().strip().splitlines()[-1].rstrip()
    assert last == "tiny-1.4m n64  60% step 12/20, reward 0.443, val accuracy 0.310, 2m10s left"


def test_fine_tuning_prints_the_steps_that_it_has_logged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, metrics, ticks = [10.0], tmp_path / "metrics.jsonl", list[int]()
    monkeypatch.setattr("sweeper.training.sft.time.monotonic", lambda: clock[0])
    tick = _telling(metrics, 800, lambda: ticks.append(1))
    tick()
    metrics.write_text("".join(json.dumps({"step": step, "data": {}}) + "\n" for step in range(1, 241)))
    for clock[0] in (10.5, 13.0, 13.5, 16.0):
        tick()
    assert capsys.readouterr().out == "fine-tuning 240/800 steps\n"
    assert len(ticks) == 5
