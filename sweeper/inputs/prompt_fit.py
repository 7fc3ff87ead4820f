"""Whether any problem is as short as a run asks for, told before its model and its data are made."""

import json
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from data_prep.cleaning.lengths import PromptLengths
from data_prep.files.row import Message
from data_prep.prompt_style import OWN_STYLE, chat_template
from data_prep.sources.glance import training_prompts
from data_prep.spec import DataError, Tasks
from data_prep.synthetic.tasks import STRINGS, Split, problems, task_domains
from rewards import Domain
from sweeper.agent.prompt import ending_of
from sweeper.host.errors import ConfigError
from sweeper.inputs import tiny
from sweeper.inputs.models import folder_at_hand
from sweeper.inputs.prompt_limit import limit_words, tools_of
from sweeper.spec.model import ModelSource
from sweeper.spec.run import RunSpec

_AT_ONCE = 64  # of synthetic tasks: all levels, several times
_FRAME = 256  # tokens that a chat template puts around a turn, at most; a text has no more tokens than bytes


class NoneFits(NamedTuple):
    """Problems of which none has so short a prompt."""

    what: str
    longest: int  # tokens of the longest prompt


def refuse_long_prompts(spec: RunSpec, results_dir: Path) -> None:
    """Refuse a length that no problem to train on has, as far as model and data are at hand.

    Raises:
        ConfigError: `training.max_prompt_length`, and how long prompts are.
    """
    domains = tuple(domain for domain in Domain if spec.domain_mix.weights.get(domain, 0) > 0)
    # Of tasks each domain must have some, for none can take their places.
    for part in [(domain,) for domain in domains] if spec.data.root is None else [domains]:
        none = none_fits(spec, results_dir, part)
        if none is not None:
            raise ConfigError(
                f"{limit_words(spec)}: none of {none.what} has so short a prompt; the longest has {none.longest} tokens"
            )


def none_fits(spec: RunSpec, results_dir: Path | None, domains: tuple[Domain, ...]) -> NoneFits | None:
    """What is to be said where no prompt of some domains is as short as a run asks for; None: one is, or nobody knows.

    The tokenizer of tiny models is ours, so it is always at hand; others are looked for in a results folder.
    """
    is_tiny = spec.model.source is ModelSource.tiny
    model = None if is_tiny or results_dir is None else folder_at_hand(spec.model, results_dir)
    if model is None and not is_tiny:
        return None
    style = spec.model.prompt_style if is_tiny else OWN_STYLE  # what is at hand has its style in it
    asked = _Asked(
        style,
        spec.training.max_prompt_length,
        spec.data.tasks,
        spec.model.warm_start.tasks,
        tools_of(spec.agent, results_dir),
        ending_of(spec.agent),
    )
    return _none_fits(model, asked, spec.data.root, spec.data.digest, domains)


class _Asked(NamedTuple):
    """How a run asks."""

    style: str  # of prompts
    limit: int  # in tokens
    tasks: Tasks  # which synthetic ones
    tokens: Tasks  # those that a tiny model's tokenizer is for
    tools: str  # JSON of schemas
    ending: str  # of every prompt


@cache
def _none_fits(
    model: Path | None, asked: _Asked, root: str | None, digest: str | None, domains: tuple[Domain, ...]
) -> NoneFits | None:
    """See `none_fits`.

    Args:
        model: Folder with the tokenizer; None: the tiny models' own.
        asked: How.
        root: Folder of data; None: synthetic tasks.
        digest: The folder's: another one is another folder.
        domains: That are trained on.
    """
    del digest
    style, limit, tasks, tokens, tools, ending = asked
    schemas, is_ours = json.loads(tools) if tools else [], model is None and style == OWN_STYLE
    frame = tiny.frame_of([one["function"]["name"] for one in schemas]) if is_ours else _FRAME
    frame += len(ending.encode())
    lengths, n, longest = None, 0, 0
    try:
        prompts = _tasks(domains[0], tasks) if root is None else training_prompts(Path(root), domains)
        while some := list(islice(prompts, _AT_ONCE)):
            # Loading a tokenizer takes seconds, and is rarely needed; what other templates make of schemas it says.
            if (is_ours or not tools) and any(
                sum(len(turn.content.encode()) + frame for turn in prompt) <= limit for prompt in some
            ):
                return None
            lengths = lengths or PromptLengths(
                model or tiny.build_tokenizer(STRINGS[tokens], acts=tokens is Tasks.agent),
                chat_template=chat_template(style),
                tools=schemas,
                ending=ending,
            )
            if len(lengths.too_long(some, limit)) < len(some):
                return None
            n, longest = n + len(some), max(longest, lengths.longest(some))
    except (DataError, ModuleNotFoundError):  # a laptop that only plans has no transformers: the launch counts
        return None
    what = f"the first {n} synthetic {domains[0]} problems" if root is None else f"the {n} problems of data_root={root}"
    return NoneFits(what, longest) if n else None


def _tasks(domain: Domain, tasks: Tasks) -> Iterator[tuple[Message, ...]]:
    drawn = problems(domain, Split.TRAIN, seed=0, tasks=tasks) if domain in task_domains(tasks) else ()
    for problem in islice(drawn, _AT_ONCE):
        yield (Message("user", problem.prompt),)
