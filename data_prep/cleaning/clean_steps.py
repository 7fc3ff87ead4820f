"""The order in which a pool is cleaned: cheap steps first, so that costly ones see fewer rows."""

from collections.abc import Sequence
from pathlib import Path

from data_prep.cleaning.contamination import decontaminate
from data_prep.cleaning.dropped import Clean, Dropped
from data_prep.cleaning.duplicates import drop_exact_duplicates, drop_near_duplicates
from data_prep.cleaning.lengths import drop_too_long
from data_prep.files.row import Row
from data_prep.spec import Cleaning


def without_duplicates(train: list[Row], options: Cleaning) -> Clean:
    """Takes out exact duplicates, if chosen: before rows are held out, so that no problem is on both sides."""
    if not options.exact_duplicates:
        return train, []
    return drop_exact_duplicates(train)


def clean(train: list[Row], evaluation: Sequence[Row], options: Cleaning, own_rewards: Sequence[str] = ()) -> Clean:
    """Applies the other chosen steps to training rows.

    Args:
        train: Rows to clean, each problem once.
        evaluation: Every row that a model is ever measured on.
        options: Which steps, and how strict.
        own_rewards: The user's own reward functions (`data_prep.spec.DataSpec`).
    """
    dropped: list[Dropped] = []
    if options.contamination and evaluation:
        train, more = decontaminate(train, evaluation)
        dropped += more
    if options.max_prompt_tokens is not None and options.tokenizer is not None:
        train, more = drop_too_long(train, tokenizer=Path(options.tokenizer), max_tokens=options.max_prompt_tokens)
        dropped += more
    if options.near_duplicates is not None:
        train, more = drop_near_duplicates(train, threshold=options.near_duplicates)
        dropped += more
    if options.golds:
        from data_prep.cleaning.gold import drop_bad_gold

        train, more = drop_bad_gold(train, own_rewards)
        dropped += more
    return train, dropped
