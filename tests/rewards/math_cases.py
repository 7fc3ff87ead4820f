"""The labelled mathematics cases of `math_cases.txt`."""

import re
from dataclasses import dataclass
from pathlib import Path

_WHOLE_RESPONSES = ("extraction", "attack")


@dataclass(frozen=True, slots=True, kw_only=True)
class MathCase:
    """A response, the gold answer and what a fair judge says; `is_core` if every fair judge says so."""

    family: str
    response: str
    answer: str
    gold: str
    is_equal: bool
    is_core: bool

    def __str__(self) -> str:
        return f"{self.family}: {self.answer} {'=' if self.is_equal else '!='} {self.gold}"


def math_cases() -> list[MathCase]:
    """All cases, in the file's order."""
    cases: list[MathCase] = []
    family = ""
    for line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("["):
            family = line.strip("[]")
            continue
        row = re.fullmatch(r"(~?)([=!]) (.*) :: (.*)", line)
        if row is None:
            raise ValueError(f"math_cases.txt: {line!r}")
        answer = row[3].replace("⏎", "\n")
        whole = family in _WHOLE_RESPONSES
        cases.append(
            MathCase(
                family=family,
                response=answer if whole else f"The answer is $\\boxed{{{answer}}}$.",
                answer=answer,
                gold=row[4],
                is_equal=row[2] == "=",
                is_core=not row[1],
            )
        )
    return cases
