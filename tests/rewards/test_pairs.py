"""Pairs of answers by kind of mistake, each in both polarities: what must be paid and what must not."""

from pathlib import Path

import pytest

from tests.rewards.labelled import is_right

_FOLDER = Path(__file__).with_name("pairs")
_WHOLE_RESPONSE = ("gsm8k", "thinking", "ordering", "choice")


def _pairs() -> list[tuple[str, str, str, str, bool]]:
    """Kind, data source, response, gold, verdict: a file's first line is a comment, its second the data source."""
    found = []
    for path in sorted(_FOLDER.glob("*.txt")):
        source, *lines = path.read_text(encoding="utf-8").splitlines()[1:]
        for line in lines:
            answer, _, gold = line[2:].partition(" :: ")
            response = answer.replace("⏎", "\n") if path.stem in _WHOLE_RESPONSE else f"So it is \\boxed{{{answer}}}."
            found.append((path.stem, source, response, gold, {"=": True, "!": False}[line[0]]))
    return found


_PAIRS = _pairs()


@pytest.mark.parametrize(
    ("source", "response", "gold", "right"),
    [pair[1:] for pair in _PAIRS],
    ids=[f"{kind}: {response} :: {gold}" for kind, _, response, gold, _ in _PAIRS],
)
def test_a_right_answer_of_each_kind_is_paid_and_a_wrong_one_is_not(
    source: str, response: str, gold: str, right: bool
) -> None:
    assert is_right(source, response, gold) is right


def test_every_kind_has_answers_of_both_verdicts() -> None:
    for kind in {pair[0] for pair in _PAIRS}:
        assert {pair[4] for pair in _PAIRS if pair[0] == kind} == {True, False}, kind
