"""Tier 2, first: a tiny model learns, is killed, and goes on.

What the stage has found before it fails is kept: it is a generator, like those of the other stages.
"""

import math
import shutil
import statistics
from collections.abc import Iterator, Sequence

from sweeper.oversight.proof.line import Bounds, Line, judged
from sweeper.oversight.proof.made_run import MadeRun, difference
from sweeper.oversight.proof.trial import Tick, Trial
from sweeper.rows.counts import ProblemCount, read_counts
from sweeper.rows.curve import read_curve
from sweeper.rows.row import base_problems_path, problems_path
from sweeper.training.checkpoint import trained_steps

LEAST_STEPS = 20  # that can tell whether a model learns

_REAL = (
    *("model=tiny-430k", "model.resources.gpu_memory_utilization=0.4"),
    *("training.total_steps=20", "training.save_freq=10"),
)
_SMALL = (
    *("model=tiny-40k", "model.warm_start.steps=60", "model.warm_start.n_examples=3840", "data_scale=n64"),
    *("training.total_steps=8", "training.save_freq=3", "training.lr_warmup_steps=0"),
    *("eval.n_samples=8", "eval.ks=[1,8]", "eval.problems_per_domain=2", "eval.val_problems_per_domain=2"),
)


class _KilledError(Exception):
    """The run was killed where it was to be."""


def learning_run(trial: Trial) -> MadeRun:
    """A tiny model that is warm-started and then learns."""
    if trial.is_small:
        return MadeRun(trial, "learning", (*_SMALL, *trial.settings))
    return MadeRun(trial, "learning", (*_REAL, *trial.settings))


def learn_and_resume(made: MadeRun, until: Tick) -> Iterator[Line]:
    """Train a tiny model, kill it between two checkpoints, and go on with the same command.

    Raises:
        RunFailedError: either command failed, or time was up.
    """
    saved = _killed(made, until)
    if saved is None:
        yield judged("resume after kill -9", "steps", None, None, note="the run ended before it could be killed")
    else:
        made.start(until(None))
        first = next(iter(made.steps()), None)
        yield judged(
            "resume after kill -9: steps that were not made again",
            "steps",
            None if first is None else first - 1,
            Bounds(least=saved, most=saved),
            beside=saved,
            whose="the last checkpoint's",
        )
    curve = read_curve(attempt.metrics for attempt in made.run_dir.attempts())
    rewards = [point.reward for point in curve if point.reward is not None]
    wanted = made.spec.total_steps
    bounds = Bounds(least=wanted, most=wanted)
    yield judged("steps in the curve of both attempts", "steps", len(rewards), bounds, beside=wanted, whose="the run's")
    yield difference("a tiny model", curve)
    counts = [path(made.run_dir.results_dir, made.spec.run_id) for path in (base_problems_path, problems_path)]
    yield learning(*(read_counts(path) if path.exists() else [] for path in counts), steps=wanted)


def _killed(made: MadeRun, until: Tick) -> int | None:
    """Start the run and kill it after a step that no checkpoint holds.

    Returns:
        Steps of the last checkpoint; None: the run ended before it could be killed.
    """

    def tick() -> None:
        saved = trained_steps(made.run_dir.checkpoints)
        if saved and max(made.steps(), default=0) > saved:
            raise _KilledError

    try:
        made.start(until(tick))
    except _KilledError:
        for left in made.trial.scratch.iterdir():  # nothing can tidy up after itself that kill -9 ends
            shutil.rmtree(left, ignore_errors=True)
        return trained_steps(made.run_dir.checkpoints)
    return None


def learning(base: Sequence[ProblemCount], trained: Sequence[ProblemCount], *, steps: int) -> Line:
    """Whether a model solves more after RL than before, by twice the standard error of that over the problems."""
    what, before = "pass@1 after RL less before", {item.problem_id: item.c / item.n for item in base}
    gains = [item.c / item.n - before[item.problem_id] for item in trained]
    if len(gains) < 2:
        return judged(what, "", None, None, note="the run left no counts")
    gain, error = statistics.fmean(gains), statistics.stdev(gains) / math.sqrt(len(gains))
    if steps < LEAST_STEPS:
        return judged(what, "", gain, None, note=f"{steps} steps are too few to tell")
    return judged(what, "", gain, Bounds(least=2 * error), beside=2 * error, whose="at least: two standard errors")
