"""Verdicts of single samples, one a line or a list a problem, as counts: HumanEval, lm-eval, evalplus."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sweeper.host.errors import ResultsError

PROBLEMS = ("task_id", "problem_id", "question_id", "doc_id", "problem")
VERDICTS = ("passed", "correct", "is_correct", "exact_match", "acc", "resolved")
_WORDS = {"true": True, "1": True, "1.0": True, "pass": True, "false": False, "0": False, "0.0": False, "fail": False}
Line = dict[str, Any]


def keys_of(columns: list[str]) -> tuple[str, str] | None:
    """Names of the problem and of the verdict among columns; None: lines are no samples."""
    problem = next((name for name in PROBLEMS if name in columns), None)
    verdict = next((name for name in VERDICTS if name in columns), None)
    return (problem, verdict) if problem and verdict else None


def counted(lines: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Line]:
    """Counts of (where, sample); lm-eval's filters are groups.

    Raises:
        ResultsError: a line lacks problem or verdict, or its verdict is neither right nor wrong; says which.
    """
    n: Counter[tuple[str, str]] = Counter()
    c: Counter[tuple[str, str]] = Counter()
    keys = keys_of(list(lines[0][1]))
    filtered = keys is not None and len({str(line.get("filter")) for _, line in lines}) > 1
    for where, line in lines:
        if keys is None or any(line.get(key) is None for key in keys):
            raise ResultsError(
                f"{where}: it lacks the problem ({', '.join(PROBLEMS)}) or verdict ({', '.join(VERDICTS)})"
            )
        if len((line.get("resps") or [[]])[0]) > 1:
            raise ResultsError(f"{where}: several responses share one verdict; what each is worth is not said")
        right = _WORDS.get(str(line[keys[1]]).strip().lower())
        if right is None:
            raise ResultsError(
                f"{where}: {keys[1]}={line[keys[1]]!r} is neither right nor wrong (true or false, 1 or 0)"
            )
        place = (str(line["filter"]) if filtered else "", str(line[keys[0]]).strip())
        n[place] += 1
        c[place] += right
    return [
        {
            "problem_id": problem,
            "n": n[group, problem],
            "c": c[group, problem],
            **({"group": group} if filtered else {}),
        }
        for group, problem in n
    ]


def evalplus(tasks: Mapping[str, Any], where: str) -> list[Line]:
    """Counts of `eval` in eval_results.json: the base tests, and base and further tests together, as groups."""
    return list(_evalplus(tasks, where))


def _evalplus(tasks: Mapping[str, Any], where: str) -> Iterator[Line]:
    for task, samples in tasks.items():
        try:
            base = [sample["base_status"] == "pass" for sample in samples]
            plus = [sample["plus_status"] for sample in samples if sample.get("plus_status") is not None]
        except (TypeError, KeyError, AttributeError):
            raise ResultsError(f"{where}: {task} has no list of samples with base_status") from None
        yield {"problem_id": task, "group": "base", "n": len(base), "c": sum(base)}
        if len(plus) == len(base):
            both = sum(one and other == "pass" for one, other in zip(base, plus, strict=True))
            yield {"problem_id": task, "group": "plus", "n": len(base), "c": both}
