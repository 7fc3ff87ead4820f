"""What the tables of labelled answers share."""

from collections.abc import Iterable

import pytest

from rewards import compute_score


def is_right(source: str, response: str, gold: object, extra: dict[str, object] | None = None) -> bool:
    scored = compute_score(source, response, gold, extra)
    assert scored["score"] == scored["acc"]
    assert (scored["outcome"] == "correct") == (scored["acc"] == 1.0)
    return scored["acc"] == 1.0


def table(rows: Iterable[tuple[object, ...]]) -> pytest.MarkDecorator:
    """Parametrises `answer` and `gold`, with the answers themselves as names."""
    listed = list(rows)
    return pytest.mark.parametrize(("answer", "gold"), listed, ids=[repr(row[0])[:60] for row in listed])
