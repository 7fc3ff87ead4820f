"""What an agent cannot do with a run's model and data: refused at plan, with the key and the cure."""

from difflib import get_close_matches

from data_prep.prompt_style import OWN_STYLE
from sweeper.agent.formats import OPENINGS
from sweeper.host.errors import ConfigError
from sweeper.rows.counts import MOST_TURNS
from sweeper.spec.agent import NONE
from sweeper.spec.run import RunSpec


def refuse_agent(spec: RunSpec) -> None:
    """Refuse an agent that could not act as it is asked to.

    Raises:
        ConfigError: the model's template knows no calls that verl reads, or leaves tools out; a limit is above what
            there is, or leaves no turn; a name that says that nothing acts.
    """
    agent = spec.agent
    if not agent.acts:
        return
    if agent.name == NONE:
        acting = f"agent.tools={list(agent.tools)}" if agent.tools else f"agent.environment={agent.environment}"
        raise ConfigError(
            f"agent.name={NONE} means one prompt and one answer, and {acting} acts; name it (agent.name=mine), or "
            "leave that out"
        )
    if agent.tools:
        _refuse_format(spec)
    _refuse_limits(spec)


def _refuse_limits(spec: RunSpec) -> None:
    agent, training = spec.agent, spec.training
    if agent.max_turns > MOST_TURNS:
        raise ConfigError(f"agent.max_turns={agent.max_turns}: at most {MOST_TURNS:,} turns are counted; lower it")
    if agent.context is not None and agent.context > training.max_length:
        raise ConfigError(
            f"agent.context={agent.context} is above {training.max_length}, which is training.max_prompt_length + "
            "training.max_response_length; lower it, or raise one of those"
        )
    if agent.context is not None and agent.context <= training.max_prompt_length:
        raise ConfigError(
            f"agent.context={agent.context} is all of training.max_prompt_length={training.max_prompt_length}: a "
            "prompt of that length leaves no token of a turn, and its trajectories are lost; raise it, or lower that"
        )
    if agent.turn_tokens is not None and agent.turn_tokens > training.max_response_length:
        raise ConfigError(
            f"agent.turn_tokens={agent.turn_tokens} is above training.max_response_length="
            f"{training.max_response_length}, which all turns share; lower it, or raise that"
        )


def _refuse_format(spec: RunSpec) -> None:
    """Refuse tools where calls would not be read, or where the model is never told of them."""
    agent, model = spec.agent, spec.model
    if model.prompt_style != OWN_STYLE:
        raise ConfigError(
            f"agent.tools={list(agent.tools)}: the template of model.prompt_style={model.prompt_style} leaves tools "
            f"out, so {model.name} would not know of them; set model.prompt_style={OWN_STYLE}, its own template"
        )
    style = spec.call_format
    if style is None:
        raise ConfigError(
            f"agent.tools={list(agent.tools)}: nothing says how {model.name} writes calls (model.tool_format is null); "
            "choose a model that calls tools (model_family=qwen2.5-instruct, qwen3-thinking or tiny-agent), or set "
            f"agent.format to one of verl's parsers if its template is of that form: {', '.join(OPENINGS)}"
        )
    if style not in OPENINGS:
        near = get_close_matches(style, OPENINGS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(f"agent.format={style}: verl has no such parser; {hint}Known: {', '.join(OPENINGS)}")
