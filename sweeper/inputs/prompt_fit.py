"""Whether any problem is as short as a run asks for, told before its model and its data are made."""

from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path

from data_prep.cleaning.lengths import PromptLengths
from data_prep.files.row import Message
from data_prep.prompt_style import OWN_STYLE, chat_template
from data_prep.sources.glance import training_prompts
from data_prep.spec import DataError
from data_prep.synthetic.tasks import DOMAINS, SPECIAL_STRINGS, Split, problems
from rewards import Domain
from sweeper.host.errors import ConfigError
from sweeper.inputs import tiny
from sweeper.inputs.models import folder_at_hand
from sweeper.spec.model import ModelSource
from sweeper.spec.run import RunSpec

_AT_ONCE = 64  # of synthetic tasks: all levels, several times
_FRAME = 256  # tokens that a chat template puts around a turn, at most; a text has no more tokens than bytes


def refuse_long_prompts(spec: RunSpec, results_dir: Path) -> None:
    """Refuse a length that no problem to train on has, as far as model and data are at hand.

    The tokenizer of tiny models is ours, so it is always at hand.

    Raises:
        ConfigError: `training.max_prompt_length`, and how long a prompt is.
    """
    is_tiny, limit = spec.model.source is ModelSource.tiny, spec.training.max_prompt_length
    model = None if is_tiny else folder_at_hand(spec.model, results_dir)
    if model is None and not is_tiny:
        return
    style = spec.model.prompt_style if is_tiny else OWN_STYLE  # what is at hand has its style in it
    root, digest, weights = spec.data.root, spec.data.digest, spec.domain_mix.weights
    domains = tuple(domain for domain in Domain if weights.get(domain, 0) > 0)
    # Of tasks each domain must have some, for none can take their places.
    for part in [(domain,) for domain in domains] if root is None else [domains]:
        why = _why_none(model, style, limit, root, digest, part)
        if why is not None:
            raise ConfigError(f"training.max_prompt_length={limit}: {why}; raise it")


@cache
def _why_none(
    model: Path | None, style: str, limit: int, root: str | None, digest: str | None, domains: tuple[Domain, ...]
) -> str | None:
    """Why no prompt has at most `limit` tokens; None: one has, or a launch must say what is wrong with model or data.

    Args:
        model: Folder with the tokenizer; None: the tiny models' own.
        style: Of prompts.
        limit: In tokens.
        root: Folder of data; None: synthetic tasks.
        digest: The folder's: another one is another folder.
        domains: That are trained on.
    """
    del digest
    frame = tiny.FRAME if model is None and style == OWN_STYLE else _FRAME
    lengths, n, first = None, 0, ""
    try:
        prompts = _tasks(domains[0]) if root is None else training_prompts(Path(root), domains)
        while some := list(islice(prompts, _AT_ONCE)):
            # Loading a tokenizer takes seconds, and is rarely needed.
            if any(sum(len(turn.content.encode()) + frame for turn in prompt) <= limit for prompt in some):
                return None
            lengths = lengths or PromptLengths(
                model or tiny.build_tokenizer(SPECIAL_STRINGS), chat_template=chat_template(style)
            )
            reasons = lengths.too_long(some, limit)
            if len(reasons) < len(some):
                return None
            n, first = n + len(some), first or reasons[0]
    except DataError:
        return None
    what = f"the first {n} synthetic {domains[0]} problems" if root is None else f"the {n} problems of data_root={root}"
    return f"none of {what} has so short a prompt; the first: {first}" if n else None


def _tasks(domain: Domain) -> Iterator[tuple[Message, ...]]:
    for problem in islice(problems(domain, Split.TRAIN, seed=0) if domain in DOMAINS else (), _AT_ONCE):
        yield (Message("user", problem.prompt),)
