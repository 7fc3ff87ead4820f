"""Console logs as people have them: cut at a terminal's width, mixed with other output, restarted, two runs in one."""

from pathlib import Path

import pytest

from analysis.imports.history import History
from analysis.imports.reading import read_source

NAMES = ("actor/entropy", "critic/score/mean", "response_length/mean", "perf/total_num_tokens", "perf/time_per_step")


def line(step: int, pid: int = 1) -> str:
    values = (0.51, 0.2 + step / 1000, 100.5, 1000, 2.5)
    return f"(TaskRunner pid={pid}) step:{step}" + "".join(
        f" - {n}:{v:.3f}" for n, v in zip(NAMES, values, strict=True)
    )


def cut(text: str, width: int) -> list[str]:
    return [text[start : start + width] for start in range(0, len(text), width)]


def read(path: Path, lines: list[str], end: str = "\n") -> list[History]:
    path.write_text("\n".join(lines) + end)
    return read_source(path, renamed={})


def rewards(history: History) -> dict[int, float]:
    return {step: values["critic/score/mean"] for step, values in history.steps}


EXPECTED = {step: 0.2 + step / 1000 for step in (1, 2, 3)}


@pytest.mark.parametrize("width", [60, 73, 80, 81, 82, 119, 155])
def test_lines_cut_at_any_width_are_read_whole_and_counted(width: int, tmp_path: Path) -> None:
    pieces = [piece for step in (1, 2, 3) for piece in cut(line(step), width)]
    (history,) = read(tmp_path / "a.log", pieces)
    assert rewards(history) == pytest.approx(EXPECTED)
    assert {len(values) for _, values in history.steps} == {5}
    assert f"{len(pieces) - 3} pieces of lines were joined" in history.said["lines"]


@pytest.mark.parametrize("prefix", ["", "(TaskRunner pid=1) ", "    "])
def test_other_output_between_the_pieces_is_passed_over(prefix: str, tmp_path: Path) -> None:
    lines = []
    for step in (1, 2, 3):
        first, *others = cut(line(step), 90)
        lines += [first, "(WorkerDict pid=9) WARNING - x:", *(prefix + other for other in others)]
    (history,) = read(tmp_path / "a.log", lines)
    assert rewards(history) == pytest.approx(EXPECTED)


@pytest.mark.parametrize(
    "glued", ["Training Progress:  1%|#  | 1/100 [00:01<01:00]", " [repeated 2x across cluster]", "\r 3%"]
)
def test_what_sticks_to_the_end_of_a_line_does_not_hide_it(glued: str, tmp_path: Path) -> None:
    (history,) = read(tmp_path / "a.log", [line(step) + glued for step in (1, 2, 3)])
    assert rewards(history) == pytest.approx(EXPECTED)
    assert {values["perf/time_per_step"] for _, values in history.steps} == {2.5}


def test_a_line_that_follows_is_not_taken_for_more_digits(tmp_path: Path) -> None:
    (history,) = read(tmp_path / "a.log", [text for step in (1, 2, 3) for text in (line(step), "7", "x" * 300)])
    assert {values["perf/time_per_step"] for _, values in history.steps} == {2.5}
    assert not history.said


def test_a_number_that_the_end_of_a_killed_log_cut_is_left_out_and_counted(tmp_path: Path) -> None:
    torn = line(3).partition("03 - response")[0]
    (history,) = read(tmp_path / "a.log", [line(1), line(2), torn], end="")
    assert history.steps[-1] == (3, {"actor/entropy": 0.51})
    assert "1 numbers at a cut" in history.said["lines"]


@pytest.mark.parametrize("pid", [1, 7])
def test_steps_that_a_resumed_run_did_not_keep_are_left_out(pid: int, tmp_path: Path) -> None:
    lines = [line(step) for step in range(1, 31)] + [line(step, pid) for step in range(21, 26)]
    (history,) = read(tmp_path / "a.log", lines)
    assert [step for step, _ in history.steps] == list(range(1, 26))
    assert history.said["attempts"] == "resumed at 21: 10 steps of earlier attempts left out or made again"


@pytest.mark.parametrize("order", ["after", "beside"])
def test_two_runs_in_one_log_are_two(order: str, tmp_path: Path) -> None:
    one, two = [line(step) for step in (1, 2, 3)], [line(step, 1 if order == "after" else 2) for step in (1, 2)]
    lines = [*one, *two] if order == "after" else [one[0], two[0], one[1], two[1], one[2]]
    found = read(tmp_path / "a.log", lines)
    assert [(history.name, len(history.steps)) for history in found] == [("a-1", 3), ("a-2", 2)]
