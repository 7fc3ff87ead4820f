"""What reasoning-gym's scorers pay although it is wrong: `python -m tests.rewards.bench_gym [TASK ...]`.

Of each task, golds with one number in them changed by 1, and golds with two different neighbouring lines, words or
characters swapped, are given to the task's own scorer. A task whose problems have several right answers may pay some
of them rightly, so the list is to be read, not added up.
"""

import argparse
import contextlib
import io
import re
import warnings
from random import Random
from typing import Any

from rewards.gym import task
from rewards.gym.answer_form import is_of_its_form
from rewards.gym.package import LEFT_OUT

_INTEGER = re.compile(r"(?<![\w.])\d{1,15}(?=(?:\.\d+)?(?![\w]))")
_IDLE = ("and", "→")


def changed(gold: str, rng: Random) -> list[str]:
    """Answers that differ from `gold` in one number, or in the order of two things."""
    numbers = list(_INTEGER.finditer(gold))
    found = []
    if numbers:
        one = rng.choice(numbers)
        found.append(f"{gold[: one.start()]}{int(one.group()) + 1}{gold[one.end() :]}")
    parts = re.split(r"(\s+)", gold)
    words = [
        at
        for at in range(0, len(parts) - 2, 2)
        if parts[at] != parts[at + 2] and not {parts[at], parts[at + 2]} & {*_IDLE}
    ]
    if words:
        at = rng.choice(words)
        parts[at], parts[at + 2] = parts[at + 2], parts[at]
        found.append("".join(parts))
    return [text for text in found if text != gold]


def paid(name: str, level: int | None, n: int) -> tuple[int, int, list[tuple[str, str]]]:
    """How many of the changed golds of `n` problems earn 1.0, of how many, and which (gold, answer)."""
    rng, problems = Random(name), task.dataset(name, level, seed=1)
    tried, found = 0, []
    for number in range(n):
        problem: dict[str, Any] = problems[number]
        gold = str(problem["answer"])
        for answer in changed(gold, rng):
            if not is_of_its_form(name, answer):
                continue
            tried += 1
            with contextlib.suppress(Exception):
                if problems.score_answer(answer, problem) == 1.0:
                    found.append((gold, answer))
    return len(found), tried, found


def main() -> None:
    """Prints a line for each task that pays any."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tasks", nargs="*")
    parser.add_argument("--n", type=int, default=20, help="problems of each task, at its first level")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    chosen = options.tasks or [name for name in task.names() if name not in LEFT_OUT]
    clean = []
    for name in chosen:
        with contextlib.redirect_stdout(io.StringIO()):
            count, tried, found = paid(name, task.levels(name)[0], options.n)
        if count:
            gold, answer = found[0]
            print(f"{name}: {count} of {tried}, such as {answer[:60]!r} for {gold[:60]!r}", flush=True)
        elif tried:
            clean.append(name)
    print(f"none of {len(clean)} other tasks")


if __name__ == "__main__":
    main()
