"""Scores answers to problems of reasoning-gym by the package's own `score_answer`, isolated as programs of a model are.

Each answer gets a locked-down child of its own (`rewards.sandbox.runs` says what that holds, and against what not), so
nothing that one answer does is there for the next.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from rewards.gym.answer_form import has_its_numbers, is_of_its_form
from rewards.gym.package import LEFT_OUT, RELEASE, require
from rewards.problem.extraction import after_thinking, last_answer
from rewards.problem.question import BadGroundTruth, Question
from rewards.problem.verdict import Outcome, Verdict, verdict_of
from rewards.sandbox.cores import one_core
from rewards.sandbox.execution import Ended, Limits, execute, memory_file
from rewards.sandbox.frames import WorkerTimeout
from rewards.sandbox.walls.isolation import Level, SandboxUnavailable, find_isolation, start_worker
from rewards.sandbox.worker import Worker, WorkerPool, pool_size

# Of extra_info: what the row of a problem must say beside its gold.
FIELDS = ("gym_release", "gym_task", "gym_level", "gym_problem")
LIMITS = Limits(cpu_s=6, wall_s=12.0, memory_mb=3072)
_REPORT_BYTES = 1 << 12


@dataclass(frozen=True, slots=True, kw_only=True)
class GymProblem:
    """A problem as its scorer wants it. `problem` is a Python literal; `level` is None where the task has none."""

    task: str
    level: int | None
    problem: str
    gold: str


def parse_problem(question: Question) -> GymProblem:
    """The problem of a row.

    Raises:
        BadGroundTruth: The row was not made by `data_prep reasoning-gym`, or with another release of the package.
        GymMissing: The package is not installed.
    """
    require()
    release, task, level, problem = (question.get(name) for name in FIELDS)
    if not (release and task and problem):
        raise BadGroundTruth(
            "the row has no gym_release, gym_task and gym_problem: data_prep reasoning-gym writes them"
        )
    if release != RELEASE:
        raise BadGroundTruth(f"the row was made with {release}, and {RELEASE} scores here: make the files again")
    if task in LEFT_OUT:
        raise BadGroundTruth(f"reasoning-gym's {task} cannot be scored: {LEFT_OUT[task]}")
    return GymProblem(task=task, level=int(level) if level else None, problem=problem, gold=question.gold)


def score_gym(response: str, problem: GymProblem) -> Verdict:
    """Scores what the response has between its last `<answer>` and `</answer>`: right at the package's 1.0 alone.

    Raises:
        SandboxUnavailable: No isolation holds here.
        WorkerDied: The closed process could not be started.
    """
    answer = last_answer(after_thinking(response))
    if answer is None:
        return Verdict(outcome=Outcome.NO_ANSWER)
    if not is_of_its_form(problem.task, answer) or not has_its_numbers(problem.task, answer, problem.gold):
        return verdict_of(False, answer)
    request = {"task": problem.task, "level": problem.level, "problem": problem.problem, "answer": answer}
    return _verdict(_run([json.dumps(request).encode()]), answer)


def _verdict(ended: Ended | None, answer: str) -> Verdict:
    if ended is None or ended.late:
        return Verdict(outcome=Outcome.TIMEOUT, pred=answer)
    try:
        report = json.loads(ended.output) if ended.exit == 0 and not ended.flooded else {"error": "its process died"}
        if "error" in report:
            return Verdict(outcome=Outcome.ERROR, pred=f"reasoning-gym: {report['error']}")
        return verdict_of(report["score"] == 1.0, answer)
    except (ValueError, TypeError, KeyError):
        return Verdict(outcome=Outcome.ERROR, pred="reasoning-gym: no report")


def _run(contents: Sequence[bytes]) -> Ended | None:
    given: list[int] = []
    try:
        for content in contents:
            given.append(memory_file(content))
        return _pool.use(partial(_executed, given=given))
    except WorkerTimeout:
        return None
    finally:
        for descriptor in given:
            os.close(descriptor)


def _executed(worker: Worker, given: Sequence[int]) -> Ended:
    with one_core():
        return execute(worker, "gym", given, LIMITS, _REPORT_BYTES)


def _started() -> Worker:
    require()
    if find_isolation().level is Level.REMOTE:
        raise SandboxUnavailable(
            "reasoning-gym's scorers execute answers, and no isolation of this machine holds; the remote sandbox does "
            "not have them. Run where `rewards doctor` finds a level, or leave the problems out of the data folder."
        )
    return start_worker("rewards.gym.inside")


# Each process holds the package and sympy, so fewer than the sandbox's.
_pool = WorkerPool(min(2, pool_size()), _started)
