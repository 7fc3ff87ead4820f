"""Problems of the package reasoning-gym as rows: graded, endless, the same for the same seed.

A problem's number of the stream of a task and level is its place in blocks whose seeds are hashes of the data seed, so
streams of two seeds do not overlap. Held-out problems do not depend on the data seed: all runs share one evaluation.
"""

import ast
import contextlib
import hashlib
import io
import itertools
import os
import random
import signal
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from typing import Any

from data_prep.files.row import Message, Row, as_json
from data_prep.spec import DataError
from rewards import Domain
from rewards.gym import task
from rewards.gym.answer_form import is_of_its_form
from rewards.gym.package import LEFT_OUT, RELEASE, require
from rewards.problem.extraction import last_answer
from rewards.sandbox.walls.lockdown import die_with_parent
from rewards.sandbox.worker import pool_size

LICENCE = "Apache-2.0"
INSTRUCTION = "Write your final answer, in the form that the problem asks for, between <answer> and </answer>."
_DOMAINS = {
    **dict.fromkeys(("algebra", "arithmetic", "geometry", "probability"), Domain.MATH),
    "code": Domain.SIMULATION,
}
# Problems drawn in a row that are there already before a stream counts as exhausted.
_PATIENCE = 200
# Of CPU time, for one problem.
_MOST_S = 60
_HASHES = "PYTHONHASHSEED"


@dataclass(slots=True)
class Made:
    """Rows of one split, and what was asked for and is not there: a line each."""

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def domain_of_task(name: str) -> Domain:
    """Math, logic or simulation: the domain that a task's rows are of."""
    return _DOMAINS.get(task.category(name), Domain.LOGIC)


def usable_tasks(wanted: Sequence[str] = ()) -> list[str]:
    """The tasks to use, in order of name: all that can be scored, or those of the names and domains that are wanted.

    Raises:
        DataError: An unknown name, or that of a task that cannot be scored.
        GymMissing: The package is not installed.
    """
    require()
    usable = [name for name in task.names() if name not in LEFT_OUT]
    if not wanted:
        return usable
    chosen = set()
    for name in wanted:
        if name in LEFT_OUT:
            raise DataError(f"reasoning-gym's {name} cannot be used: {LEFT_OUT[name]}. Leave it out.")
        of_domain = {one for one in usable if domain_of_task(one) == name}
        if name not in usable and not of_domain:
            raise DataError(f"{name} is no task of reasoning-gym and no domain of them. Tasks: {', '.join(usable)}.")
        chosen |= of_domain or {name}
    return sorted(chosen)


def make(
    tasks: Sequence[str],
    *,
    n: int,
    split: str,
    seed: int,
    levels: Collection[int] = (),
    but: Collection[str] = (),
) -> Made:
    """`n` problems of each task, its levels in turn, without repetitions.

    Args:
        tasks: Of `usable_tasks`.
        n: Problems per task.
        split: Part of the seed, so that streams of two splits differ.
        seed: Of the data.
        levels: Wanted; none: all. A task without levels is always used.
        but: Texts of problems that are another split's.

    Raises:
        DataError: A task without any of the levels.
    """
    made = Made()
    for name in tasks:
        known = task.levels(name)
        chosen = [level for level in known if level is None or not levels or level in levels]
        if not chosen:
            raise DataError(f"reasoning-gym's {name} has the levels {known}, none of those asked for. Leave it out.")
        streams = [_Stream(name, level, f"{split}/{seed}") for level in chosen]
        rows = _in_turn(streams, n, set(but))
        made.rows += rows
        made.notes += [note for stream in streams for note in stream.notes()]
        if len(rows) < n:
            made.notes.append(f"{name}: {len(rows)} problems, where {n} were asked for")
    return made


def parts_of(tasks: Sequence[str], *, n: int, held_out: int, seed: int, levels: Collection[int]) -> tuple[Made, Made]:
    """Training and held-out problems, no text in both: `n` and `held_out` of each task.

    They are made in processes with fixed hashes of text: some tasks draw from sets.

    Raises:
        DataError: As for `make`.
    """
    call = partial(_parts, n=n, held_out=held_out, seed=seed, levels=levels)
    train, test = Made(), Made()
    with _fixed_hashes(len(tasks)) as pool:
        for made in pool.map(call, tasks):
            for part, of_task in zip((train, test), made, strict=True):
                part.rows += of_task.rows
                part.notes += of_task.notes
    return train, test


def _parts(name: str, *, n: int, held_out: int, seed: int, levels: Collection[int]) -> tuple[Made, Made]:
    test = make([name], n=held_out, split="held out", seed=0, levels=levels)
    texts = {row.prompt[0].content for row in test.rows}
    return make([name], n=n, split="train", seed=seed, levels=levels, but=texts), test


@contextlib.contextmanager
def _fixed_hashes(most: int) -> Iterator[ProcessPoolExecutor]:
    before = os.environ.get(_HASHES)
    os.environ[_HASHES] = "0"
    try:
        with ProcessPoolExecutor(
            min(most, pool_size()), get_context("spawn"), initializer=die_with_parent, initargs=(os.getpid(),)
        ) as pool:
            yield pool
    finally:
        if before is None:
            del os.environ[_HASHES]
        else:
            os.environ[_HASHES] = before


def _in_turn(streams: Sequence["_Stream"], n: int, seen: set[str]) -> list[Row]:
    """At most `n` rows, one of each stream in turn, while there are new ones."""
    rows: list[Row] = []
    while len(rows) < n and not all(stream.is_exhausted for stream in streams):
        for stream in streams:
            row = stream.next_but(seen) if len(rows) < n else None
            if row is not None:
                seen.add(row.prompt[0].content)
                rows.append(row)
    return rows


class _Stream:
    """The problems of one task and level that are fit to be trained on."""

    def __init__(self, name: str, level: int | None, seed: str) -> None:
        self._name, self._level = name, level
        self._problems = self._drawn(seed)
        self._found = self._refused = self._not_made = 0
        self.is_exhausted = False

    def next_but(self, seen: Collection[str]) -> Row | None:
        """The next that is none of `seen`; None once there seem to be no more."""
        for _ in range(0 if self.is_exhausted else _PATIENCE):
            row = next(self._problems)
            if row is not None and row.prompt[0].content not in seen:
                self._found += 1
                return row
        self.is_exhausted = True
        return None

    def notes(self) -> list[str]:
        """What is not as one might think."""
        where = self._name if self._level is None else f"{self._name} level {self._level}"
        refused = f"{where}: {self._refused} left out, whose own gold is not taken as right"
        not_made = f"{where}: {self._not_made} that the package failed to make"
        exhausted = f"{where}: {self._found} problems, then {_PATIENCE} in a row that were there already or left out"
        counted = ((refused, self._refused), (not_made, self._not_made), (exhausted, self.is_exhausted))
        return [note for note, count in counted if count]

    @contextlib.contextmanager
    def _in_time(self) -> Iterator[None]:
        """Refuses a level of which a problem takes too long. Of the main thread."""

        def stop(*_: object) -> None:
            of_level = "" if self._level is None else f" of level {self._level}"
            raise DataError(
                f"reasoning-gym's {self._name}: a problem{of_level} took more than {_MOST_S} s of CPU time. Leave the "
                "task out (--tasks), or the level (--levels)."
            )

        before = signal.signal(signal.SIGPROF, stop)
        signal.setitimer(signal.ITIMER_PROF, _MOST_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    def _drawn(self, seed: str) -> Iterator[Row | None]:
        """Its rows without end; None in the place of one that failed, or that its own scorer would not reward."""
        for block in itertools.count():
            text = f"{seed}/{self._name}/{self._level}/{block}"
            of_block = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) >> 1
            _seed_everything(of_block)
            problems = task.dataset(self._name, self._level, seed=of_block)
            for number in range(task.BLOCK):
                _seed_everything(of_block + number)
                try:
                    with self._in_time(), contextlib.redirect_stdout(io.StringIO()):  # some tell of their progress
                        problem = _plain(problems[number])
                except DataError:
                    raise
                except (ValueError, AssertionError, IndexError, RuntimeError):
                    self._not_made += 1
                    yield None
                    continue
                is_right = _is_right(self._name, problems, problem)
                self._refused += not is_right
                yield _row(self._name, self._level, problem) if is_right else None


def _is_right(name: str, problems: Any, problem: dict[str, Any]) -> bool:
    """Whether the gold, answered as a model would, earns 1.0 once the problem has been written and read."""
    try:
        written = ast.literal_eval(repr(problem))
        answer = last_answer(f"<answer>{problem['answer']}</answer>")
        is_text = isinstance(problem["answer"], str) and answer is not None and is_of_its_form(name, answer)
        with contextlib.redirect_stdout(io.StringIO()):
            return is_text and problems.score_answer(answer, written) == 1.0
    except (ValueError, SyntaxError, TypeError):  # it holds what Python has no literal for
        return False


def _plain(value: Any) -> Any:
    """Without numpy's scalars, which have no literals."""
    if isinstance(value, dict):
        return {_plain(key): _plain(one) for key, one in value.items()}
    if type(value) in (list, tuple, set):
        return type(value)(_plain(one) for one in value)
    return value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value


def _seed_everything(seed: int) -> None:
    """Some tasks draw from the generators that all modules share."""
    import numpy as np

    random.seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)


def _row(name: str, level: int | None, problem: dict[str, Any]) -> Row:
    domain, question = domain_of_task(name), str(problem["question"])
    literal = repr({key: problem[key] for key in ("question", "answer", "metadata")})
    about = {"gym_release": RELEASE, "gym_task": name, "gym_level": level, "gym_problem": literal}
    digest = hashlib.sha256(f"{name}\0{question}".encode()).hexdigest()[:16]
    return Row(
        data_source=f"{domain}__reasoning_gym__{name}",
        prompt=(Message("user", f"{question.rstrip()}\n\n{INSTRUCTION}"),),
        ability=str(domain),
        style="rule",
        ground_truth=problem["answer"],
        problem_id=f"{domain}-{digest}",
        domain=domain,
        difficulty=None if level is None else float(level),
        rest=as_json({key: value for key, value in about.items() if value is not None}),
    )
