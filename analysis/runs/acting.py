"""What agents did, problem by problem: runs cut down to a number of turns, and rates of what trajectories hold."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.runs.counts import Counts, Floats
from analysis.runs.hyperparameters import agent
from analysis.runs.selection import Run
from sweeper.rows.differences import between_rows
from sweeper.rows.row import ResultRow
from sweeper.rows.trajectories import Trajectories
from sweeper.spec.agent import NONE

NO_AGENT = "no completed run has an agent (agent=NAME; docs/agents.md)"
ONE_STEP = {"calculator", "search"}
OF_AGENT = "agent."  # how the keys of its settings begin
# What is set for an agent beside it: more turns need a longer context.
WITH_AGENT = ("training.max_prompt_length", "training.max_response_length")


def acts(row: ResultRow) -> bool:
    """Whether the policy had something to act on."""
    return agent(row) != NONE


def tells_budget(row: ResultRow) -> bool:
    """Whether the prompt says how many turns there are: what fewer would have given is then not known."""
    return bool((row.settings or {}).get("agent.tell_budget"))


def most_turns(row: ResultRow) -> int | None:
    """Turns that a trajectory may take; None: not known."""
    turns = (row.settings or {}).get("agent.max_turns")
    return turns if isinstance(turns, int) else None


def agent_settings(rows: Sequence[ResultRow], *keys: str) -> list[str]:
    """Names (`analysis.runs.hyperparameters.other_settings`) of settings that differ in these rows.

    Args:
        rows: To compare.
        keys: Dotted, of the settings; none: all that belong to an agent (`WITH_AGENT`).
    """
    return [
        item.name
        for item in between_rows(rows)
        if (item.key in keys if keys else item.key.startswith(OF_AGENT) or item.key in WITH_AGENT)
    ]


def agent_words(rows: Sequence[ResultRow]) -> dict[str, str]:
    """The agent of each row by its id, with those of its settings that tell agents apart: "python, feedback false"."""
    own = [item for item in between_rows(rows) if item.key.startswith(OF_AGENT)]
    return {
        row.run_id: ", ".join([agent(row), *(f"{item.name} {item.texts[i]}" for item in own if acts(row))])
        for i, row in enumerate(rows)
    }


def known_trajectories(counts: Counts | None) -> tuple[Trajectories, ...] | None:
    """Of every problem; None where those of one are not known."""
    found = () if counts is None else tuple(item for item in counts.trajectories if item is not None and item.n)
    return found if found and counts is not None and len(found) == len(counts.problem_ids) else None


def turns_measured(counts: Counts | None) -> int:
    """The most turns T such that right answers within 1 ... T turns were counted on every problem; 0: they were not."""
    return min((len(item.correct_at_turns) for item in known_trajectories(counts) or ()), default=0)


def calls_needed(run: Run) -> Floats | None:
    """Of every problem, as the synthetic tasks of agents state it with their level; NaN where that is no whole number.

    None of other data, and in an environment, where a level says how large a game is.
    """
    settings = run.row.settings or {}
    is_told = settings.get("data.tasks") == "agent" and settings.get("agent.environment") is None
    if run.trained is None or not is_told:
        return None
    levels = run.trained.difficulties
    return np.array([np.nan if level is None or level % 1 else level for level in levels], dtype=np.float64)


def takes_one_step_per_call(row: ResultRow) -> bool:
    """Whether every tool of the agent does one step of a problem per call: fewer calls than it needs are too few.

    Python does several; of a tool of the user's own it is not known.
    """
    tools = set((row.settings or {}).get("agent.tools") or ())
    return bool(tools) and tools <= ONE_STEP


def within_turns(run: Run, turns: int) -> Run:
    """The run with an answer right only if it was given within `turns` turns.

    Its base model's counts are None where they were not measured so.

    Raises:
        ValueError: the trained model's were not.
    """
    trained = _within(run.trained, turns)
    if trained is None:
        raise ValueError(f"{run.row.run_id} was not measured within {turns} turns")
    return Run(row=run.row, trained=trained, base=_within(run.base, turns))


def _within(counts: Counts | None, turns: int) -> Counts | None:
    found = known_trajectories(counts)
    if counts is None or found is None or turns_measured(counts) < turns:
        return None
    return replace(counts, c=tuple(item.correct_at_turns[turns - 1] for item in found))


def generated_tokens(run: Run) -> float | None:
    """Tokens that the trained model drew, per sample, mean over problems; None where they were not counted."""
    counts = run.trained
    if counts is None:
        return None
    if (found := known_trajectories(counts)) is not None:
        return float(np.mean([item.mean("generated_tokens") for item in found]))
    known = [tokens / n for tokens, n in zip(counts.response_tokens, counts.n, strict=False) if tokens is not None]
    return float(np.mean(known)) if len(known) == len(counts.problem_ids) else None
