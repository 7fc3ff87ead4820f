"""The mean trajectory of an agent that a plan reckons with: as measured runs had it, else assumed.

Every number that it rests on is an `Assumption` with its source; docs/planning.md says how time follows from them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweeper.host.amounts import number_of
from sweeper.plan.rates import kind_of
from sweeper.rows.row import ResultRow, Status
from sweeper.rows.trajectories import Trajectories
from sweeper.spec.identity import agent_settings
from sweeper.spec.run import RunSpec

# Wall and CPU seconds of one call, measured on two cores of an AMD EPYC that did other work as well: medians of 60.
CALLS = {"calculator": (1e-5, 5e-6), "search": (1e-5, 5e-6), "python": (0.054, 0.0076)}
# Not measured, and taken to be as quick as another: a game compares two numbers; public tests run in python's sandbox.
LIKE = {"higher_lower": "calculator", "verifier": "python"}
TURN = 0.0025  # CPU seconds of a loop per turn after the first: 100 trajectories of each length, without a model
OBSERVED = 1 / 3  # of the tokens behind a prompt, at most; a run of tiny-agent-130k with the calculator had .31
CHARACTERS = 4  # of an observation per token, at least: usual for English
LENGTHS = ("training.max_prompt_length", "training.max_response_length")
PREFIX_CACHE = "actor_rollout_ref.rollout.enable_prefix_caching"  # verl's key


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A number that a price rests on.

    Attributes:
        what: It is, with its unit.
        value: None: not known, and not in the price.
        source: "assumed ...", "measured: ...", or a setting.
    """

    what: str
    value: float | bool | None
    source: str

    @property
    def shown(self) -> str:
        """The value, in a plan's words."""
        if self.value is None:
            return "not known"
        if isinstance(self.value, bool):
            return "yes" if self.value else "no"
        return f"{self.value:.3g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """Means per trajectory.

    Attributes:
        turns: Of the model.
        most_turns: That a trajectory may take.
        prompt: Tokens of the prompt.
        generated: Tokens of all turns together.
        observed: Tokens between them.
        longest: Tokens that a trajectory which ends last generates.
        prefilled_again: Tokens before all turns but the first.
        wait_s: Wall seconds between two turns.
        busy_s: CPU seconds of its loop and tools.
        prefix_cache: Whether the engine keeps what came before a turn.
        beside: Whether loops and tools have a core per engine that the engine does not compute on.
        assumptions: What the others follow from.
    """

    turns: float
    most_turns: int
    prompt: float
    generated: float
    observed: float
    longest: float
    prefilled_again: float
    wait_s: float
    busy_s: float
    prefix_cache: bool
    beside: bool
    assumptions: tuple[Assumption, ...]


class PlayedRuns:
    """What the trajectories of measured runs did, by agent with the lengths it was allowed, and by model."""

    def __init__(self, rows: Sequence[ResultRow] = ()) -> None:
        found: dict[str, dict[str, list[Trajectories]]] = {}
        self._sizes: dict[str, int] = {}
        for row in rows:
            did = _did(row) if row.status is Status.completed and row.agent is not None else None
            if did is not None and row.settings and row.n_params:
                found.setdefault(_key(row.settings), {}).setdefault(row.model, []).append(did)
                self._sizes[row.model] = row.n_params
        self._found = found

    def knows(self, spec: RunSpec) -> bool:
        """Whether a run of the same agent, at the same lengths, was measured."""
        return bool(self._models(spec))

    def _models(self, spec: RunSpec) -> Mapping[str, list[Trajectories]]:
        return self._found.get(_key(spec.settings()), {}) if spec.agent.acts else {}

    def expected(self, spec: RunSpec, share: float) -> Played | None:
        """The mean trajectory of a run; None: it has no agent.

        Args:
            spec: The run.
            share: Of the longest prompts and answers allowed, where nothing was measured.
        """
        if not spec.agent.acts:
            return None
        models = self._models(spec)
        if not models:
            return _played(spec, share, _Rested.assumed(spec, share))
        size = spec.model.architecture.n_params
        name = spec.model.name
        if name not in models:
            name = min(models, key=lambda other: abs(math.log(self._sizes[other] / size)))
        did = Trajectories.total(models[name])
        assert did is not None
        runs = number_of(len(models[name]), "run")
        return _played(spec, share, _Rested.measured(did, f"measured: {runs} of this agent with {name}"))


NOTHING_MEASURED = PlayedRuns()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rested:
    """What a trajectory's price rests on, with where it is from; seconds of CPU None: not measured."""

    turns: float
    generated: float
    observed: float
    calls: float
    call_cpu_s: float | None
    again: float | None  # tokens before all turns but the first; None: as they follow from the others
    of_turns: str
    of_generated: str
    of_observed: str

    @classmethod
    def measured(cls, did: Trajectories, source: str) -> "_Rested":
        return cls(
            turns=did.mean("turns"),
            generated=did.mean("generated_tokens"),
            observed=did.mean("observed_tokens"),
            calls=did.mean("calls"),
            call_cpu_s=did.tool_cpu_s / did.calls if did.calls else None,
            again=did.mean("prefilled_again_tokens"),
            of_turns=source,
            of_generated=source,
            of_observed=source,
        )

    @classmethod
    def assumed(cls, spec: RunSpec, share: float) -> "_Rested":
        agent, turns = spec.agent, most_turns(spec)
        behind = share * spec.training.max_response_length
        behind = min(behind, max(1.0, spec.longest - share * spec.training.max_prompt_length))
        seen = min(OBSERVED * behind, (turns - 1) * agent.observation_chars / CHARACTERS)
        drawn = min(behind - seen, turns * (agent.turn_tokens or math.inf))
        return cls(
            turns=turns,
            generated=drawn,
            observed=seen,
            calls=turns - 1 if agent.tools else turns,
            call_cpu_s=None,
            again=None,
            of_turns="assumed: all that agent.max_turns and agent.max_calls allow",
            of_generated=f"assumed: {share:.0%} of the longest allowed, less what is observed, over all turns",
            of_observed=f"assumed: agent.observation_chars={agent.observation_chars} at {CHARACTERS} to a token, at "
            f"most {OBSERVED:.0%} of what follows a prompt",
        )


def most_turns(spec: RunSpec) -> int:
    """Turns that a trajectory may take: after the last call allowed one is refused, and whoever calls again ends."""
    agent = spec.agent
    if agent.max_calls is None:
        return agent.max_turns
    return min(agent.max_turns, agent.max_calls + (2 if agent.tools else 1))


def _played(spec: RunSpec, share: float, rested: _Rested) -> Played:
    most, training = most_turns(spec), spec.training
    turns, prompt = rested.turns, share * training.max_prompt_length
    later = max(0.0, turns - 1)
    between = rested.observed / later if later else 0.0
    # Who ends last took every turn, and wrote what observations left of the room.
    room = min(training.max_response_length, spec.longest - prompt) - (most - 1) * between
    longest = max(rested.generated, min(room, most * (spec.agent.turn_tokens or math.inf)))
    again = rested.again
    if again is None:
        again = later * prompt + (rested.generated / turns + between) * turns * later / 2
    wall, cpu = _call(spec, rested)
    # A call in the only turn leads nowhere: no tool is asked.
    calls = (wall, cpu) if most > 1 or spec.agent.environment else ()
    cached, why_cached = _prefix_cache(spec)
    beside = kind_of(spec) != "cpu"
    core = "on one core per engine beside it" if beside else "on the engine's core"
    return Played(
        turns=turns,
        most_turns=most,
        prompt=prompt,
        generated=rested.generated,
        observed=rested.observed,
        longest=longest,
        prefilled_again=again,
        wait_s=TURN + (wall.value or 0.0),
        busy_s=later * TURN + rested.calls * (cpu.value or 0.0),
        prefix_cache=cached,
        beside=beside,
        assumptions=(
            Assumption(what="turns per trajectory", value=turns, source=rested.of_turns),
            Assumption(what="tokens generated per turn", value=rested.generated / turns, source=rested.of_generated),
            Assumption(what="tokens observed between turns", value=between, source=rested.of_observed),
            *calls,
            Assumption(
                what="CPU seconds per further turn", value=TURN, source=f"measured: loops without a model; {core}"
            ),
            Assumption(what="a prefix cache", value=cached, source=why_cached),
        ),
    )


def _call(spec: RunSpec, rested: _Rested) -> tuple[Assumption, Assumption]:
    """Wall and CPU seconds of one call, of the slowest tool where rows do not say."""
    agent = spec.agent
    names = agent.tools or (agent.environment or "",)
    known = [CALLS[LIKE.get(name, name)] for name in names if LIKE.get(name, name) in CALLS]
    missing = [name for name in names if LIKE.get(name, name) not in CALLS]
    alike = [name for name in names if name in LIKE]
    taken = ", ".join(dict.fromkeys(LIKE.get(name, name) for name in names))
    of_ours = f"measured: {taken} on two busy cores"
    if alike:
        of_ours = f"assumed for {', '.join(alike)}, which was not measured: as {taken} on two busy cores"
    unknown = f"{', '.join(missing)} not measured, and not in the price; a call ends after {agent.limits.wall_s:g} s"
    wall, cpu = (None if missing else max(pair[i] for pair in known) for i in (0, 1))
    of_wall = of_cpu = unknown if missing else of_ours
    if rested.call_cpu_s is not None:
        cpu, of_cpu = rested.call_cpu_s, rested.of_turns
        if wall is None:
            wall, of_wall = cpu, f"its CPU seconds, {rested.of_turns}"
    return (
        Assumption(what="seconds per call", value=wall, source=of_wall),
        Assumption(what="CPU seconds per call", value=cpu, source=of_cpu),
    )


def _prefix_cache(spec: RunSpec) -> tuple[bool, str]:
    if kind_of(spec) == "cpu":
        return False, "the engine for CPUs encodes a trajectory anew before each turn"
    asked = bool(spec.verl_keys.get(PREFIX_CACHE, True))
    return asked, f"verl.{PREFIX_CACHE}={str(asked).lower()}" if PREFIX_CACHE in spec.verl_keys else "verl asks for it"


def _did(row: ResultRow) -> Trajectories | None:
    """In the steps of training; where these were not counted, in pass@k."""
    found = Trajectories.total(_steps(row))
    if found is None and (score := row.score()) is not None:
        found = score.trajectories
    return found if found is not None and found.n and found.turns else None


def _steps(row: ResultRow) -> Iterator[Trajectories]:
    return (point.trajectories for point in row.curve if point.trajectories is not None)


def _key(settings: Mapping[str, Any]) -> str:
    """What trajectories of two runs have in common: the agent, and how long they may be."""
    alike = agent_settings(settings) | {name: settings.get(name) for name in LENGTHS}
    return repr(sorted(alike.items()))
