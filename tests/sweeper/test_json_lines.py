"""Lines of JSON, as every reader of ours tells them apart."""

import json
from pathlib import Path

import pytest

from sweeper.host.json_lines import json_lines
from sweeper.rows.curve import read_curve

_ENDS = "one\u2028two\u2029three\x85four\x0bfive\x0csix\x1eseven"  # where str.splitlines() cuts, and JSON does not


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    texts = [json.dumps({"text": _ENDS}, ensure_ascii=False), "", json.dumps({"text": "next"})]
    path.write_bytes("\r\n".join(texts).replace("\x0b", "\\u000b").encode())
    assert list(json_lines(path)) == [(1, {"text": _ENDS}), (3, {"text": "next"})]


def test_a_damaged_line_is_refused_by_its_number_or_left_out_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('\ufeff{"a": 1}\n{"a": 2}\n{"a":')
    with pytest.raises(ValueError, match="line 3: "):
        list(json_lines(path))
    assert [value for _, value in json_lines(path, skip_damaged=True)] == [{"a": 1}, {"a": 2}]


def test_text_that_is_not_utf_8_is_refused_or_costs_its_own_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n\xff\n')
    with pytest.raises(ValueError, match="not UTF-8 text"):
        list(json_lines(path))
    assert list(json_lines(path, skip_damaged=True)) == [(1, {"a": 1})]


def test_a_metric_with_another_end_of_line_in_its_name_costs_no_step_of_a_curve(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    data = {"critic/score/mean": 0.5, "val-core/a\u2028b/acc/mean@1": 0.25}
    path.write_text(json.dumps({"step": 1, "data": data}, ensure_ascii=False) + "\n", encoding="utf-8")
    [point] = read_curve([path])
    assert (point.step, point.reward, point.val_pass1) == (1, 0.5, 0.25)
