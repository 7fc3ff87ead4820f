"""The agent of a run: which tools or environment the policy acts in, for how long, and how it calls them."""

from dataclasses import dataclass, field
from typing import Annotated

from sweeper.spec.bounds import Count, Name, Positive, Text, Word, between

NONE = "none"  # one prompt, one answer
FOLDER = "agents"  # below the results: files of tools and environments of the user's own, by their content


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolLimits:
    """What one call of a tool may take; a call that takes more ends, the trajectory goes on."""

    cpu_s: Positive = 2.0
    wall_s: Positive = 4.0
    memory_mb: Count = 1024
    output_bytes: Count = 4096  # of stdout and stderr each; more is cut, not refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """How a policy acts over several turns (arXiv:2210.03629); without tools and environment there is one turn.

    A turn is one generation of the model. A trajectory is a prompt, the model's turns, and what it observes between
    them: answers of tools, or of the environment.
    """

    name: Name = NONE
    tools: tuple[Word, ...] = ()  # of `sweeper.agent.tools`, or `FILE.py:FUNCTION` of the user's own
    environment: Text | None = None  # of `sweeper.agent.environments`, or `FILE.py:CLASS`; in place of tools
    max_turns: Count = 1  # of the model, per trajectory
    max_calls: Count | None = None  # of tools, per trajectory; a call beyond it is refused in words; null: any number
    turn_tokens: Count | None = None  # most tokens that one turn generates; null: what the context leaves
    context: Count | None = None  # most tokens of prompt, turns and observations; null: training.max_prompt_length +
    # training.max_response_length
    format: Word | None = None  # verl's parser of tool calls; null: the model's (model.tool_format)
    observation_chars: Annotated[int, between(8, 1_000_000)] = 256  # of one observation; a longer one lacks its middle
    feedback: bool = True  # whether the model sees why a call failed; false: only that it did
    tell_budget: bool = False  # the prompt says how many turns and calls there are; acc@t is then not measured
    corpus: Text | None = None  # JSON Lines of {"title", "text"} that `search` reads; null: that of the synthetic tasks
    limits: ToolLimits = field(default_factory=ToolLimits)
    # Where files of the user's own lay when the spec was made, by their digests; filled in.
    files: dict[Word, Text] = field(default_factory=dict)
    # What its parts are known by, filled in when the spec is made: versions of tools and environments, digests of the
    # corpus and of files of the user's own, versions of packages.
    versions: dict[Word, Word] = field(default_factory=dict)

    @property
    def acts(self) -> bool:
        """Whether there is anything to act on: tools or an environment."""
        return bool(self.tools) or self.environment is not None
