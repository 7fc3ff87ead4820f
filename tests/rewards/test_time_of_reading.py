"""Answers as a model that repeats itself writes them take no longer to read than others do."""

import time

import pytest

from rewards import compute_score

_ANSWERS = {
    "a chain of quotients": ("math__dapo", f"\\boxed{{{'m/a^2 ' * 200}}}"),
    "words behind a number": ("math__dapo", f"\\boxed{{1 {'a ' * 14}!}}"),
    "units with powers": ("math__dapo", f"\\boxed{{1 {'m^2 ' * 12}!}}"),
    "amounts of units": ("math__dapo", f"\\boxed{{{'1 m ' * 11}!}}"),
    "digits on GSM8K's line": ("math__gsm8k", f"#### {'1' * 8000}"),
}


@pytest.mark.parametrize("kind", _ANSWERS)
def test_repetition_is_read_in_less_than_a_second_of_cpu(kind: str) -> None:
    source, response = _ANSWERS[kind]
    begun = time.thread_time()
    assert compute_score(source, response, "5")["outcome"] == "wrong"
    assert time.thread_time() - begun < 1.0
